from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.domain.knowledge import Passage, Visibility
from dashify.domain.names import new_id
from dashify.errors import Invalid
from dashify.resources import Resources
from dashify.services import channels, chat, documents
from dashify.services.documents import Place
from dashify.services.knowledge import principals_of, shared_principals
from dashify.services.retrieval import check_citations, find_passages
from dashify.services.search import search, snippet_of
from tests.knowledge.conftest import SHARED, Meanings, Work, write

Refresh = Callable[[Context], Context]
Join = Callable[..., Context]
SECRET = "The merger with Globex is called Zanzibar and closes in May."


def found(ctx: Context, query: str, **options: Any) -> list[Passage]:
    return find_passages(ctx, query, principals_of(ctx), **options)


def everything_said(ctx: Context, query: str) -> str:
    return str([found(ctx, query, limit=50), search(ctx, query, None, 100, None)])


@pytest.fixture
def secret(alice: Context) -> str:
    return str(channels.create_channel(alice, f"secret {new_id()}", True, [])["id"])


def test_what_was_asked_for_is_found_with_its_place(alice: Context, work: Work) -> None:
    write(alice, "Canteen", "# Opening\n\nThe canteen opens at noon.\n\n# Menu\n\nSoup on Fridays.")
    document_id = write(alice, "Travel", "# Hotels\n\nHotels cost 120 euros at most.\n\n# Trains\n\nSecond class only.")
    work(alice)
    best = found(alice, "How much may hotels cost?")[0]
    assert (best.kind, best.source_id, best.title, best.heading) == ("document", document_id, "Travel", "Hotels")
    text = documents.get_document(alice, document_id)["text"]
    assert best.text == text[best.start:best.end] == "Hotels cost 120 euros at most."


def test_only_readers_find_a_document_or_a_message_and_others_find_no_trace(
        alice: Context, bob: Context, carol: Context, join: Join, secret: str, refreshed: Refresh, work: Work) -> None:
    alice, guest = refreshed(alice), join(alice, "Gus", Role.GUEST)
    write(alice, "Zanzibar private", SECRET, Place())
    write(alice, "Zanzibar group", SECRET + " Group.", Place(Visibility.GROUP, secret))
    write(alice, "Zanzibar for all", SECRET + " All.", SHARED)
    chat.post_message(alice, secret, "Zanzibar is what we call the merger", None, None)
    write(carol, "Zanzibar holidays", "Zanzibar is an island of Globex's holidays.")
    work(alice)
    work(carol)
    assert {one.title for one in found(alice, "Zanzibar merger", limit=50)} >= {
        "Zanzibar private", "Zanzibar group", "Zanzibar for all"}
    assert {one.title for one in found(bob, "Zanzibar merger", limit=50)} == {"Zanzibar for all"}
    assert {one.title for one in found(carol, "Zanzibar merger", limit=50)} == {"Zanzibar holidays"}
    assert found(guest, "Zanzibar merger", limit=50) == []
    for ctx, unseen in ((bob, ("Zanzibar private", "Zanzibar group", "what we call", "island")),
                        (guest, ("Zanzibar",)), (carol, ("private", "merger", "May"))):
        assert not any(word in everything_said(ctx, "Zanzibar merger") for word in unseen)


def test_membership_decides_at_the_next_question(alice: Context, bob: Context, secret: str, refreshed: Refresh,
                                                 work: Work) -> None:
    write(refreshed(alice), "Plan", SECRET, Place(Visibility.GROUP, secret))
    chat.post_message(refreshed(alice), secret, "Zanzibar it is then", None, None)
    work(alice)
    for _ in range(2):
        assert found(refreshed(bob), "Zanzibar") == []
        channels.add_member(refreshed(alice), secret, bob.actor.user_id)
        assert {one.kind for one in found(refreshed(bob), "Zanzibar")} == {"document", "message"}
        channels.remove_member(refreshed(alice), secret, bob.actor.user_id)
    assert found(refreshed(bob), "Zanzibar") == []


def test_mongodb_decides_where_the_index_is_behind(alice: Context, bob: Context, resources: Resources,
                                                   work: Work) -> None:
    document_id = write(alice, "Plan", SECRET)
    work(alice)
    assert found(bob, "Zanzibar")
    documents.change_document(alice, document_id, {"visibility": "private"}, None)  # not indexed yet
    assert found(bob, "Zanzibar") == []
    assert search(bob, "Zanzibar", None, 10, None)["results"] == []
    documents.delete_document(alice, document_id)
    assert found(alice, "Zanzibar") == []


def test_what_others_write_changes_no_score_of_mine(alice: Context, carol: Context, work: Work) -> None:
    write(alice, "One", "The gearbox needs oil.")
    write(alice, "Two", "The pump needs water.")
    work(alice)
    vectors = alice.vectors(alice.collections.active().name)
    from dashify.domain.terms import query_terms
    from dashify.stores.vectors import Sparse
    asked = Sparse(*query_terms("gearbox needs"))
    before = [(hit.key, hit.score) for hit in vectors.sparse(asked, limit=5)]
    for number in range(5):
        write(carol, f"Gearbox {number}", "gearbox " * 20)
    work(carol)
    assert [(hit.key, hit.score) for hit in vectors.sparse(asked, limit=5)] == before


def test_neighbors_come_as_one_passage_and_copies_once(alice: Context, work: Work) -> None:
    paragraph = "Backups of the zebra cluster run nightly. " + "They are kept for ninety days in two places. " * 14
    text = f"{paragraph}\n\nZebra backups are encrypted. " + "Keys are with the board of the company. " * 14
    document_id = write(alice, "Backups", text)
    write(alice, "Backups (copy)", text)
    work(alice)
    hits = found(alice, "zebra backups", limit=10)
    assert len(hits) == 1
    assert hits[0].text == documents.get_document(alice, document_id)["text"][hits[0].start:hits[0].end]
    assert "nightly" in hits[0].text
    assert "encrypted" in hits[0].text


