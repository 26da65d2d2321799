from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashify.domain import audit
from dashify.domain.audit import Action

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    "_id": "e1", "tenant_id": "acme", "action": "role.changed", "actor_id": "alice", "address": "192.0.2.7",
    "subject": {"kind": "user", "id": "bob"}, "details": {"role": "admin", "role_before": "member"}, "created_at": NOON,
}


def about(thing: str, **details: Any) -> dict[str, Any]:
    return {**ENTRY, "subject": {"kind": thing, "id": "x"}, "details": details}


def test_every_action_is_a_resource_and_a_past_verb() -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+(ed|drawn|set)", action) for action in Action)


@pytest.mark.parametrize("change", [
    {"_id": "e2"}, {"tenant_id": "globex"}, {"action": "role.given"}, {"actor_id": "bob"}, {"address": None},
    {"subject": {"kind": "user", "id": "carol"}}, {"details": {"role": "admin"}}, {"number": 2},
    {"created_at": NOON + timedelta(milliseconds=1)}, {"names": {"actor": "Bob", "subject": "Bob"}}, {"words": []},
    {"more": True}])
def test_whatever_is_changed_in_an_entry_its_seal_is_another(change: dict[str, Any]) -> None:
    row = audit.sealed(ENTRY, {"actor": "Alice", "subject": "Bob"}, 1, "")
    assert row["seal"] == audit.seal(row, "")
    assert row["seal"] != audit.seal({**row, **change}, "")


def test_the_seal_before_is_part_of_the_seal_and_the_order_of_fields_is_not() -> None:
    backwards = dict(reversed(ENTRY.items()))
    assert audit.seal(ENTRY, "a") == audit.seal(backwards, "a")
    assert audit.seal(ENTRY, "a") != audit.seal(ENTRY, "b")


def test_people_and_channels_are_called_what_they_are_called_now_and_the_rest_as_it_was() -> None:
    people, channels = {"alice": "Alice", "bob": "Bob"}, {"x": "general"}
    called = {kind: audit.names(row, people, channels)["subject"] for kind, row in {
        "user": ENTRY, "channel": about("channel"), "invitation": about("invitation", email="b@acme.test"),
        "session": about("session", device="Firefox"), "job": about("job", kind="export_channel"),
        "message": about("message", author_id="bob"), "other": about("queue")}.items()}
    assert called == {"user": "Bob", "channel": "general", "invitation": "b@acme.test", "session": "Firefox",
                      "job": "export_channel", "message": "Bob", "other": ""}
    assert audit.names(ENTRY, {}, {}) == {"actor": "", "subject": ""}


def test_an_entry_is_found_by_any_word_of_it_without_case() -> None:
    row = audit.sealed(ENTRY, {"actor": "Zoë Ünal", "subject": "BOB"}, 1, "")
    assert row["words"] == ["0", "192", "2", "7", "admin", "bob", "changed", "member", "role", "zoë", "ünal"]
    assert len(audit.words([" ".join(str(number) for number in range(1_000))])) == 100


def test_a_burst_asks_for_one_job_and_what_comes_after_a_sealing_for_another() -> None:
    assert audit.sealing_key(7, NOON) == audit.sealing_key(7, NOON + timedelta(minutes=59))
    assert audit.sealing_key(7, NOON) != audit.sealing_key(8, NOON)
    assert audit.sealing_key(7, NOON) != audit.sealing_key(7, NOON + timedelta(hours=1))


def test_the_later_look_comes_when_every_transaction_of_that_minute_is_over() -> None:
    late = NOON + timedelta(seconds=59)
    assert audit.straggling(NOON) == audit.straggling(late)
    assert audit.straggling(late)[1] - late > timedelta(minutes=2)
    assert audit.straggling(NOON)[0] != audit.straggling(NOON + timedelta(minutes=1))[0]
