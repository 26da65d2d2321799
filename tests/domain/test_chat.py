"""How one change turns a message into its next state, and who is mentioned in a text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashify.domain import chat
from dashify.domain.chat import Delete, Edit, Message, Post, React, mentioned, revise
from dashify.errors import Conflict, NotAllowedNow, NotFound

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
POST = Post("m1", "alice", "Hello", "c1", None, ("bob",))


@pytest.fixture
def message() -> Message:
    return chat.post(POST, None, "general", 7, NOW).message


def test_a_post_has_its_place_and_its_number_in_one(message: Message) -> None:
    assert (message["seq"], message["changed_seq"]) == (7, 7)
    assert (message["_id"], message["channel_id"], message["author_id"]) == ("m1", "general", "alice")
    assert (message["created_at"], message["edited_at"], message["deleted_at"]) == (NOW, None, None)
    assert message["mention_ids"] == ["bob"]


def test_a_repeated_post_gives_the_first_message_and_takes_no_number(message: Message) -> None:
    again = chat.post(Post("m2", "alice", "Hello", "c1", None), message, "general", 8, LATER)
    assert (again.message, again.changed, again.created) == (message, False, False)


def test_a_repeated_post_is_known_by_its_first_text_even_after_an_edit_or_deletion(message: Message) -> None:
    for change in (Edit("m1", "Changed"), Delete("m1")):
        present = revise(change, message, 8, LATER).message
        assert chat.post(POST, present, "general", 9, LATER).message == present
        with pytest.raises(Conflict):
            chat.post(Post("m2", "alice", "Changed", "c1", None), present, "general", 9, LATER)


@pytest.mark.parametrize("other", [Post("m2", "alice", "Another", "c1", None),
                                   Post("m2", "alice", "Hello", "c1", "root")])
def test_one_client_id_does_not_stand_for_two_messages(message: Message, other: Post) -> None:
    with pytest.raises(Conflict) as refusal:
        chat.post(other, message, "general", 8, LATER)
    assert refusal.value.code == "client_id_reused"


def test_an_edit_keeps_the_place_and_takes_a_number(message: Message) -> None:
    outcome = revise(Edit("m1", "Hello all", ("carl",)), message, 9, LATER)
    assert outcome.changed
    assert outcome.message == {**message, "text": "Hello all", "edited_at": LATER, "changed_seq": 9,
                               "mention_ids": ["carl"]}


def test_a_deletion_leaves_a_tombstone_in_its_place(message: Message) -> None:
    with_reaction = revise(React("m1", "bob", "👍", True), message, 8, LATER).message
    tomb = revise(Delete("m1"), with_reaction, 9, LATER).message
    assert (tomb["text"], tomb["reactions"], tomb["mention_ids"], tomb["deleted_at"]) == ("", {}, [], LATER)
    assert (tomb["seq"], tomb["changed_seq"], tomb["author_id"]) == (7, 9, "alice")


def test_what_changes_nothing_takes_no_number(message: Message) -> None:
    reacted = revise(React("m1", "bob", "👍", True), message, 8, LATER).message
    tomb = revise(Delete("m1"), message, 9, LATER).message
    for change, before in ((Edit("m1", "Hello"), message), (React("m1", "bob", "👍", True), reacted),
                           (React("m1", "carl", "👍", False), reacted), (Delete("m1"), tomb)):
        outcome = revise(change, before, 10, LATER)
        assert (outcome.changed, outcome.message) == (False, before)


@pytest.mark.parametrize("change", [Edit("m1", "x"), React("m1", "bob", "👍", True), React("m1", "bob", "👍", False)])
def test_a_deleted_message_is_not_edited_and_takes_no_reaction(message: Message, change: Edit | React) -> None:
    tomb = revise(Delete("m1"), message, 8, LATER).message
    with pytest.raises(NotFound):
        revise(change, tomb, 9, LATER)


def test_reactions_keep_their_order_and_go_with_their_last_person(message: Message) -> None:
    present = message
    for number, (user, emoji, on) in enumerate([("bob", "👍", True), ("carl", "👍", True), ("bob", "🎉", True),
                                                ("bob", "👍", False), ("bob", "🎉", False)], start=8):
        present = revise(React("m1", user, emoji, on), present, number, LATER).message
    assert present["reactions"] == {"👍": ["carl"]}
    assert message["reactions"] == {}


def test_a_message_holds_so_many_kinds_of_reaction_and_any_number_of_people(message: Message) -> None:
    full = {**message, "reactions": {f"e{number}": ["bob"] for number in range(chat.MAX_REACTIONS)}}
    with pytest.raises(NotAllowedNow):
        revise(React("m1", "carl", "one more", True), full, 8, LATER)
    assert revise(React("m1", "carl", "e0", True), full, 8, LATER).message["reactions"]["e0"] == ["bob", "carl"]


def test_a_message_that_is_not_known_is_not_found(message: Message) -> None:
    assert chat.existing({"m1": message}, "m1") is message
    with pytest.raises(NotFound):
        chat.existing({"m1": message}, "m2")


NAMES = [("1", "Ann"), ("2", "Ann Lee"), ("3", "Bob"), ("4", "bob"), ("5", "J. (the) R+"), ("6", "Zoë")]


@pytest.mark.parametrize(("text", "ids"), [
    ("@Ann, look", ("1",)), ("@Ann Lee, look", ("2",)), ("@ann lee and @ANN", ("1", "2")), ("@Bob", ("3", "4")),
    ("@Annabel", ()), ("ann@Ann.test", ()), ("@@Ann", ()), ("no one", ()), ("@", ()), ("(@Bob)", ("3", "4")),
    ("@J. (the) R+!", ("5",)), ("@ZOË", ("6",)), ("@Bob @Bob", ("3", "4")),
])
def test_people_are_mentioned_by_their_whole_name(text: str, ids: tuple[str, ...]) -> None:
    assert mentioned(text, NAMES) == ids


def test_nobody_is_mentioned_where_nobody_is() -> None:
    assert mentioned("@Ann", []) == ()
