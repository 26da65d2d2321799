from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.domain.jobs import Job
from dashify.domain.knowledge import Visibility
from dashify.domain.names import new_id
from dashify.errors import Conflict, Forbidden, NotAllowedNow, NotFound
from dashify.services import channels, chat, documents, folders, versions
from dashify.services.documents import Place, Upload
from dashify.services.knowledge import shared_principals

Join = Callable[..., Context]
Refresh = Callable[[Context], Context]
Row = dict[str, Any]
SHARED = Place(Visibility.ORGANIZATION)


def write(ctx: Context, place: Place = SHARED, text: str = "Tea at four.") -> str:
    return str(documents.create_document(ctx, "The plan", text, place)["id"])


def listed(ctx: Context, **wanted: Any) -> list[str]:
    asked = {"folder_id": None, "title": "", "mine": False, **wanted}
    return [row["id"] for row in documents.list_documents(ctx, None, 50, **asked)["documents"]]


def jobs_of(ctx: Context, kind: Job) -> list[Row]:
    return ctx.store.jobs._jobs.find({"kind": kind.kind})


@pytest.fixture
def guest(alice: Context, join: Join) -> Context:
    return join(alice, "Gus", Role.GUEST)


@pytest.fixture
def secret(alice: Context) -> str:
    """A private channel of Alice's own."""
    return str(channels.create_channel(alice, f"secret {new_id()}", True, [])["id"])


def test_a_document_is_read_by_those_it_is_shared_with_and_found_by_nobody_else(
        alice: Context, bob: Context, carol: Context, guest: Context, secret: str, refreshed: Refresh) -> None:
    alice = refreshed(alice)
    mine, ours = write(alice, Place()), write(alice)
    group = write(alice, Place(Visibility.GROUP, secret))
    assert set(listed(alice)) == {mine, ours, group}
    assert listed(bob) == [ours]
    assert listed(guest) == listed(carol) == []
    for ctx, hidden in ((bob, (mine, group)), (guest, (mine, group, ours)), (carol, (mine, group, ours))):
        for document_id in hidden:
            for call in (documents.get_document, documents.delete_document, documents.open_original,
                         versions.list_links, versions.discard_draft):
                with pytest.raises(NotFound):
                    call(ctx, document_id)
            with pytest.raises(NotFound):
                documents.change_document(ctx, document_id, {"title": "Mine now"}, None)
            with pytest.raises(NotFound):
                versions.get_version(ctx, document_id, 1)


def test_whoever_joins_a_channel_reads_its_documents_and_whoever_leaves_it_does_not(
        alice: Context, bob: Context, guest: Context, secret: str, refreshed: Refresh) -> None:
    group = write(refreshed(alice), Place(Visibility.GROUP, secret))
    for ctx in (bob, guest):
        channels.add_member(refreshed(alice), secret, ctx.actor.user_id)
        assert documents.get_document(refreshed(ctx), group)["text"] == "Tea at four."
        channels.remove_member(refreshed(alice), secret, ctx.actor.user_id)
        with pytest.raises(NotFound):
            documents.get_document(refreshed(ctx), group)
    channels.add_member(refreshed(alice), secret, bob.actor.user_id)
    channels.remove_member(refreshed(alice), secret, alice.actor.user_id)
    with pytest.raises(NotFound):  # what one wrote for a channel stays there when one leaves it
        documents.get_document(refreshed(alice), group)


def test_a_document_of_a_public_channel_is_for_everybody_who_sees_the_channel(
        alice: Context, bob: Context, guest: Context, refreshed: Refresh) -> None:
    public = str(channels.create_channel(alice, f"open {new_id()}", False, [])["id"])
    document_id = write(refreshed(alice), Place(Visibility.GROUP, public))
    assert documents.get_document(bob, document_id)["channel_id"] == public
    with pytest.raises(NotFound):
        documents.get_document(guest, document_id)
    channels.add_member(refreshed(alice), public, guest.actor.user_id)
    assert documents.get_document(refreshed(guest), document_id)["editable"] is False


def test_guests_read_and_write_nothing(alice: Context, guest: Context, secret: str, refreshed: Refresh) -> None:
    channels.add_member(refreshed(alice), secret, guest.actor.user_id)
    document_id, guest = write(refreshed(alice), Place(Visibility.GROUP, secret)), refreshed(guest)
    for call in (lambda: write(guest, Place()),
                 lambda: documents.change_document(guest, document_id, {"text": "x"}, None),
                 lambda: documents.delete_document(guest, document_id),
                 lambda: versions.save_draft(guest, document_id, "", "x", 1),
                 lambda: versions.restore_version(guest, document_id, 1),
                 lambda: folders.create_folder(guest, "Mine", None)):
        with pytest.raises(Forbidden):
            call()
    assert folders.list_folders(guest)["folders"] == []


