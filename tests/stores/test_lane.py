"""What is written beside a change of a channel: with it or not at all, and handed over only once it is there."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashify.context import Context
from dashify.domain import chat
from dashify.domain.jobs import Delivery, Job, Queue
from dashify.domain.names import new_id
from dashify.errors import Conflict, NotFound
from dashify.resources import Resources
from dashify.services import channels
from dashify.stores.chat import Messages
from dashify.stores.lane import Beside
from dashify.stores.mongo import Document
from dashify.stores.store import Store


@pytest.fixture
def general(alice: Context) -> str:
    return str(channels.list_channels(alice, None, 50)["channels"][0]["id"])


@pytest.fixture
def handed_over(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the jobs that are handed to workers, but for the channel's own, which indexes what is said."""
    ids: list[str] = []
    monkeypatch.setattr(resources.dispatcher, "follow",
                        lambda deliveries, withdrawals: ids.extend(
                            one.job_id for one in deliveries if one.queue is not Queue.INDEXER))
    return ids


def beside(ctx: Context) -> Beside:
    def write(store: Store, outcome: chat.Outcome) -> list[Delivery]:
        job_id = store.jobs.add(Job.SELF_CHECK, {"row": outcome.message["changed_seq"]}, actor_id=ctx.actor.user_id,
                                now=ctx.now)
        return [Delivery(job_id, Queue.AUDIT)]

    return write


def change(ctx: Context, channel_id: str, what: chat.Change) -> chat.Outcome:
    return ctx.change_channel(channel_id, what, lambda outcome: None, beside(ctx))


def jobs(resources: Resources, ctx: Context) -> dict[int, str]:
    found = resources.database["jobs"].find({"tenant_id": ctx.actor.tenant_id, "kind": Job.SELF_CHECK.kind})
    return {row["payload"]["row"]: row["_id"] for row in found}


def new_post(ctx: Context, client_id: str | None = None) -> chat.Post:
    return chat.Post(new_id(), ctx.actor.user_id, "Hello", client_id, None)


def test_each_change_that_takes_a_number_brings_its_own_job(alice: Context, general: str, resources: Resources,
                                                            handed_over: list[str]) -> None:
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: change(alice, general, new_post(alice, f"c{number}")), range(30)))
    found = jobs(resources, alice)
    assert sorted(found) == list(range(1, 31))
    assert sorted(handed_over) == sorted(found.values())


def test_what_takes_no_number_or_is_refused_writes_nothing_beside(alice: Context, general: str, resources: Resources,
                                                                  handed_over: list[str]) -> None:
    post = change(alice, general, new_post(alice, "c1"))
    assert not change(alice, general, new_post(alice, "c1")).changed
    assert not change(alice, general, chat.Edit(post.message["_id"], "Hello")).changed
    with pytest.raises(NotFound):
        change(alice, general, chat.Delete(new_id()))
    assert list(jobs(resources, alice)) == [1]
    assert len(handed_over) == 1


def test_a_change_whose_companion_fails_is_not_there_either(alice: Context, general: str, resources: Resources,
                                                            handed_over: list[str]) -> None:
    def fail(store: Store, outcome: chat.Outcome) -> list[Delivery]:
        store.jobs.add(Job.SELF_CHECK, {"row": 1}, actor_id=alice.actor.user_id, now=alice.now)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        alice.change_channel(general, new_post(alice), lambda outcome: None, fail)
    assert jobs(resources, alice) == {}
    assert handed_over == []
    assert change(alice, general, new_post(alice)).message["seq"] == 1


def test_a_companion_may_leave_nothing_to_hand_over(alice: Context, general: str, handed_over: list[str]) -> None:
    outcome = alice.change_channel(general, new_post(alice), lambda outcome: None, lambda store, outcome: None)
    assert outcome.created
    assert handed_over == []


def test_only_a_message_that_was_sent_before_is_looked_up(alice: Context, general: str,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[set[tuple[str, str]]] = []
    find = Messages.list_by_client_ids

    def watched(self: Messages, channel_id: str, pairs: Iterable[tuple[str, str]]) -> list[Document]:
        wanted = set(pairs)
        looked_up.extend([wanted] if wanted else [])
        return find(self, channel_id, wanted)

    monkeypatch.setattr(Messages, "list_by_client_ids", watched)
    first = change(alice, general, new_post(alice, "once")).message
    assert looked_up == []
    again = change(alice, general, new_post(alice, "once"))
    assert (again.changed, again.message["_id"], again.message["seq"]) == (False, first["_id"], first["seq"])
    assert looked_up == [{(alice.actor.user_id, "once")}]
    with pytest.raises(Conflict):
        change(alice, general, chat.Post(new_id(), alice.actor.user_id, "Another text", "once", None))


def test_messages_sent_before_and_new_ones_commit_together_without_gaps(alice: Context, general: str) -> None:
    def send(number: int) -> int:
        return int(change(alice, general, new_post(alice, f"m{number}")).message["seq"])

    before = [send(number) for number in range(10)]
    with ThreadPoolExecutor(30) as pool:
        numbers = list(pool.map(send, [*range(20)] * 3))
    assert numbers[:10] == before
    assert numbers[:20] == numbers[20:40] == numbers[40:]
    assert sorted(numbers[:20]) == list(range(before[0], before[0] + 20))
