from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.domain.knowledge import ASSISTANT, Visibility
from dashify.domain.names import new_id
from dashify.resources import Resources
from dashify.services import assistant, channels, chat, documents, people
from dashify.services.asking import ask
from dashify.services.documents import Place
from dashify.services.forgetting import TAKEN_BACK
from tests.knowledge.conftest import SHARED, Answered, Work, write

Refresh = Callable[[Context], Context]
Join = Callable[..., Context]
RULE = "Hotels in Lisbon cost 120 euros a night at most."
QUESTION = "How many euros a night may hotels in Lisbon cost?"


def tells(what: object) -> bool:
    """Whether the rule's price is said in it; a random id may hold those digits too."""
    return re.search(r"\b120\b", str(what)) is not None


def answer_to(ctx: Context, answered: Answered, question: str = QUESTION) -> dict[str, Any]:
    asked = ask(ctx, question, None, None)
    answered(ctx)
    return assistant.get_answer(ctx, asked["id"], -1)


def test_an_answer_quotes_what_was_written_and_says_where(alice: Context, work: Work, answered: Answered) -> None:
    document_id = write(alice, "Travel", f"# Rules\n\n{RULE} Breakfast is not paid.")
    work(alice)
    answer = answer_to(alice, answered)
    assert (answer["status"], RULE in answer["text"]) == ("done", True)
    [cited] = answer["citations"]
    text = documents.get_document(alice, document_id)["text"]
    assert cited["document_id"] == document_id
    assert text[cited["start"]:cited["end"]] == cited["quote"] == RULE
    assert f"[{cited['number']}]" in answer["text"]


def test_nobody_gets_an_answer_out_of_what_they_may_not_read(alice: Context, bob: Context, carol: Context, join: Join,
                                                            work: Work, answered: Answered) -> None:
    guest = join(alice, "Gus", Role.GUEST)
    write(alice, "Lisbon", RULE, Place(Visibility.PRIVATE))
    work(alice)
    assert "120" in answer_to(alice, answered)["text"]
    for ctx in (bob, guest, carol):
        answer = answer_to(ctx, answered)
        assert (answer["status"], answer["citations"]) == ("done", [])
        assert answer["text"] == "I found nothing about that in what you may read."


def test_an_answer_loses_what_its_reader_may_not_read_any_more(alice: Context, bob: Context, refreshed: Refresh,
                                                               work: Work, answered: Answered) -> None:
    secret = str(channels.create_channel(alice, f"secret {new_id()}", True, [bob.actor.user_id])["id"])
    write(refreshed(alice), "Lisbon", RULE, Place(Visibility.GROUP, secret))
    work(alice)
    answer = answer_to(refreshed(bob), answered)
    assert "120" in answer["text"]
    channels.remove_member(refreshed(alice), secret, bob.actor.user_id)
    later = assistant.get_answer(refreshed(bob), answer["id"], -1)
    assert later["citations"] == []
    assert not tells(later)
    further = ask(refreshed(bob), "And how many euros is that for two nights?", answer["conversation_id"], None)
    answered(bob)
    assert not tells(assistant.get_answer(refreshed(bob), further["id"], -1))


def test_a_deleted_document_is_gone_from_answers_and_from_what_was_posted(alice: Context, work: Work,
                                                                         answered: Answered,
                                                                         resources: Resources) -> None:
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    document_id = write(alice, "Lisbon", RULE, SHARED)
    work(alice)
    mine = answer_to(alice, answered)
    root = chat.post_message(alice, general, f"/ask {QUESTION}", None, None)[0]
    answered(alice)
    [posted] = [row for row in chat.list_messages(alice, general, None, None, 50)["messages"]
                if row["author_id"] == ASSISTANT]
    assert (posted["thread_id"], "120" in posted["text"]) == (root["id"], True)
    documents.delete_document(alice, document_id)
    work(alice)
    assert not tells(assistant.get_answer(alice, mine["id"], -1))
    assert not tells(chat.list_messages(alice, general, None, None, 50))
    for name in resources.database.list_collection_names():
        kept = list(resources.database[name].find({"tenant_id": alice.actor.tenant_id}))
        assert "120 euros" not in str(kept), name


def test_what_was_posted_is_taken_back_once_it_is_not_for_everybody_in_the_channel(
        alice: Context, bob: Context, join: Join, refreshed: Refresh, work: Work, answered: Answered) -> None:
    secret = str(channels.create_channel(alice, f"secret {new_id()}", True, [bob.actor.user_id])["id"])
    alice = refreshed(alice)
    write(alice, "Lisbon", RULE, SHARED)
    group = write(alice, "Office", "The plant at the door is called Zanzibar.", Place(Visibility.GROUP, secret))
    work(alice)
    for question in (QUESTION, "What is the plant at the door called?"):
        chat.post_message(alice, secret, f"/ask {question}", None, None)
        answered(alice)

    def posts() -> list[str]:
        return [row["text"] for row in chat.list_messages(alice, secret, None, 0, 50)["messages"]
                if row["author_id"] == ASSISTANT]

    assert ["120" in posts()[0], "Zanzibar" in posts()[1]] == [True, True]
    guest = join(alice, "Gus", Role.GUEST)
    channels.add_member(alice, secret, guest.actor.user_id)  # who may not read what is for the organization
    answered(alice)
    assert posts()[0] == TAKEN_BACK
    assert "Zanzibar" in posts()[1]
    documents.change_document(alice, group, {"visibility": "private"}, None)
    answered(alice)
    assert posts() == [TAKEN_BACK] * 2


def test_what_was_posted_is_taken_back_when_somebody_in_the_channel_becomes_a_guest(
        alice: Context, bob: Context, refreshed: Refresh, work: Work, answered: Answered) -> None:
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    channels.add_member(alice, general, bob.actor.user_id)
    write(alice, "Lisbon", RULE, SHARED)
    work(alice)
    chat.post_message(refreshed(alice), general, f"@assistant {QUESTION}", None, None)
    answered(alice)
    people.change_person(refreshed(alice), bob.actor.user_id, Role.GUEST, None)
    answered(alice)
    texts = [row["text"] for row in chat.list_messages(refreshed(bob), general, None, None, 50)["messages"]]
    assert TAKEN_BACK in texts
    assert not tells(texts)