def test_everybody_who_reads_a_document_edits_it_but_only_its_author_or_an_admin_shares_or_deletes_it(
        alice: Context, bob: Context, join: Join) -> None:
    dora = join(alice, "Dora")
    document_id = write(bob)
    assert documents.change_document(dora, document_id, {"text": "Tea at five."}, 1)["version"] == 2
    for call in (lambda: documents.delete_document(dora, document_id),
                 lambda: documents.change_document(dora, document_id, {"visibility": "private"}, None)):
        with pytest.raises(Forbidden):
            call()
    assert documents.change_document(dora, document_id, {"visibility": "organization"}, None)["version"] == 2
    documents.change_document(alice, document_id, {"visibility": "private"}, None)
    assert documents.get_document(bob, document_id)["visibility"] == "private"  # its author's, whoever made it so
    with pytest.raises(NotFound):
        documents.get_document(alice, document_id)


def test_each_change_of_text_or_title_is_a_version_and_what_changes_nothing_is_none(alice: Context) -> None:
    document_id = write(alice)
    for change, version in (({"text": "Tea at five."}, 2), ({"text": "Tea at five."}, 2), ({"title": "Plan B"}, 3),
                            ({"visibility": "private"}, 3)):
        assert documents.change_document(alice, document_id, change, None)["version"] == version
    rows = versions.list_versions(alice, document_id, None, 2)
    assert [row["version"] for row in rows["versions"]] == [3, 2]
    assert [row["version"] for row in versions.list_versions(alice, document_id, int(rows["next"]), 2)["versions"]] \
        == [1]
    assert versions.get_version(alice, document_id, 1)["text"] == "Tea at four."
    restored = versions.restore_version(alice, document_id, 1)
    assert (restored["version"], restored["title"], restored["text"]) == (4, "The plan", "Tea at four.")


def test_an_edit_of_a_version_that_is_not_the_latest_is_refused_and_says_which_is(alice: Context, bob: Context) -> None:
    document_id = write(alice)
    documents.change_document(bob, document_id, {"text": "Tea at five."}, 1)
    with pytest.raises(Conflict) as refusal:
        documents.change_document(alice, document_id, {"text": "Tea at six."}, 1)
    assert refusal.value.code == "version_conflict"
    assert refusal.value.details[0]["current"] == 2


def test_a_draft_is_its_writers_alone_and_gone_with_their_next_version(alice: Context, bob: Context) -> None:
    document_id = write(alice)
    versions.save_draft(alice, document_id, "The plan", "Tea at f", 1)
    versions.save_draft(alice, document_id, "The plan", "Tea at five", 1)
    assert documents.get_document(alice, document_id)["draft"]["text"] == "Tea at five"
    assert documents.get_document(bob, document_id)["draft"] is None
    documents.change_document(bob, document_id, {"text": "Coffee."}, 1)
    assert documents.get_document(alice, document_id)["draft"]["base_version"] == 1
    documents.change_document(alice, document_id, {"text": "Tea at five."}, 2)
    assert documents.get_document(alice, document_id)["draft"] is None


def test_every_revision_asks_once_to_be_indexed_before_what_is_only_reconciled(alice: Context) -> None:
    document_id = write(alice)
    documents.change_document(alice, document_id, {"text": "Tea at five."}, None)
    documents.change_document(alice, document_id, {"visibility": "private"}, None)
    asked = [row for row in jobs_of(alice, Job.INDEX_DOCUMENT) if row["payload"]["document_id"] == document_id]
    assert sorted(row["payload"]["revision"] for row in asked) == [1, 2, 3]
    assert all(row["front"] for row in asked)
    assert documents.get_document(alice, document_id)["status"] == "queued"


def test_an_upload_is_kept_as_it_came_and_asks_to_be_read(alice: Context, bob: Context) -> None:
    sent = Upload("notes.md", "text/markdown; charset=utf-8", "markdown", iter([b"# No", b"tes"]))
    made = documents.upload_document(alice, "", sent, SHARED)
    assert (made["version"], made["text"], made["status"]) == (0, "", "queued")
    assert made["source"] == {"name": "notes.md", "content_type": "text/markdown; charset=utf-8", "bytes": 7}
    assert b"".join(documents.open_original(bob, made["id"]).chunks) == b"# Notes"
    assert [row["payload"]["document_id"] for row in jobs_of(alice, Job.READ_UPLOAD)] == [made["id"]]


def test_a_deleted_document_is_gone_at_once_and_its_title_with_it(alice: Context, bob: Context) -> None:
    document_id = write(alice)
    documents.delete_document(alice, document_id)
    documents_left = alice.store.documents.find_any(document_id)
    assert documents_left is not None
    assert (documents_left["title"], documents_left["readers"]) == ("", [])
    for ctx in (alice, bob):
        assert document_id not in listed(ctx)
        with pytest.raises(NotFound):
            documents.get_document(ctx, document_id)
    assert [row["payload"]["document_id"] for row in jobs_of(alice, Job.PURGE_DOCUMENT)] == [document_id]


