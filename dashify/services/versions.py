"""What a document was before, and what somebody is about to make of it: versions and drafts, and links to it."""

from __future__ import annotations

from typing import Any

from dashify.context import Context
from dashify.domain.notifications import snippet
from dashify.services import views
from dashify.services.documents import change_document
from dashify.services.knowledge import access_document, ensure_editable, readable

Json = dict[str, Any]
MOST_LINKS = 100


def list_versions(ctx: Context, document_id: str, before: int | None, limit: int) -> Json:
    """List a document's versions, latest first, without their texts."""
    access_document(ctx, document_id)
    rows = ctx.store.versions.list_of(document_id, before=before, limit=limit + 1)
    page = views.page("versions", [views.version(row) for row in rows], limit, "version")
    return {**page, "next": None if page["next"] is None else str(page["next"])}


def get_version(ctx: Context, document_id: str, version: int) -> Json:
    """Give one version of a document with its text.

    Raises:
        NotFound: the document is not for me, or never had this version.
    """
    access_document(ctx, document_id)
    return views.version(ctx.store.versions.get(document_id, version))


def restore_version(ctx: Context, document_id: str, version: int) -> Json:
    """Make a version's title and text the latest again, as a new version."""
    ensure_editable(ctx, access_document(ctx, document_id))
    old = ctx.store.versions.get(document_id, version)
    return change_document(ctx, document_id, {"title": old["title"], "text": old["text"]}, None)


def save_draft(ctx: Context, document_id: str, title: str, text: str, base_version: int) -> Json:
    """Keep what I am writing; nobody else sees it, and it is gone with my next version, or after 90 days."""
    ensure_editable(ctx, access_document(ctx, document_id))
    fields = {"title": title, "text": text, "base_version": base_version, "saved_at": ctx.now}
    ctx.store.drafts.save(document_id, ctx.actor.user_id, fields)
    return views.draft(fields)


def discard_draft(ctx: Context, document_id: str) -> None:
    """Forget what I was writing."""
    access_document(ctx, document_id)
    ctx.store.drafts.remove(document_id, ctx.actor.user_id)


def list_links(ctx: Context, document_id: str) -> Json:
    """List the messages and documents that link to a document, latest first, of those that I may read, 100 each."""
    access_document(ctx, document_id)
    links = ctx.store.links
    documents = ctx.store.documents.list_some([
        row["source_id"] for row in links.list_to(document_id, "document", MOST_LINKS)])
    return {"documents": [{"id": row["_id"], "title": row["title"]} for row in documents if readable(ctx, row)],
            "messages": _linking_messages(ctx, links.list_to(document_id, "message", MOST_LINKS))}


def _linking_messages(ctx: Context, links: list[Json]) -> list[Json]:
    channels = {row["_id"]: row for row in ctx.store.channels.list_some({link["channel_id"] for link in links})
                if ctx.actor.sees(row["_id"], row["private"])}
    rows = {row["_id"]: row for row in ctx.store.messages.list_standing({link["source_id"] for link in links})}
    found = [rows[link["source_id"]] for link in links if link["source_id"] in rows]
    return [{"id": row["_id"], "channel_id": row["channel_id"], "channel_name": channels[row["channel_id"]]["name"],
             "seq": row["seq"], "author_id": row["author_id"], "text": snippet(row["text"]),
             "created_at": views.moment(row["created_at"])}
            for row in found if row["channel_id"] in channels]
