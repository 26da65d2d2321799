"""What leaves the house: rows turned into the shapes of the API, the same for HTTP, sockets and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dashify.domain.accounts import Actor
from dashify.domain.notifications import snippet

Row = Mapping[str, Any]
Json = dict[str, Any]


def moment(value: datetime | None) -> str | None:
    """Write a time as `2026-01-02T03:04:05.678Z`."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(row: Row) -> Json:
    """Show a message."""
    return {
        "id": row["_id"], "channel_id": row["channel_id"], "seq": row["seq"], "changed_seq": row["changed_seq"],
        "author_id": row["author_id"], "text": row["text"], "client_id": row["client_id"],
        "thread_id": row["thread_id"], "reactions": row["reactions"], "created_at": moment(row["created_at"]),
        "edited_at": moment(row["edited_at"]), "deleted_at": moment(row["deleted_at"]),
    }


def channel_base(row: Row) -> Json:
    """Show what a channel is for everybody who sees it alike."""
    return {"id": row["_id"], "name": row["name"], "private": row["private"], "default": row["default"],
            "created_by": row["created_by"], "created_at": moment(row["created_at"]), "head": row["head"]}


def channel(row: Row, *, membership: Row | None, unread: tuple[int, int] = (0, 0)) -> Json:
    """Show a channel as one person sees it; `unread` is `(messages, mentions)`."""
    return {**channel_base(row), "joined": membership is not None,
            "read_seq": membership["read_seq"] if membership else 0, "unread": unread[0], "mentions": unread[1]}


def me(actor: Actor) -> Json:
    """Show somebody to themselves, with their organization."""
    return {"id": actor.user_id, "name": actor.name, "email": actor.email, "role": actor.role.value,
            "superadmin": actor.superadmin, "organization": {"id": actor.tenant_id, "name": actor.organization},
            "time_zone": actor.time_zone, "digest": actor.digest}


def person(row: Row) -> Json:
    """Show somebody to a colleague."""
    return {"id": row["_id"], "name": row["name"], "email": row["email"], "role": row["role"],
            "active": row["active"], "created_at": moment(row["created_at"])}


def membership(row: Row) -> Json:
    """Show who is in a channel."""
    return {"channel_id": row["channel_id"], "user_id": row["user_id"], "joined_at": moment(row["joined_at"])}


def invitation(row: Row) -> Json:
    """Show an invitation, without its token."""
    return {"id": row["_id"], "email": row["email"], "role": row["role"], "invited_by": row["invited_by"],
            "created_at": moment(row["created_at"]), "expires_at": moment(row["expires_at"])}


def session(row: Row, current_id: str | None) -> Json:
    """Show one of a person's own sessions; `current` is the one that asks."""
    return {"id": row["_id"], "device": row["device"], "address": row["address"],
            "created_at": moment(row["created_at"]), "seen_at": moment(row["seen_at"]),
            "current": row["_id"] == current_id}


def notification(row: Row, *, channel: Row, message: Row, author_name: str) -> Json:
    """Show a notification to its reader, who may see `channel` and so `message`."""
    return {"id": row["_id"], "kind": row["kind"], "channel_id": row["channel_id"], "channel_name": channel["name"],
            "message_id": row["message_id"], "thread_id": row["thread_id"], "seq": row["seq"],
            "author_id": row["author_id"], "author_name": author_name, "snippet": snippet(message["text"]),
            "created_at": moment(row["created_at"]), "read_at": moment(row["read_at"])}


def audit_entry(row: Row, called: Mapping[str, str]) -> Json:
    """Show an entry of the audit log; `called` is `{actor, subject}`, by name."""
    return {"id": row["_id"], "action": row["action"], "actor_id": row["actor_id"], "actor_name": called["actor"],
            "subject": {**row["subject"], "name": called["subject"]}, "details": row["details"],
            "address": row["address"], "created_at": moment(row["created_at"]), "seal": row["seal"]}


def document(row: Row) -> Json:
    """Show a document to whoever may read it, without its text."""
    source = row["source"]
    return {
        "id": row["_id"], "title": row["title"], "version": row["version"], "visibility": row["visibility"],
        "channel_id": row["channel_id"], "folder_id": row["folder_id"], "status": row["status"], "error": row["error"],
        "author_id": row["author_id"], "updated_by": row["updated_by"], "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]), "characters": row["characters"],
        "source": source and {name: source[name] for name in ("name", "content_type", "bytes")}}


def draft(row: Row) -> Json:
    """Show somebody what they are writing."""
    return {"title": row["title"], "text": row["text"], "base_version": row["base_version"],
            "saved_at": moment(row["saved_at"])}


def version(row: Row) -> Json:
    """Show a version, with its text where that was read."""
    shown = {"version": row["version"], "title": row["title"], "characters": row["characters"],
             "author_id": row["author_id"], "created_at": moment(row["created_at"])}
    return {**shown, "text": row["text"]} if "text" in row else shown


def folder(row: Row) -> Json:
    """Show a folder."""
    return {"id": row["_id"], "name": row["name"], "parent_id": row["parent_id"]}


def page(key: str, rows: Sequence[Json], limit: int, cursor: str = "id") -> Json:
    """Cut a page out of `rows`, which were asked for with `limit + 1`; `next` is the cursor of the page after it."""
    shown = list(rows[:limit])
    return {key: shown, "next": shown[-1][cursor] if len(rows) > limit and shown else None}
