"""Documents: writing, uploading, reading, sharing, and deleting with every trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashify.context import Context
from dashify.domain.audit import Action
from dashify.domain.jobs import Job
from dashify.domain.knowledge import (
    ORGANIZATION,
    DocumentStatus,
    Visibility,
    indexing_key,
    linked_documents,
    order_key,
)
from dashify.domain.names import is_id, new_id
from dashify.errors import Conflict, Forbidden, NotFound
from dashify.services import views
from dashify.services.knowledge import (
    access_document,
    announce_document,
    choose_readers,
    editable,
    ensure_editable,
    ensure_manageable,
    manageable,
    principals_of,
)
from dashify.stores.files import StoredFile
from dashify.units import Unit

Json = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new document is put: who reads it, and in which folder."""

    visibility: Visibility = Visibility.PRIVATE
    channel_id: str | None = None
    folder_id: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sends: its name, its type by what it is, and its bytes in pieces."""

    name: str
    content_type: str
    kind: str
    chunks: Iterable[bytes]


def list_documents(ctx: Context, cursor: str | None, limit: int, *, folder_id: str | None, title: str,
                   mine: bool) -> Json:
    """List what I may read, latest change first: of one folder, or from everywhere with `folder_id` None."""
    rows = ctx.store.documents.list_readable(
        principals_of(ctx), before=cursor, limit=limit + 1, folder_id=folder_id, anywhere=folder_id is None,
        title=title, author_id=ctx.actor.user_id if mine else None)
    return {"documents": [views.document(row) for row in rows[:limit]],
            "next": rows[limit - 1]["order"] if len(rows) > limit else None}


def get_document(ctx: Context, document_id: str) -> Json:
    """Give one document with its text, and what I have written of it and not saved."""
    return show(ctx, access_document(ctx, document_id))


def show(ctx: Context, row: Row) -> Json:
    """Show a document that I may read to me, with its text and my draft."""
    text = ctx.store.versions.get(row["_id"], row["version"])["text"] if row["version"] else ""
    draft = ctx.store.drafts.find(row["_id"], ctx.actor.user_id)
    return {**views.document(row), "text": text, "editable": editable(ctx, row), "manageable": manageable(ctx, row),
            "draft": views.draft(draft) if draft else None}


def create_document(ctx: Context, title: str, text: str, place: Place) -> Json:
    """Write a new document.

    Raises:
        Forbidden: guests write no documents.
        NotFound: the channel or the folder is not there for me.
        NotAllowedNow: `document_channel`; a group needs a channel.
    """
    document_id, fields = new_id(), _new_fields(ctx, title, place)

    def work(unit: Unit) -> Row:
        row = _add(unit, document_id, {**fields, "version": 1, "characters": len(text), "source": None})
        add_version(unit, row, text, ctx.actor.user_id)
        ask_for_indexing(unit, row)
        return row

    row = ctx.unit(work)
    announce_document(ctx, ctx.actor.tenant_id, row)
    return show(ctx, row)


def upload_document(ctx: Context, title: str, upload: Upload, place: Place) -> Json:
    """Keep a file and have it read in the background: the document's status tells how that goes.

    Raises:
        As `create_document`.
    """
    document_id, fields = new_id(), _new_fields(ctx, title or upload.name, place)
    ctx.limits.take(("upload", ctx.actor.user_id, ctx.settings.limits.uploads_per_hour, 3600))
    counted = _Counted(upload.chunks)
    file_id = ctx.files.put(upload.name, upload.content_type, counted.pieces(), file_id=document_id)
    source = {"file_id": file_id, "name": upload.name, "content_type": upload.content_type, "kind": upload.kind,
              "bytes": counted.bytes, "titled": bool(title)}

    def work(unit: Unit) -> Row:
        row = _add(unit, document_id, {**fields, "version": 0, "characters": 0, "source": source})
        reading_job(unit, document_id)
        return row

    try:
        row = ctx.unit(work)
    except Exception:
        ctx.files.delete(file_id)
        raise
    announce_document(ctx, ctx.actor.tenant_id, row)
    return show(ctx, row)


def change_document(ctx: Context, document_id: str, change: Mapping[str, Any], base: int | None) -> Json:
    """Change what `change` holds out of `title text visibility channel_id folder_id`; `base` is the version that the
    text was edited from, None for whichever is there. What changes nothing makes no version.

    Raises:
        NotFound: the document, the channel or the folder is not there for me.
        Forbidden: I may not change this of it.
        Conflict: `version_conflict`; somebody has saved another version meanwhile.
        NotAllowedNow: `document_channel`.
    """
    before = access_document(ctx, document_id)
    ensure_editable(ctx, before)
    readers: Row = {}
    if "visibility" in change or "channel_id" in change:
        visibility = Visibility(change.get("visibility", before["visibility"]))
        readers = choose_readers(ctx, visibility, change.get("channel_id", before["channel_id"]), before["author_id"])
    if any(before[name] != value for name, value in readers.items()):
        ensure_manageable(ctx, before)
    if change.get("folder_id"):
        ctx.store.folders.get(change["folder_id"])
    row, lost = ctx.unit(lambda unit: _change(unit, ctx, document_id, {**change, **readers}, base))
    announce_document(ctx, ctx.actor.tenant_id, row, lost)
    return show(ctx, row)


def delete_document(ctx: Context, document_id: str) -> None:
    """Delete a document: nobody finds it from now on, and a job removes its every trace."""
    row = access_document(ctx, document_id)
    ensure_manageable(ctx, row)

    def work(unit: Unit) -> None:
        if unit.store.documents.bury(document_id, now=unit.now):
            unit.jobs.add(Job.PURGE_DOCUMENT, {"document_id": document_id}, front=True,
                          unique_key=f"purge-{document_id}")
            unit.audit.record(Action.DOCUMENT_DELETED, subject=("document", document_id), details=audited(row))

    ctx.unit(work)
    announce_document(ctx, ctx.actor.tenant_id, {**row, "readers": []}, lost=row["readers"])


def open_original(ctx: Context, document_id: str) -> StoredFile:
    """Open the file that a document was uploaded as.

    Raises:
        NotFound: it is not for me, or was written here.
    """
    row = access_document(ctx, document_id)
    if row["source"] is None:
        raise NotFound("This document was written here; there is no file of it.")
    return ctx.files.open(row["source"]["file_id"])


def add_version(unit: Unit, row: Row, text: str, author_id: str) -> None:
    """Keep a document's text as the version that its row names, and what it links to."""
    unit.store.versions.add(row["_id"], row["version"], {
        "title": row["title"], "text": text, "characters": len(text), "author_id": author_id, "created_at": unit.now})
    unit.store.links.replace("document", row["_id"], row["channel_id"],
                             [one for one in linked_documents(text) if one != row["_id"]])


