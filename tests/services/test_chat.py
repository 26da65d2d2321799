from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashify.context import Context
from dashify.domain.names import new_id
from dashify.errors import Conflict, Forbidden, NotFound
from dashify.services import channels, chat

Refreshed = Callable[[Context], Context]


@pytest.fixture
def general(alice: Context) -> str:
    return str(channels.list_channels(alice, None, 50)["channels"][0]["id"])


def post(ctx: Context, channel_id: str, text: str, client_id: str | None = None) -> dict[str, object]:
    return chat.post_message(ctx, channel_id, text, client_id, None)[0]


def test_a_post_takes_the_next_number_and_is_found_by_both(alice: Context, bob: Context, general: str) -> None:
    first, second = post(alice, general, "Hello"), post(bob, general, "Hi Alice")
    assert (first["seq"], second["seq"]) == (1, 2)
    page = chat.list_messages(bob, general, None, None, 50)
    assert [message["text"] for message in page["messages"]] == ["Hi Alice", "Hello"]
    assert page["head"] == 2
    assert not page["more"]


def test_the_same_client_id_posts_once_and_refuses_another_text(alice: Context, bob: Context, general: str) -> None:
    first, created = chat.post_message(alice, general, "once", "c1", None)
    again, created_again = chat.post_message(alice, general, "once", "c1", None)
    assert (created, created_again) == (True, False)
    assert first == again
    with pytest.raises(Conflict):
        chat.post_message(alice, general, "twice", "c1", None)
    assert post(bob, general, "mine", "c1")["author_id"] == bob.actor.user_id


def test_an_edit_takes_a_number_and_an_equal_one_takes_none(alice: Context, general: str) -> None:
    message = post(alice, general, "teh")
    edited = chat.edit_message(alice, str(message["id"]), "the")
    assert (edited["seq"], edited["changed_seq"], edited["text"]) == (1, 2, "the")
    assert chat.edit_message(alice, str(message["id"]), "the")["changed_seq"] == 2
    assert chat.list_messages(alice, general, None, None, 50)["head"] == 2


def test_only_the_author_edits_and_only_the_author_or_an_admin_deletes(alice: Context, bob: Context,
                                                                         general: str) -> None:
    hers, his = post(alice, general, "from the owner"), post(bob, general, "from a member")
    with pytest.raises(Forbidden):
        chat.edit_message(alice, str(his["id"]), "changed")
    with pytest.raises(Forbidden):
        chat.delete_message(bob, str(hers["id"]))
    deleted = chat.delete_message(alice, str(his["id"]))
    assert deleted["text"] == ""
    assert deleted["deleted_at"]
    with pytest.raises(NotFound):
        chat.edit_message(bob, str(his["id"]), "back again")


def test_a_repeated_post_of_a_deleted_message_does_not_bring_it_back(alice: Context, general: str) -> None:
    message, _ = chat.post_message(alice, general, "gone soon", "c9", None)
    chat.delete_message(alice, message["id"])
    again, created = chat.post_message(alice, general, "gone soon", "c9", None)
    assert not created
    assert again["deleted_at"]


def test_a_reaction_is_put_once_and_taken_away_once(alice: Context, bob: Context, general: str) -> None:
    message_id = str(post(alice, general, "cake?")["id"])
    assert chat.react(bob, message_id, "🎂", True)["reactions"] == {"🎂": [bob.actor.user_id]}
    assert chat.react(bob, message_id, "🎂", True)["changed_seq"] == 2
    assert chat.react(bob, message_id, "🎂", False)["reactions"] == {}
    assert chat.react(bob, message_id, "🎂", False)["changed_seq"] == 3


def test_changes_show_each_message_once_in_its_present_state(alice: Context, general: str) -> None:
    first, second = post(alice, general, "one"), post(alice, general, "two")
    chat.edit_message(alice, str(first["id"]), "ONE")
    changes = chat.list_changes(alice, general, 0)
    assert [(one["id"], one["changed_seq"]) for one in changes["messages"]] == [(second["id"], 2), (first["id"], 3)]
    assert (changes["head"], changes["more"]) == (3, False)
    assert chat.list_changes(alice, general, 3)["messages"] == []
    assert chat.list_changes(alice, general, 4) == {"reset": True}
    assert chat.list_changes(alice, general, 3, epoch="another") == {"reset": True}


