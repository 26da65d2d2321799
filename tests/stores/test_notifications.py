from __future__ import annotations

from typing import Any

from dashify.context import Context
from dashify.domain.names import new_id
from dashify.units import Unit


def row(ctx: Context, message_id: str, kind: str = "mention") -> dict[str, Any]:
    return {"_id": new_id(), "user_id": ctx.actor.user_id, "kind": kind, "channel_id": new_id(), "thread_id": None,
            "message_id": message_id, "seq": 1, "author_id": new_id(), "created_at": ctx.now, "read_at": None}


def add(ctx: Context, *rows: dict[str, Any]) -> list[str]:
    return ctx.unit(lambda unit: unit.store.notifications.add_new(rows))


def test_one_person_has_one_row_for_each_message_and_kind(alice: Context, bob: Context) -> None:
    message_id = new_id()
    first = row(alice, message_id)
    assert add(alice, first) == [first["_id"]]
    assert add(alice, row(alice, message_id)) == []
    others = [row(alice, message_id, "reply"), row(bob, message_id), row(alice, message_id)]
    assert add(alice, *others) == [others[0]["_id"], others[1]["_id"]]
    assert add(alice, row(alice, new_id()))
    assert add(alice) == []


def test_what_was_written_at_the_same_time_is_found_and_not_written_again(alice: Context, bob: Context) -> None:
    message_id, tries = new_id(), []

    def work(unit: Unit) -> list[str]:
        assert len(unit.store.notifications.list_of(alice.actor.user_id, limit=5)) == len(tries)
        tries.append(unit)
        if len(tries) == 1:
            add(alice, row(alice, message_id))
        return unit.store.notifications.add_new([row(alice, message_id), row(bob, message_id)])

    assert len(alice.unit(work)) == 1
    assert len(tries) == 2
    assert len(alice.store.notifications.list_of(alice.actor.user_id, limit=5)) == 1
