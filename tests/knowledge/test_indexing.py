from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashify.context import Context, Platform
from dashify.domain.jobs import Job
from dashify.domain.knowledge import ASSISTANT, Visibility
from dashify.errors import NotFound
from dashify.jobs import indexer
from dashify.jobs.runner import Runner
from dashify.jobs.running import Run, Superseded
from dashify.resources import Resources
from dashify.services import channels, chat, documents, organizations, versions
from dashify.services.documents import Place, Upload
from dashify.services.indexing import Index
from dashify.units import Unit
from tests.knowledge.conftest import SHARED, Meanings, Work, points, write
from tests.reading.makers import make_pdf

LONG = "\n\n".join(f"Paragraph {number} is about subject {number} and " + "nothing else at all. " * 30
                   for number in range(12))


@pytest.fixture
def general(alice: Context) -> str:
    return str(channels.list_channels(alice, None, 50)["channels"][0]["id"])


def shown(ctx: Context, document_id: str) -> dict[str, Any]:
    return documents.get_document(ctx, document_id)


def test_a_document_is_found_after_its_job_and_says_so(alice: Context, resources: Resources, work: Work) -> None:
    document_id = write(alice, "Travel", "# Hotels\n\nUp to 120 euros.")
    assert shown(alice, document_id)["status"] == "queued"
    assert work(alice) == ["index_document done"]
    assert shown(alice, document_id)["status"] == "ready"
    [point] = points(resources, alice, source_id=document_id)
    assert (point["start"], point["end"], point["heading"], point["version"], point["revision"]) == (
        10, 26, "Hotels", 1, 1)
    assert point["readers"] == ["organization"]


def test_what_did_not_change_is_not_embedded_again(alice: Context, resources: Resources, work: Work,
                                                   meanings: Meanings) -> None:
    document_id = write(alice, "Long", LONG)
    work(alice)
    whole = len(meanings.embedded)
    assert whole == len(points(resources, alice, source_id=document_id)) > 8
    meanings.embedded = []
    documents.change_document(alice, document_id, {"text": "A new beginning.\n\n" + LONG}, None)
    work(alice)
    assert 1 <= len(meanings.embedded) <= 2
    text = shown(alice, document_id)["text"]
    for point in points(resources, alice, source_id=document_id):
        assert (point["version"], point["revision"]) == (2, 2)
        assert text[point["start"]:point["end"]].strip() == text[point["start"]:point["end"]]
    meanings.embedded = []
    documents.change_document(alice, document_id, {"visibility": "private"}, None)
    work(alice)
    assert meanings.embedded == []
    assert {tuple(point["readers"]) for point in points(resources, alice, source_id=document_id)} == {
        (f"user:{alice.actor.user_id}",)}


def test_a_document_that_shrinks_leaves_no_passage_behind(alice: Context, resources: Resources, work: Work) -> None:
    document_id = write(alice, "Long", LONG)
    work(alice)
    documents.change_document(alice, document_id, {"text": "Short."}, None)
    work(alice)
    assert len(points(resources, alice, source_id=document_id)) == 1


def test_a_large_document_is_embedded_in_parts_so_that_others_come_between(
        alice: Context, resources: Resources, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "EMBEDDED_A_RUN", 3)
    document_id = write(alice, "Long", LONG)
    done = work(alice)
    assert done.count("index_document done") > 3
    assert shown(alice, document_id)["status"] == "ready"
    assert len(points(resources, alice, source_id=document_id)) > 8


def test_an_older_revision_that_comes_late_changes_nothing(alice: Context, platform: Platform, resources: Resources,
                                                           work: Work) -> None:
    document_id = write(alice, "Plan", LONG)
    row = alice.store.documents.get(document_id)
    stale = indexer.document_passages(row, LONG)
    documents.change_document(alice, document_id, {"text": "Short now."}, None)
    work(alice)
    index = Index(platform, alice.actor.tenant_id)
    index.bring_in(stale, [document_id], 1, most=100, check=lambda: None)
    first = [point for point in points(resources, alice, source_id=document_id) if point["ordinal"] == 0]
    assert [point["revision"] for point in first] == [2]
    index.remove([document_id], below=2)  # as the late job does when it looks again
    assert len(points(resources, alice, source_id=document_id)) == 1