def test_sync_catches_up_in_all_channels_and_names_what_is_gone(alice: Context, carol: Context, general: str) -> None:
    post(alice, general, "one")
    theirs = str(channels.list_channels(carol, None, 50)["channels"][0]["id"])
    answer = chat.sync(alice, {general: 0, theirs: 0}, None)
    assert [one["text"] for one in answer["changes"][general]] == ["one"]
    assert answer["heads"] == {general: 1}
    assert answer["gone"] == [theirs]
    assert chat.sync(alice, {general: 9}, None)["reset"] == [general]


def test_unread_counts_others_messages_after_my_mark_and_mentions_of_me(alice: Context, bob: Context,
                                                                        general: str) -> None:
    post(alice, general, "hello @bob")
    post(alice, general, "and @Bobby is nobody")
    post(bob, general, "my own")
    shown = channels.list_channels(bob, None, 50)["channels"][0]
    assert (shown["unread"], shown["mentions"]) == (2, 1)
    chat.mark_read(bob, general, 2)
    assert channels.list_channels(bob, None, 50)["channels"][0]["unread"] == 0
    chat.mark_read(bob, general, 1)
    assert channels.list_channels(bob, None, 50)["channels"][0]["read_seq"] == 2


def test_many_posters_take_gapless_numbers(alice: Context, bob: Context, general: str) -> None:
    def work(number: int) -> None:
        message = post(alice if number % 2 else bob, general, f"message {number}", f"c{number}")
        if number % 5 == 0:
            chat.edit_message(alice if number % 2 else bob, str(message["id"]), f"edited {number}")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(100)))
    seen, cursor = set(), 0
    while True:
        changes = chat.list_changes(alice, general, cursor)
        seen |= {one["changed_seq"] for one in changes["messages"]}
        if not changes["more"]:
            break
        cursor = changes["messages"][-1]["changed_seq"]
    page = chat.list_messages(alice, general, None, None, 200)
    assert page["head"] == 120
    assert len(page["messages"]) == 100
    assert len(seen) == 100
    assert sum(one["edited_at"] is not None for one in page["messages"]) == 20


def test_a_private_channel_is_absent_for_who_is_not_in_it(alice: Context, bob: Context, refreshed: Refreshed) -> None:
    secret = channels.create_channel(alice, "secret plans", True, [])["id"]
    alice = refreshed(alice)
    message_id = str(post(alice, secret, "hush")["id"])
    for attempt in (lambda: chat.list_messages(bob, secret, None, None, 50), lambda: post(bob, secret, "let me in"),
                    lambda: chat.react(bob, message_id, "👀", True), lambda: chat.list_changes(bob, secret, 0),
                    lambda: channels.add_member(bob, secret, bob.actor.user_id),
                    lambda: chat.show_typing(bob, secret), lambda: chat.mark_read(bob, secret, 1)):
        with pytest.raises(NotFound):
            attempt()
    assert secret not in chat.sync(bob, {}, None)["heads"]
    channels.add_member(alice, secret, bob.actor.user_id)
    assert chat.list_messages(refreshed(bob), secret, None, None, 50)["messages"][0]["text"] == "hush"
    channels.remove_member(alice, secret, bob.actor.user_id)
    with pytest.raises(NotFound):
        chat.list_messages(refreshed(bob), secret, None, None, 50)


def test_a_reply_belongs_to_its_threads_root(alice: Context, bob: Context, general: str) -> None:
    root = post(alice, general, "who is in?")
    reply, _ = chat.post_message(bob, general, "me", None, str(root["id"]))
    nested, _ = chat.post_message(alice, general, "great", None, reply["id"])
    assert reply["thread_id"] == nested["thread_id"] == root["id"]
    with pytest.raises(NotFound):
        chat.post_message(bob, general, "lost", None, new_id())