def test_words_alone_find_while_the_model_hosts_are_away(alice: Context, work: Work, meanings: Meanings) -> None:
    write(alice, "Plan", SECRET)
    work(alice)
    meanings.away = True
    assert [one.title for one in found(alice, "Zanzibar")] == ["Plan"]
    assert found(alice, "!?") == []


def test_a_message_that_was_edited_is_found_by_what_it_says_now(alice: Context, work: Work) -> None:
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    message = chat.post_message(alice, general, "The password of the door is 4711", None, None)[0]
    work(alice)
    chat.react(alice, message["id"], "🔑", True)
    assert found(alice, "door password")  # a reaction changes its number and not what it says
    chat.edit_message(alice, message["id"], "Never mind")
    assert found(alice, "door password") == []  # before it is indexed again
    work(alice)
    assert [one.text for one in found(alice, "never mind")] == ["Never mind"]


def test_a_citation_holds_for_those_who_may_read_it_while_its_version_says_so(
        alice: Context, bob: Context, carol: Context, secret: str, refreshed: Refresh, work: Work) -> None:
    group = write(refreshed(alice), "Plan", SECRET, Place(Visibility.GROUP, secret))
    said = chat.post_message(refreshed(alice), secret, "Zanzibar it is then", None, None)[0]
    citations: list[dict[str, Any]] = [
        {"document_id": group, "version": 1, "start": 4, "end": 10, "quote": "merger"},
        {"document_id": group, "version": 1, "start": 4, "end": 10, "quote": "forged"},
        {"document_id": group, "version": 2, "start": 4, "end": 10, "quote": "merger"},
        {"message_id": said["id"], "version": 1, "start": 0, "end": 8, "quote": "Zanzibar"},
        {"document_id": new_id(), "version": 1, "start": 0, "end": 1, "quote": "T"}, {"message_id": "x", "version": 1,
         "start": 0, "end": 0, "quote": ""}]
    assert check_citations(refreshed(alice), citations) == [True, False, False, True, False, False]
    assert check_citations(bob, citations) == check_citations(carol, citations) == [False] * 6
    channels.add_member(refreshed(alice), secret, bob.actor.user_id)
    assert check_citations(refreshed(bob), citations) == [True, False, False, True, False, False]
    documents.delete_document(refreshed(alice), group)
    chat.edit_message(refreshed(alice), said["id"], "No")
    assert check_citations(refreshed(alice), citations) == [False] * 6


def test_in_a_channel_only_what_all_of_them_may_read_is_found(alice: Context, bob: Context, join: Join, secret: str,
                                                              refreshed: Refresh, work: Work) -> None:
    alice = refreshed(alice)
    write(alice, "Private", SECRET, Place())
    write(alice, "Shared", SECRET + " Shared.", SHARED)
    write(alice, "Group", SECRET + " Group.", Place(Visibility.GROUP, secret))
    work(alice)

    def titles() -> set[str]:
        return {one.title for one in find_passages(alice, "Zanzibar", shared_principals(alice, secret), limit=20)}

    assert titles() == {"Shared", "Group"}
    guest = join(alice, "Gus", Role.GUEST)
    channels.add_member(alice, secret, guest.actor.user_id)
    assert titles() == {"Group"}


def test_search_gives_titles_first_then_passages_each_source_once(alice: Context, work: Work) -> None:
    titled = write(alice, "Zebra manual", "How to feed it.")
    told = write(alice, "Animals", "# Africa\n\nA zebra has stripes.\n\n# Zoo\n\nThe zoo has a zebra, too.")
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    said = chat.post_message(alice, general, "Who has seen the zebra?", None, None)[0]
    work(alice)
    results = search(alice, "zebra", None, 10, None)["results"]
    assert results[0]["id"] == titled
    assert {row["id"] for row in results} == {titled, told, said["id"]}
    assert len(results) == 3
    message = next(row for row in results if row["kind"] == "message")
    assert (message["seq"], message["channel_id"], message["title"]) == (said["seq"], general, "#general")
    assert [message["snippet"][start:end] for start, end in message["marks"]] == ["zebra"]
    assert [row["kind"] for row in search(alice, "zebra", None, 10, "message")["results"]] == ["message"]
    assert search(alice, "zebra man", None, 10, None)["results"][0]["id"] == titled  # as one types


def test_search_gives_pages(alice: Context, work: Work) -> None:
    ids = {write(alice, f"Text {number}", f"The zebra number {number} is asleep.") for number in range(7)}
    work(alice)
    first = search(alice, "zebra asleep", None, 4, None)
    second = search(alice, "zebra asleep", first["next"], 4, None)
    assert {row["id"] for row in first["results"] + second["results"]} == ids
    assert second["next"] is None
    with pytest.raises(Invalid):
        search(alice, "zebra", "-1", 4, None)


def test_a_snippet_shows_the_word_in_its_surroundings() -> None:
    text = "x " * 200 + "the 🚂 Zebra crossing " + "y " * 200
    snippet, marks = snippet_of(text, ["zebra", "cross"])
    assert len(snippet) <= 242
    assert snippet.startswith("…x")
    assert snippet.endswith("…")
    assert [snippet[start:end] for start, end in marks] == ["Zebra", "crossing"]
    assert snippet_of("", ["a"]) == ("", [])
    assert snippet_of("# Zebra\n\n| a | b |\n|---|:--|\n**bold** and `code`", [])[0] == "Zebra | a | b | bold and code"
