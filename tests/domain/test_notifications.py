"""Who is told of a message, as what, and how much of it they are shown."""

from __future__ import annotations

from typing import Any

import pytest

from dashify.domain.accounts import Role
from dashify.domain.chat import EVERYBODY, mentioned
from dashify.domain.notifications import SNIPPET_LENGTH, Candidate, Kind, kind_for, snippet

MESSAGE: dict[str, Any] = {"author_id": "alice"}


def told(user_id: str = "bob", role: Role = Role.MEMBER, *, joined: bool = True, private: bool = False,
         mention_ids: tuple[str, ...] = (), participants: tuple[str, ...] = ()) -> Kind | None:
    return kind_for(Candidate(user_id, role, joined), MESSAGE, private=private, mention_ids=mention_ids,
                    participants=participants)


def test_who_is_mentioned_is_told_of_a_mention_even_where_they_wrote_in_the_thread() -> None:
    assert told(mention_ids=("bob",)) is Kind.MENTION
    assert told(participants=("bob",)) is Kind.REPLY
    assert told(mention_ids=("bob",), participants=("bob",)) is Kind.MENTION
    assert told(mention_ids=("dora",), participants=("emil",)) is None


def test_nobody_is_told_of_their_own_message() -> None:
    assert told("alice", mention_ids=("alice", EVERYBODY), participants=("alice",)) is None


@pytest.mark.parametrize(("role", "joined", "private", "sees"), [
    (Role.MEMBER, True, True, True), (Role.MEMBER, False, True, False), (Role.OWNER, False, True, False),
    (Role.MEMBER, False, False, True), (Role.GUEST, False, False, False), (Role.GUEST, True, False, True),
    (Role.GUEST, True, True, True), (Role.GUEST, False, True, False),
])
def test_only_who_may_see_the_channel_is_told(role: Role, joined: bool, private: bool, sees: bool) -> None:
    assert (told(role=role, joined=joined, private=private, mention_ids=("bob",)) is Kind.MENTION) == sees
    assert (told(role=role, joined=joined, private=private, participants=("bob",)) is Kind.REPLY) == sees


def test_everybody_is_who_joined_the_channel() -> None:
    assert told(mention_ids=(EVERYBODY,)) is Kind.MENTION
    assert told(mention_ids=(EVERYBODY,), joined=False) is None
    assert told(mention_ids=(EVERYBODY,), joined=False, participants=("bob",)) is Kind.REPLY


@pytest.mark.parametrize(("text", "ids"), [
    ("@channel lunch", (EVERYBODY,)), ("hey @All!", (EVERYBODY,)), ("@channels", ()), ("a@all.test", ()),
    ("@Ann and @channel", (EVERYBODY, "1")), ("@All Hands", ("2",)),
])
def test_everybody_is_mentioned_by_a_word_of_their_own(text: str, ids: tuple[str, ...]) -> None:
    assert mentioned(text, [("1", "Ann"), ("2", "All Hands")]) == ids


def test_a_snippet_is_one_short_line() -> None:
    assert snippet(" Two\r\n\tlines \u2028 of it") == "Two lines of it"
    assert snippet("x" * SNIPPET_LENGTH) == "x" * SNIPPET_LENGTH
    cut = snippet("word " * 100)
    assert len(cut) <= SNIPPET_LENGTH
    assert cut.endswith("word\N{HORIZONTAL ELLIPSIS}")