def ask_for_indexing(unit: Unit, row: Row) -> None:
    """Ask for a revision to be indexed, before all that is only reconciled."""
    unit.jobs.add(Job.INDEX_DOCUMENT, {"document_id": row["_id"], "revision": row["revision"], "part": 0}, front=True,
                  unique_key=indexing_key(row["_id"], row["revision"]))


def reading_job(unit: Unit, document_id: str, again: str = "") -> None:
    """Ask for an uploaded file to be read; `again` tells a repeated wish from the first one."""
    unit.jobs.add(Job.READ_UPLOAD, {"document_id": document_id}, front=True, unique_key=f"read-{document_id}{again}")


def audited(row: Row) -> dict[str, Any]:
    """Give what the audit log may say of a document: the title only where everybody but guests may read it."""
    shown = {"title": row["title"]} if ORGANIZATION in row["readers"] else {}
    return {"visibility": row["visibility"], **shown}


def _new_fields(ctx: Context, title: str, place: Place) -> Row:
    if not ctx.actor.may("document.write"):
        raise Forbidden("Guests cannot write documents.")
    if place.folder_id is not None:
        if not is_id(place.folder_id):
            raise NotFound("There is no such folder.")
        ctx.store.folders.get(place.folder_id)
    return {**choose_readers(ctx, place.visibility, place.channel_id, ctx.actor.user_id), "title": title,
            "title_key": title.casefold(), "author_id": ctx.actor.user_id, "updated_by": ctx.actor.user_id,
            "folder_id": place.folder_id}


def _add(unit: Unit, document_id: str, fields: Row) -> Row:
    row = {**fields, "revision": 1, "status": DocumentStatus.QUEUED.value, "error": None, "passages": 0,
           "created_at": unit.now, "updated_at": unit.now, "order": order_key(unit.now, document_id)}
    unit.store.documents.add(document_id, row)
    unit.audit.record(Action.DOCUMENT_CREATED, subject=("document", document_id), details=audited(row))
    return {"_id": document_id, "deleted_at": None, **row}


def _change(unit: Unit, ctx: Context, document_id: str, change: Mapping[str, Any],
            base: int | None) -> tuple[Row, list[str]]:
    """Write what differs; give the document then, and the readers that it has lost."""
    row = unit.store.documents.get(document_id)
    if base is not None and base != row["version"]:
        raise Conflict("Somebody has saved another version of this document meanwhile.", code="version_conflict",
                       details=[{"field": "version", "problem": "is not the latest", "current": row["version"]}])
    fields: Row = {name: value for name, value in change.items() if name != "text" and row[name] != value}
    old_text = unit.store.versions.get(document_id, row["version"])["text"] if row["version"] else ""
    rewritten = "title" in fields or ("text" in change and change["text"] != old_text)
    if not fields and not rewritten:
        return row, []
    text = change.get("text", old_text)
    title = str(fields.get("title", row["title"]))
    fields |= {"updated_at": unit.now, "updated_by": ctx.actor.user_id, "order": order_key(unit.now, document_id),
               "title_key": title.casefold()}
    if rewritten:
        fields |= {"version": row["version"] + 1, "characters": len(text)}
    if rewritten or "readers" in fields or "folder_id" in fields:
        fields |= {"revision": row["revision"] + 1, "status": DocumentStatus.QUEUED.value, "error": None}
    changed = {**row, **fields}
    unit.store.documents.change(document_id, row["revision"], fields)
    if rewritten:
        add_version(unit, changed, text, ctx.actor.user_id)
        unit.store.drafts.remove(document_id, ctx.actor.user_id)
    if changed["revision"] != row["revision"]:
        ask_for_indexing(unit, changed)
    lost = [one for one in row["readers"] if one not in changed["readers"]]
    if lost:
        unit.jobs.add(Job.REVIEW_ANSWERS, {"document_id": document_id}, front=True)
    if "readers" in fields:
        unit.audit.record(Action.DOCUMENT_SHARED, subject=("document", document_id), details=audited(changed))
    return changed, lost


class _Counted:
    """Pieces of bytes on their way, counted."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.bytes = 0

    def pieces(self) -> Iterable[bytes]:
        """Give the pieces."""
        for chunk in self._chunks:
            self.bytes += len(chunk)
            yield chunk
