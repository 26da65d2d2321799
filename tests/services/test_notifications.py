from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashify.context import Context
from dashify.domain import names
from dashify.domain.accounts import Role
from dashify.domain.jobs import Job, Queue
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import channels, chat, notifications, people
from dashify.stores.notifications import Notifications

Refreshed = Callable[[Context], Context]
Told = list[tuple[str, str, Any]]


@pytest.fixture
def events(runner: Runner, resources: Resources, monkeypatch: pytest.MonkeyPatch) -> Told:
    """What is sent to sockets, as (room, event, payload)."""
    heard: Told = []
    for publisher in (runner.resources.publisher, resources.publisher):
        monkeypatch.setattr(publisher, "emit", lambda room, event, payload: heard.append((room, event, payload)))
    return heard


def post(ctx: Context, channel_id: str, text: str, thread_id: str | None = None) -> str:
    return str(chat.post_message(ctx, channel_id, text, None, thread_id)[0]["id"])


def run_all(runner: Runner, ctx: Context) -> int:
    """Run the fan-outs that wait at the organization of `ctx`; give their number."""
    waiting = [row["_id"] for row in runner.resources.database["jobs"].find(
        {"tenant_id": ctx.actor.tenant_id, "kind": Job.FAN_OUT.kind, "status": "queued"}).sort("_id", 1)]
    for job_id in waiting:
        assert runner.run(job_id) == "done"
    return len(waiting)


def shown(ctx: Context, *, unread: bool = False) -> list[tuple[str, str]]:
    page = notifications.list_notifications(ctx, None, 50, unread)
    return [(one["kind"], one["snippet"]) for one in page["notifications"]]