def test_a_group_needs_a_channel_that_its_author_sees(alice: Context, bob: Context, secret: str) -> None:
    with pytest.raises(NotAllowedNow) as refusal:
        write(bob, Place(Visibility.GROUP))
    assert refusal.value.code == "document_channel"
    for channel_id in (secret, new_id(), "x"):
        with pytest.raises(NotFound):
            write(bob, Place(Visibility.GROUP, channel_id))


def test_documents_are_listed_latest_change_first_by_folder_title_and_author(alice: Context, bob: Context) -> None:
    folder = folders.create_folder(alice, "Plans", None)["id"]
    first = write(alice, Place(Visibility.ORGANIZATION, None, folder))
    second = str(documents.create_document(bob, "Straße (draft)", "", SHARED)["id"])
    assert listed(alice) == [second, first]
    documents.change_document(alice, first, {"text": "New."}, None)
    assert listed(alice) == [first, second]
    assert listed(alice, folder_id=folder) == [first]
    assert listed(alice, title="STRASSE (") == [second]
    assert listed(alice, mine=True) == [first]
    assert listed(alice, title=".*") == []


def test_folders_nest_move_and_dissolve_without_taking_a_document_along(alice: Context, carol: Context) -> None:
    plans = folders.create_folder(alice, "Plans", None)["id"]
    old = folders.create_folder(alice, "Old", plans)["id"]
    document_id = write(alice, Place(Visibility.PRIVATE, None, old))
    with pytest.raises(Conflict):
        folders.create_folder(alice, "PLANS", None)
    with pytest.raises(NotAllowedNow) as refusal:
        folders.change_folder(alice, plans, {"parent_id": old})
    assert refusal.value.code == "folder_cycle"
    for call in (lambda: folders.change_folder(carol, plans, {"name": "Mine"}),
                 lambda: folders.create_folder(carol, "X", plans),
                 lambda: write(carol, Place(folder_id=plans))):
        with pytest.raises(NotFound):
            call()
    folders.remove_folder(alice, old)
    assert documents.get_document(alice, document_id)["folder_id"] == plans
    folders.remove_folder(alice, plans)
    assert documents.get_document(alice, document_id)["folder_id"] is None
    assert folders.list_folders(alice)["folders"] == []


def test_folders_do_not_go_deeper_than_eight(alice: Context) -> None:
    parent = None
    for depth in range(8):
        parent = folders.create_folder(alice, f"Level {depth}", parent)["id"]
    with pytest.raises(NotAllowedNow) as refusal:
        folders.create_folder(alice, "Too deep", parent)
    assert refusal.value.code == "folder_depth"


def test_links_to_a_document_are_shown_to_those_who_may_read_where_they_are(alice: Context, bob: Context) -> None:
    target = write(alice)
    private = write(alice, Place(), f"See [the plan](/documents/{target}).")
    shared = write(alice, SHARED, f"See http://127.0.0.1:8000/documents/{target}?version=1 twice /documents/{target}")
    assert {row["id"] for row in versions.list_links(alice, target)["documents"]} == {private, shared}
    assert [row["id"] for row in versions.list_links(bob, target)["documents"]] == [shared]
    documents.change_document(alice, shared, {"text": "No more."}, None)
    assert versions.list_links(bob, target)["documents"] == []


def test_what_everybody_in_a_channel_may_read_leaves_the_organization_out_once_a_guest_is_in_it(
        alice: Context, guest: Context, secret: str, refreshed: Refresh) -> None:
    alice = refreshed(alice)
    assert shared_principals(alice, secret) == {f"channel:{secret}", "organization"}
    channels.add_member(alice, secret, guest.actor.user_id)
    assert shared_principals(alice, secret) == {f"channel:{secret}"}
    with pytest.raises(NotFound):
        shared_principals(refreshed(guest), new_id())


def test_a_channel_asks_once_to_be_indexed_until_that_has_begun(alice: Context, secret: str,
                                                                 refreshed: Refresh) -> None:
    alice = refreshed(alice)
    for number in range(3):
        chat.post_message(alice, secret, f"Number {number}", None, None)
    asked = [row for row in jobs_of(alice, Job.INDEX_CHANNEL) if row["payload"]["channel_id"] == secret]
    assert len(asked) == 1
    alice.store.channels.begin_indexing(secret)
    chat.post_message(alice, secret, "One more", None, None)
    asked = [row for row in jobs_of(alice, Job.INDEX_CHANNEL) if row["payload"]["channel_id"] == secret]
    assert len(asked) == 2