def test_a_document_fails_aloud_when_the_model_hosts_stay_away_and_waits_until_then(
        alice: Context, resources: Resources, runner: Runner, work: Work, meanings: Meanings) -> None:
    meanings.away = True
    document_id = write(alice, "Plan", "Text.")
    work(alice)
    document = shown(alice, document_id)
    assert (document["status"], document["error"]["code"]) == ("failed", "models_unavailable")
    [job] = resources.database["jobs"].find({"tenant_id": alice.actor.tenant_id, "kind": Job.INDEX_DOCUMENT.kind})
    assert (job["status"], job["failures"]) == ("dead", 12)


def test_an_uploaded_file_becomes_a_document_with_its_own_title(alice: Context, bob: Context, tmp_path: Path,
                                                                resources: Resources, work: Work) -> None:
    data = make_pdf(tmp_path / "a.pdf", ["Refunds are paid within ten days."]).read_bytes()
    made = documents.upload_document(alice, "", Upload("rules.pdf", "application/pdf", "pdf", iter([data])), SHARED)
    assert work(alice) == ["read_upload done", "index_document done"]
    document = shown(bob, made["id"])
    assert (document["status"], document["version"], document["title"]) == ("ready", 1, "rules.pdf")
    assert document["text"] == "Refunds are paid within ten days."
    assert len(points(resources, alice, source_id=made["id"])) == 1


def test_a_file_that_cannot_be_read_says_why_and_the_job_is_no_failure(alice: Context, work: Work) -> None:
    broken = Upload("r.pdf", "application/pdf", "pdf", iter([b"%PDF-"]))
    made = documents.upload_document(alice, "Rules", broken, SHARED)
    assert work(alice) == ["read_upload done"]
    document = shown(alice, made["id"])
    assert (document["status"], document["error"]["code"], document["title"]) == ("failed", "file_broken", "Rules")


def test_a_deleted_document_leaves_nothing_in_the_index_the_database_or_the_files(
        alice: Context, resources: Resources, work: Work) -> None:
    made = documents.upload_document(alice, "", Upload("a.md", "text/markdown", "markdown", iter([b"# Hi\n\nThere."])),
                                     SHARED)
    document_id = made["id"]
    write(alice, "Other", f"See /documents/{document_id}")
    work(alice)
    versions.save_draft(alice, document_id, "x", "y", 1)
    documents.delete_document(alice, document_id)
    work(alice)
    assert points(resources, alice, source_id=document_id) == []
    for name in ("documents", "document_versions", "drafts", "links"):
        field = "_id" if name == "documents" else "document_id"
        assert resources.database[name].count_documents({field: document_id}) == 0, name
    with pytest.raises(NotFound):
        alice.files.open(document_id)
    assert resources.database["files.chunks"].count_documents(
        {"files_id": f"{alice.actor.tenant_id}:{document_id}"}) == 0


