"""Jobs that bring documents and messages into the index, and take them out of it again.

A large text is embedded a part at a time, each part a job of its own, so that small ones do not wait for all of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashify.context import Platform
from dashify.domain.files import FileKind, Unreadable
from dashify.domain.jobs import Job
from dashify.domain.knowledge import MAX_TITLE, DocumentStatus, indexing_key, linked_documents
from dashify.errors import DashifyError, Unavailable
from dashify.jobs.running import Run
from dashify.reading import Extract, read_file
from dashify.services.documents import add_version, ask_for_indexing
from dashify.services.forgetting import forget_document
from dashify.services.indexing import Index, document_passages, message_passages
from dashify.services.knowledge import announce_document
from dashify.services.organizations import erase
from dashify.units import Unit

EMBEDDED_A_RUN = 256
MESSAGES_A_RUN = 200
Row = dict[str, Any]


def read_upload(platform: Platform, payload: Row, run: Run) -> None:
    """Read an uploaded file and make its text the document's first version; a file that cannot be read says why."""
    store = platform.store_of(run.tenant_id)
    row = store.documents.find_any(payload["document_id"])
    if row is None or row["deleted_at"] is not None or row["version"] != 0:
        run.finish(lambda unit: None)
        return
    try:
        with _failing_aloud(platform, run, row):
            extract = _read(platform, run, row)
    except Unreadable as refusal:
        refused = {"refused": refusal.code}
        run.finish(lambda unit: refused)
        return
    run.finish(lambda unit: _keep_text(unit, row, extract))


def index_document(platform: Platform, payload: Row, run: Run) -> None:
    """Index one revision of a document, at most 256 new passages of it; the rest is the next job's."""
    store, index = platform.store_of(run.tenant_id), Index(platform, run.tenant_id)
    document_id, revision, part = payload["document_id"], payload["revision"], payload["part"]
    row = store.documents.find_any(document_id)
    if row is None or row["deleted_at"] is not None:
        index.remove([document_id])
        run.finish(lambda unit: None)
        return
    if row["revision"] != revision or row["version"] == 0:
        run.finish(lambda unit: None)  # the latest revision has a job of its own
        return
    with _failing_aloud(platform, run, row):
        _mark(platform, run, row, DocumentStatus.INDEXING)
        passages = document_passages(row, store.versions.get(document_id, row["version"])["text"])
        left = index.bring_in(passages, [document_id], revision, most=EMBEDDED_A_RUN, check=run.check)
    if left:
        following = {"document_id": document_id, "revision": revision, "part": part + 1}
        run.finish(lambda unit: {"left": left, "job_id": unit.jobs.add(
            Job.INDEX_DOCUMENT, following, unique_key=indexing_key(document_id, revision, part + 1))})
        return
    index.remove([document_id], below=revision)
    _remove_overtaken(platform, run, index, row)
    run.finish(lambda unit: _mark_ready(unit, row, len(passages)))
    announce_document(platform, run.tenant_id, store.documents.find_any(document_id) or row)


def index_channel(platform: Platform, payload: Row, run: Run) -> None:
    """Index what has changed in a channel since the last time, 200 messages at most; the rest is the next job's."""
    store, index = platform.store_of(run.tenant_id), Index(platform, run.tenant_id)
    channel_id = payload["channel_id"]
    channel = store.channels.begin_indexing(channel_id)
    rows = store.messages.list_changed(channel_id, channel.get("indexed_seq", 0), MESSAGES_A_RUN)
    if not rows:
        run.finish(lambda unit: None)
        return
    last = rows[-1]["changed_seq"]
    passages = [one for row in rows for one in message_passages(channel, row, last)]
    ids = [row["_id"] for row in rows]
    index.bring_in(passages, ids, last, most=len(passages), check=run.check)
    index.remove(ids, below=last)
    # One that was deleted meanwhile may have been taken out before it was brought in.
    index.remove(sorted(set(ids) - store.messages.find_standing(set(ids))))
    _keep_links(platform, run, channel_id, rows)
    # In no transaction: every message takes its number from this row, and a worker that lost its power with it locked
    # would leave the channel without new ones until its lease is over. If this run ends here, the next one goes on.
    store.channels.note_indexed(channel_id, last)

    def finish(unit: Unit) -> Row:
        if len(rows) == MESSAGES_A_RUN:
            unit.jobs.add(Job.INDEX_CHANNEL, {"channel_id": channel_id})
        return {"messages": len(rows)}

    run.finish(finish)


