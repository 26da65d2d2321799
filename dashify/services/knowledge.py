"""Who may read and change which document: the one place that knows, for documents, search and the assistant alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dashify.context import Context, Platform
from dashify.domain import names
from dashify.domain.accounts import Role
from dashify.domain.knowledge import (
    ORGANIZATION,
    Visibility,
    channel_readers,
    reader_of_channel,
    reader_of_user,
    readers_of,
)
from dashify.domain.names import is_id
from dashify.errors import Forbidden, NotAllowedNow, NotFound
from dashify.services import views
from dashify.services.channels import access_channel
from dashify.stores.store import Store

Json = dict[str, Any]
Row = dict[str, Any]
_BATCH = 200


def principals_of(ctx: Context) -> frozenset[str]:
    """Give whom I count as among a thing's readers: I may read what names one of these."""
    everybody = {ORGANIZATION} if ctx.actor.may("channel.browse") else set()
    return frozenset({reader_of_user(ctx.actor.user_id), *everybody, *map(reader_of_channel, ctx.actor.joined)})


def shared_principals(ctx: Context, channel_id: str) -> frozenset[str]:
    """Give the principals that everybody in a channel shares, for what is said there with all of them listening.

    That is the channel itself and, while no guest is in it, the organization; what some but not all of them may read
    is left out.

    Raises:
        NotFound: the channel is not for me.
    """
    access_channel(ctx, channel_id)
    return shared_in(ctx.store, channel_id)


def shared_in(store: Store, channel_id: str) -> frozenset[str]:
    """Give the principals that everybody in a channel shares; see `shared_principals`."""
    inside = {reader_of_channel(channel_id)}
    return frozenset(inside if _has_guest(store, channel_id) else inside | {ORGANIZATION})


def readable(ctx: Context, row: Row) -> bool:
    """Tell whether I may read a document."""
    return not principals_of(ctx).isdisjoint(row["readers"])


def access_document(ctx: Context, document_id: str) -> Row:
    """Give a document's row if I may read it.

    Raises:
        NotFound: there is no such document, or it is not for me; one cannot tell which.
    """
    row = ctx.store.documents.get(document_id) if is_id(document_id) else None
    if row is None or not readable(ctx, row):
        raise NotFound("There is no such document.")
    return row


def editable(ctx: Context, row: Row) -> bool:
    """Tell whether I may change the text of a document that I may read: everybody who reads it, but guests."""
    return ctx.actor.may("document.write")


def manageable(ctx: Context, row: Row) -> bool:
    """Tell whether I may delete a document that I may read, or change who reads it: its author, or an admin."""
    return ctx.actor.may("document.write") and (
        row["author_id"] == ctx.actor.user_id or ctx.actor.may("document.manage"))


def ensure_editable(ctx: Context, row: Row) -> None:
    """Raise `Forbidden` unless I may change the text."""
    if not editable(ctx, row):
        raise Forbidden("Guests cannot change documents.")


def ensure_manageable(ctx: Context, row: Row) -> None:
    """Raise `Forbidden` unless I may delete the document or change who reads it."""
    if not manageable(ctx, row):
        raise Forbidden("Only its author or an admin can do this with a document.")


def choose_readers(ctx: Context, visibility: Visibility, channel_id: str | None, author_id: str) -> Row:
    """Give the fields that say who reads a document: `visibility channel_id readers`.

    Raises:
        NotAllowedNow: `document_channel`; a group is the people of a channel, so one has to be named.
        NotFound: the channel is not for me.
    """
    if visibility is not Visibility.GROUP:
        return {"visibility": visibility.value, "channel_id": None, "readers": readers_of(visibility, author_id, None)}
    if channel_id is None:
        raise NotAllowedNow("Please name the channel whose people may read this.", code="document_channel")
    channel = access_channel(ctx, channel_id)
    return {"visibility": visibility.value, "channel_id": channel["_id"],
            "readers": readers_of(visibility, author_id, channel)}


def message_readers(channel: Row) -> list[str]:
    """Give who may read a channel's messages."""
    return channel_readers(channel["_id"], channel["private"])


def announce_document(reach: Context | Platform, tenant_id: str, row: Row, lost: Iterable[str] = ()) -> None:
    """Tell those who may read a document that it changed, and the readers that it has `lost` that it is gone.

    What is said fits everybody, so it leaves out what depends on who looks.
    """
    shown = views.document(row)
    rooms = {_room(tenant_id, reader) for reader in row["readers"]}
    for room in {_room(tenant_id, reader) for reader in lost} - rooms:
        reach.publisher.emit(room, "document:changed", {"document_id": row["_id"], "document": None})
    for room in rooms if row["deleted_at"] is None else ():
        reach.publisher.emit(room, "document:changed", {"document_id": row["_id"], "document": shown})


def _room(tenant_id: str, reader: str) -> str:
    kind, _, about = reader.partition(":")
    if kind == "user":
        return names.user_room(tenant_id, about)
    return names.channel_room(tenant_id, about) if kind == "channel" else names.browsers_room(tenant_id)


def _has_guest(store: Store, channel_id: str) -> bool:
    after: str | None = None
    while rows := store.memberships.list_of_channel(channel_id, after=after, limit=_BATCH):
        after = rows[-1]["user_id"]
        if any(role == Role.GUEST.value
               for _, role in store.people.list_active_roles(row["user_id"] for row in rows)):
            return True
    return False