def after_first_read(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Have something happen once, between the first reading of notifications and the next."""
    reads = Notifications.list_of

    def read(store: Notifications, *args: Any, **options: Any) -> list[dict[str, Any]]:
        found = reads(store, *args, **options)
        monkeypatch.setattr(Notifications, "list_of", reads)
        happens()
        return found

    monkeypatch.setattr(Notifications, "list_of", read)


def test_who_is_mentioned_is_told_once_with_names_and_text(runner: Runner, alice: Context, bob: Context,
                                                           carol: Context, general: str, events: Told) -> None:
    message_id = post(alice, general, "Look,\n@Bob: <b>here</b>")
    assert run_all(runner, alice) == 1
    [one] = notifications.list_notifications(bob, None, 50, False)["notifications"]
    assert one == {
        "id": one["id"], "kind": "mention", "channel_id": general, "channel_name": "general", "message_id": message_id,
        "thread_id": None, "seq": 1, "author_id": alice.actor.user_id, "author_name": "Alice",
        "snippet": "Look, @Bob: <b>here</b>", "created_at": one["created_at"], "read_at": None}
    room = names.user_room(bob.actor.tenant_id, bob.actor.user_id)
    assert [event for event in events if event[1] == "notification:new"] == [
        (room, "notification:new", {"notification": one})]
    assert notifications.count_unread(bob) == 1
    for other in (alice, carol):
        assert notifications.list_notifications(other, None, 50, False) == {
            "notifications": [], "unread": 0, "next": None}


def test_what_is_kept_holds_neither_text_nor_names(runner: Runner, alice: Context, bob: Context, general: str,
                                                   resources: Resources) -> None:
    post(alice, general, "a secret for @Bob")
    run_all(runner, alice)
    [row] = resources.database["notifications"].find({"tenant_id": alice.actor.tenant_id})
    [job] = resources.database["jobs"].find({"tenant_id": alice.actor.tenant_id, "kind": Job.FAN_OUT.kind})
    for kept in (row, job):
        assert "secret" not in str(kept)
        assert "Bob" not in str(kept)


def test_a_message_that_concerns_nobody_asks_for_no_job(runner: Runner, alice: Context, general: str) -> None:
    post(alice, general, "hello")
    post(alice, general, "note to @Alice myself")
    assert run_all(runner, alice) == 0


def test_the_job_commits_with_the_post_and_is_handed_over(alice: Context, bob: Context, general: str,
                                                          resources: Resources) -> None:
    first, _ = chat.post_message(alice, general, "@Bob", "c1", None)
    again, _ = chat.post_message(alice, general, "@Bob", "c1", None)
    assert first == again
    [job] = resources.database["jobs"].find({"tenant_id": alice.actor.tenant_id, "kind": Job.FAN_OUT.kind})
    assert (job["queue"], job["payload"]) == ("notifications", {"message_id": first["id"]})
    assert job["actor_id"] == alice.actor.user_id
    assert job["_id"] in resources.dispatcher.on(Queue.NOTIFICATIONS, lambda lists: lists.list_held())


def test_a_reply_is_told_to_who_wrote_in_the_thread_before_it(
        runner: Runner, alice: Context, bob: Context, join: Callable[..., Context], general: str) -> None:
    dora, emil = join(alice, "Dora"), join(alice, "Emil")
    root = post(alice, general, "who is in?")
    post(bob, general, "me", root)
    post(dora, general, "me too, @Bob", root)
    run_all(runner, alice)
    assert shown(alice) == [("reply", "me too, @Bob"), ("reply", "me")]
    assert shown(bob) == [("mention", "me too, @Bob")]
    assert shown(dora) == shown(emil) == []


def test_who_deleted_all_they_wrote_in_a_thread_is_not_told_of_it_any_more(runner: Runner, alice: Context,
                                                                           bob: Context, general: str) -> None:
    root = post(alice, general, "who is in?")
    chat.delete_message(bob, post(bob, general, "me", root))
    post(alice, general, "anybody?", root)
    run_all(runner, alice)
    assert shown(bob) == []


def test_everybody_in_a_channel_is_mentioned_at_once(runner: Runner, alice: Context, bob: Context,
                                                     join: Callable[..., Context], general: str) -> None:
    guest = join(alice, "Gus", Role.GUEST)
    dora = join(alice, "Dora")
    channels.remove_member(dora, general, dora.actor.user_id)
    post(alice, general, "@channel: cake!")
    run_all(runner, alice)
    assert shown(bob) == [("mention", "@channel: cake!")]
    assert shown(alice) == shown(guest) == shown(dora) == []
    [channel] = channels.list_channels(bob, None, 50)["channels"]
    assert (channel["unread"], channel["mentions"]) == (1, 1)


def test_an_edit_tells_those_it_newly_mentions_and_nobody_again(runner: Runner, alice: Context, bob: Context,
                                                                join: Callable[..., Context], general: str,
                                                                events: Told) -> None:
    dora = join(alice, "Dora")
    message_id = post(alice, general, "@Bob look")
    run_all(runner, alice)
    chat.edit_message(alice, message_id, "@Bob and @Dora look")
    chat.edit_message(alice, message_id, "@Bob and @Dora, please look")
    assert run_all(runner, alice) == 1
    assert shown(dora) == shown(bob) == [("mention", "@Bob and @Dora, please look")]
    assert len([event for event in events if event[1] == "notification:new"]) == 2


def test_a_mention_that_is_edited_away_before_the_job_runs_tells_nobody(runner: Runner, alice: Context, bob: Context,
                                                                        general: str) -> None:
    chat.edit_message(alice, post(alice, general, "@Bob look"), "never mind")
    run_all(runner, alice)
    assert shown(bob) == []


def test_a_private_channel_tells_its_members_only(runner: Runner, alice: Context, bob: Context, refreshed: Refreshed,
                                                  join: Callable[..., Context], events: Told) -> None:
    dora = join(alice, "Dora")
    secret = channels.create_channel(alice, "secret plans", True, [dora.actor.user_id])["id"]
    alice, dora = refreshed(alice), refreshed(dora)
    post(alice, secret, "@Bob must not know, @Dora may; @channel")
    run_all(runner, alice)
    assert shown(bob) == []
    assert [kind for kind, _ in shown(dora)] == ["mention"]
    assert names.user_room(bob.actor.tenant_id, bob.actor.user_id) not in {
        room for room, event, _ in events if event == "notification:new"}


def test_rights_count_as_they_are_when_the_job_runs(runner: Runner, alice: Context, bob: Context, refreshed: Refreshed,
                                                    join: Callable[..., Context], general: str) -> None:
    dora = join(alice, "Dora")
    secret = channels.create_channel(alice, "secret plans", True, [bob.actor.user_id])["id"]
    alice = refreshed(alice)
    post(alice, secret, "@Bob psst")
    channels.remove_member(alice, secret, bob.actor.user_id)
    post(alice, general, "@Dora welcome")
    people.change_person(alice, dora.actor.user_id, None, False)
    run_all(runner, alice)
    channels.add_member(alice, secret, bob.actor.user_id)
    assert shown(refreshed(bob)) == []
    people.change_person(alice, dora.actor.user_id, None, True)
    assert shown(dora) == []


def test_a_channel_one_lost_and_a_message_that_was_deleted_are_not_shown(runner: Runner, alice: Context, bob: Context,
                                                                         refreshed: Refreshed, general: str) -> None:
    secret = channels.create_channel(alice, "secret plans", True, [bob.actor.user_id])["id"]
    alice, bob = refreshed(alice), refreshed(bob)
    post(alice, secret, "@Bob psst")
    deleted = post(alice, general, "@Bob oops")
    post(alice, general, "@Bob stays")
    run_all(runner, alice)
    assert len(shown(bob)) == notifications.count_unread(bob) == 3
    channels.remove_member(alice, secret, bob.actor.user_id)
    chat.delete_message(alice, deleted)
    bob = refreshed(bob)
    page = notifications.list_notifications(bob, None, 1, True)
    assert [one["snippet"] for one in page["notifications"]] == ["@Bob stays"]
    assert (page["unread"], page["next"]) == (1, None)


def test_a_guest_is_told_only_where_they_joined(runner: Runner, alice: Context, refreshed: Refreshed,
                                                join: Callable[..., Context], general: str) -> None:
    guest = join(alice, "Gus", Role.GUEST)
    post(alice, general, "@Gus not yet")
    run_all(runner, alice)
    channels.add_member(alice, general, guest.actor.user_id)
    post(alice, general, "@Gus now")
    run_all(runner, alice)
    assert shown(refreshed(guest)) == [("mention", "@Gus now")]
    channels.remove_member(alice, general, guest.actor.user_id)
    assert shown(refreshed(guest)) == []


def test_pages_go_through_everything_once_newest_first(runner: Runner, alice: Context, bob: Context,
                                                       general: str) -> None:
    for number in range(7):
        message_id = post(alice, general, f"@Bob {number}")
        if number % 3 == 0:
            chat.delete_message(alice, message_id)
    run_all(runner, alice)
    seen, cursor = [], None
    while True:
        page = notifications.list_notifications(bob, cursor, 2, False)
        seen += [one["snippet"] for one in page["notifications"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"@Bob {number}" for number in (5, 4, 2, 1)]


def test_one_that_comes_while_they_are_listed_is_listed_or_not_counted(
        runner: Runner, alice: Context, bob: Context, general: str, events: Told,
        monkeypatch: pytest.MonkeyPatch) -> None:
    post(alice, general, "@Bob one")
    run_all(runner, alice)

    def tell() -> None:
        post(alice, general, "@Bob two")
        run_all(runner, alice)

    after_first_read(monkeypatch, tell)
    page = notifications.list_notifications(bob, None, 50, False)
    assert page["unread"] == len(page["notifications"])
    assert notifications.list_notifications(bob, None, 50, False)["unread"] == 2


def test_one_that_is_read_while_they_are_listed_is_not_counted(
        runner: Runner, alice: Context, bob: Context, general: str, events: Told,
        monkeypatch: pytest.MonkeyPatch) -> None:
    post(alice, general, "@Bob one")
    run_all(runner, alice)
    after_first_read(monkeypatch, lambda: notifications.mark_read(bob, None))
    page = notifications.list_notifications(bob, None, 50, False)
    assert page["unread"] == sum(one["read_at"] is None for one in page["notifications"])


def test_reading_some_and_all_is_told_to_ones_own_sockets_only(runner: Runner, alice: Context, bob: Context,
                                                               carol: Context, general: str, events: Told) -> None:
    for number in range(3):
        post(alice, general, f"@Bob {number}")
    run_all(runner, alice)
    newest, *_ = notifications.list_notifications(bob, None, 50, False)["notifications"]
    room = names.user_room(bob.actor.tenant_id, bob.actor.user_id)
    for stranger in (alice, carol):
        assert notifications.mark_read(stranger, [newest["id"]]) == 0
    assert notifications.count_unread(bob) == 3
    assert notifications.mark_read(bob, [newest["id"], "0" * 24]) == 2
    assert notifications.mark_read(bob, [newest["id"]]) == 2
    assert [text for _, text in shown(bob, unread=True)] == ["@Bob 1", "@Bob 0"]
    assert notifications.mark_read(bob, None) == 0
    assert [event for event in events if event[1] == "notification:read"] == [
        (room, "notification:read", {"ids": [newest["id"]], "unread": 2}),
        (room, "notification:read", {"ids": None, "unread": 0})]
    assert len(shown(bob)) == 3


def test_reading_a_channel_reads_what_one_was_told_of_it(runner: Runner, alice: Context, bob: Context, general: str,
                                                         events: Told) -> None:
    for number in range(3):
        post(alice, general, f"@Bob {number}")
    run_all(runner, alice)
    other = channels.create_channel(alice, "other", False, [])["id"]
    post(alice, other, "@Bob here")
    run_all(runner, alice)
    ids = [one["id"] for one in notifications.list_notifications(bob, None, 50, False)["notifications"]]
    chat.mark_read(bob, general, 2)
    assert [text for _, text in shown(bob, unread=True)] == ["@Bob here", "@Bob 2"]
    [(_, _, told)] = [event for event in events if event[1] == "notification:read"]
    assert (set(told["ids"]), told["unread"]) == ({ids[2], ids[3]}, 2)
    chat.mark_read(bob, other, 1)
    assert [text for _, text in shown(bob, unread=True)] == ["@Bob 2"]


def test_what_one_has_read_before_the_job_ran_is_not_told(runner: Runner, alice: Context, bob: Context, general: str,
                                                          events: Told) -> None:
    post(alice, general, "@Bob quick")
    chat.mark_read(bob, general, 1)
    run_all(runner, alice)
    assert shown(bob) == [("mention", "@Bob quick")]
    assert notifications.count_unread(bob) == 0
    assert not [event for event in events if event[1] == "notification:new"]