def purge_document(platform: Platform, payload: Row, run: Run) -> None:
    """Remove every trace of a deleted document: from the index and answers, its texts, drafts, links and file; then its
    tombstone.
    """
    store, document_id = platform.store_of(run.tenant_id), payload["document_id"]
    row = store.documents.find_any(document_id)
    if row is None or row["deleted_at"] is None:
        run.finish(lambda unit: None)
        return
    Index(platform, run.tenant_id).remove([document_id])
    forget_document(platform, run.tenant_id, document_id, run.check)
    if row["source"] is not None:
        platform.files_of(run.tenant_id).delete(row["source"]["file_id"])

    def finish(unit: Unit) -> Row:
        counts = {"versions": unit.store.versions.remove_all(document_id),
                  "drafts": unit.store.drafts.remove_all(document_id),
                  "links": unit.store.links.remove_all(document_id)}
        unit.store.documents.remove(document_id)
        return counts

    run.finish(finish)


def purge_tenant(platform: Platform, payload: Row, run: Run) -> None:
    """Remove every trace of an organization that was closed."""
    erase(platform, payload["tenant_id"])
    run.finish(lambda unit: None)


def _read(platform: Platform, run: Run, row: Row) -> Extract:
    """Read a document's file by way of a temporary copy, which the reading process opens."""
    source = row["source"]
    descriptor, name = tempfile.mkstemp(prefix="dashify-reading-")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as copy:
            for chunk in platform.files_of(run.tenant_id).open(source["file_id"]).chunks:
                copy.write(chunk)
        return read_file(path, FileKind(source["kind"]), check=run.check)
    finally:
        path.unlink(missing_ok=True)


def _keep_text(unit: Unit, row: Row, extract: Extract) -> Row:
    title = row["title"] if row["source"]["titled"] else (extract.title or row["title"])[:MAX_TITLE]
    fields = {"title": title, "title_key": title.casefold(), "version": 1, "characters": len(extract.text),
              "revision": row["revision"] + 1, "status": DocumentStatus.QUEUED.value, "error": None}
    if unit.store.documents.change(row["_id"], row["revision"], fields):
        changed = {**row, **fields}
        add_version(unit, changed, extract.text, row["author_id"])
        ask_for_indexing(unit, changed)
    return {"characters": len(extract.text)}


def _keep_links(platform: Platform, run: Run, channel_id: str, rows: list[Row]) -> None:
    """Note which documents messages link to, as they are now: a run that was overtaken must not bring back what was."""
    ids = [row["_id"] for row in rows if row["changed_seq"] != row["seq"] or "/documents/" in row["text"]]
    if not ids:
        return

    def work(unit: Unit) -> None:
        for row in unit.store.messages.list_by_ids(channel_id, ids):
            unit.store.links.replace("message", row["_id"], channel_id, linked_documents(row["text"]))

    platform.unit(run.tenant_id, run.actor_id, work)


def _mark_ready(unit: Unit, row: Row, passages: int) -> Row:
    unit.store.documents.mark(row["_id"], row["revision"], DocumentStatus.READY, passages=passages)
    return {"passages": passages}


def _mark(platform: Platform, run: Run, row: Row, status: DocumentStatus, error: dict[str, str] | None = None) -> None:
    documents = platform.store_of(run.tenant_id).documents
    changed = documents.mark(row["_id"], row["revision"], status, error=error)
    if changed is not None:
        announce_document(platform, run.tenant_id, changed)


def _remove_overtaken(platform: Platform, run: Run, index: Index, row: Row) -> None:
    """Take out what was brought in for a revision that is not the latest any more, or a document that is gone."""
    latest = platform.store_of(run.tenant_id).documents.find_any(row["_id"])
    if latest is None or latest["deleted_at"] is not None:
        index.remove([row["_id"]])
    elif latest["revision"] != row["revision"]:
        index.remove([row["_id"]], below=latest["revision"])


@contextmanager
def _failing_aloud(platform: Platform, run: Run, row: Row) -> Iterator[None]:
    """Have a document say why it is not in the index, where the job is not going to be tried again."""
    try:
        yield
    except DashifyError as error:
        if not isinstance(error, Unavailable) or run.last_try:
            _mark(platform, run, row, DocumentStatus.FAILED, {"code": error.code, "message": error.message})
        raise