def test_a_document_deleted_while_it_is_indexed_is_not_brought_back(alice: Context, resources: Resources, work: Work,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    document_id = write(alice, "Plan", "Text.")
    original = Index.bring_in

    def late(self: Index, *arguments: Any, **options: Any) -> int:
        if document_id in arguments[1]:
            documents.delete_document(alice, document_id)
        return original(self, *arguments, **options)

    monkeypatch.setattr(Index, "bring_in", late)
    work(alice)
    assert points(resources, alice, source_id=document_id) == []


def test_messages_are_found_as_they_are_now_and_not_at_all_once_deleted(alice: Context, general: str,
                                                                        resources: Resources, work: Work) -> None:
    first = chat.post_message(alice, general, "The kitchen is closed on Monday", None, None)[0]
    second = chat.post_message(alice, general, "Lunch is at noon", None, None)[0]
    assert work(alice).count("index_channel done") == 1
    assert {point["source_id"] for point in points(resources, alice, kind="message")} == {first["id"], second["id"]}
    chat.edit_message(alice, first["id"], "The kitchen is closed on Tuesday, see /documents/" + "a" * 24)
    chat.delete_message(alice, second["id"])
    work(alice)
    [point] = points(resources, alice, kind="message")
    assert point["source_id"] == first["id"]
    assert point["end"] > 60
    assert resources.database["links"].count_documents({"source_id": first["id"], "document_id": "a" * 24}) == 1


def test_a_channel_with_more_messages_than_one_run_takes_is_indexed_wholly(
        alice: Context, general: str, resources: Resources, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "MESSAGES_A_RUN", 4)
    for number in range(10):
        chat.post_message(alice, general, f"Message number {number}", None, None)
    work(alice)
    assert len(points(resources, alice, kind="message")) == 10


def test_a_worker_that_dies_as_its_job_commits_leaves_the_channel_open(
        alice: Context, general: str, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was committing then stays locked until its lease is over; a channel may not be among that."""
    original, meanwhile = Run.finish, list[str]()

    def finish(run: Run, effect: Callable[[Unit], Any]) -> None:
        def within(unit: Unit) -> Any:
            result = effect(unit)
            if not meanwhile:
                meanwhile.append(chat.post_message(alice, general, "meanwhile", None, None)[0]["id"])
            return result

        original(run, within)

    monkeypatch.setattr(Run, "finish", finish)
    document_id = write(alice, "Plan", "Text.")
    work(alice)
    meanwhile.clear()
    chat.post_message(alice, general, f"See /documents/{document_id}", None, None)
    assert "index_channel done" in work(alice)
    assert len(meanwhile) == 1


def test_a_run_that_dies_before_its_end_loses_no_message_and_no_link(
        alice: Context, general: str, platform: Platform, resources: Resources, work: Work,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "MESSAGES_A_RUN", 4)
    for number in range(10):
        chat.post_message(alice, general, f"Message number {number}, see /documents/" + "b" * 24, None, None)

    class Dying:
        """The run of a worker that loses its power before it records the end."""

        tenant_id, actor_id = alice.actor.tenant_id, ASSISTANT

        def check(self) -> None:
            pass

        def finish(self, effect: Any) -> None:
            raise Superseded

    with pytest.raises(Superseded):
        indexer.index_channel(platform, {"channel_id": general}, Dying())  # type: ignore[arg-type]
    work(alice)
    assert len(points(resources, alice, kind="message")) == 10
    assert resources.database["links"].count_documents({"document_id": "b" * 24, "channel_id": general}) == 10


def test_an_organization_that_is_deleted_leaves_nothing_anywhere(alice: Context, bob: Context, carol: Context,
                                                                 platform: Platform, runner: Runner, general: str,
                                                                 resources: Resources, work: Work) -> None:
    write(carol, "Theirs", "Stays.")
    upload = Upload("a.md", "text/markdown", "markdown", iter([b"Hello there."]))
    documents.upload_document(bob, "", upload, Place(Visibility.PRIVATE))
    chat.post_message(bob, general, "Something was said", None, None)
    work(alice)
    work(carol)
    tenant_id = alice.actor.tenant_id
    assert {"documents", "passages", "files.chunks", "users"} <= set(organizations.count_traces(platform, tenant_id))
    theirs = organizations.count_traces(platform, carol.actor.tenant_id)
    organizations.close_organization(platform, tenant_id)
    job = resources.database["jobs"].find_one({"kind": Job.PURGE_TENANT.kind, "payload.tenant_id": tenant_id,
                                               "status": "queued"}, sort=[("due_at", 1)])
    assert job is not None
    assert runner.run(job["_id"]) == "done"
    assert organizations.count_traces(platform, tenant_id) == {}
    assert organizations.count_traces(platform, carol.actor.tenant_id) == theirs
    with pytest.raises(NotFound):
        organizations.close_organization(platform, tenant_id)


def test_an_organization_that_was_not_closed_is_not_erased(alice: Context, platform: Platform) -> None:
    before = organizations.count_traces(platform, alice.actor.tenant_id)
    organizations.erase(platform, alice.actor.tenant_id)
    assert organizations.count_traces(platform, alice.actor.tenant_id) == before
