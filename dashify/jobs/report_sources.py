"""What the rows of each report are. A source reads a batch at a time and ends where its subject ended at the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from dashify.context import Context
from dashify.domain.reports import Cell, Column, stored_text
from dashify.errors import NotFound
from dashify.services.audit import names_now

BATCH = 500
Document = Mapping[str, Any]
Batch = tuple[list[list[Cell]], float]
"""Rows, and how far the source is with them, from 0 to 1."""


class Source(Protocol):
    """A report's rows; `name` is what its file is called by, `title` stands above it."""

    name: str
    title: str

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, in the order of the cells of a row."""

    def batches(self) -> Iterator[Batch]:
        """Give the rows in order."""


class ChannelRows:
    """A channel's messages, replies among them, up to the head that it had at the start."""

    columns = (Column("time", 11), Column("author", 12), Column("email"), Column("text", 50), Column("thread"),
               Column("reactions", 8), Column("edited", 11), Column("deleted", 11))

    def __init__(self, ctx: Context, channel: Document) -> None:
        self.name = channel["name"]
        self.title = f"Messages of #{channel['name']}"
        self._messages = ctx.store.messages
        self._channel_id = channel["_id"]
        self._head = channel["head"]
        self._people = _People(ctx)

    def batches(self) -> Iterator[Batch]:
        """Give the messages by place."""
        place = 0
        while batch := [row for row in self._messages.list_after(self._channel_id, place, BATCH)
                        if row["seq"] <= self._head]:
            place = batch[-1]["seq"]
            yield [self._cells(row) for row in batch], place / self._head

    def _cells(self, row: Document) -> list[Cell]:
        reactions = " ".join(f"{emoji} {len(users)}" for emoji, users in row["reactions"].items())
        return [row["created_at"], *self._people.find(row["author_id"]), row["text"], row["thread_id"], reactions,
                row["edited_at"], row["deleted_at"]]


class MemberRows:
    """Everybody of an organization, those without access too."""

    columns = (Column("name", 22), Column("email", 28), Column("role", 9), Column("active", 7), Column("joined", 15),
               Column("last seen", 15))
    name = "members"
    title = "Members"

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.store

    def batches(self) -> Iterator[Batch]:
        """Give the people in the order in which they joined."""
        total = max(1, self._store.people.count_people())
        done, after = 0, None
        while people := self._store.people.list_people(after=after, limit=BATCH):
            seen = self._store.sessions.last_seen([row["_id"] for row in people])
            done, after = done + len(people), people[-1]["_id"]
            yield [[row["name"], row["email"], row["role"], row["active"], row["created_at"], seen.get(row["_id"])]
                   for row in people], done / total


class AuditRows:
    """The audit log, up to the moment at which the report began."""

    columns = (Column("number", 6), Column("time", 13), Column("action", 17), Column("actor", 15), Column("actor id"),
               Column("subject kind"), Column("subject", 17), Column("subject id"), Column("details", 23),
               Column("address", 14), Column("seal"))
    name = "audit-log"
    title = "Audit log"

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.store
        self._until = ctx.now

    def batches(self) -> Iterator[Batch]:
        """Give the entries oldest first; how far it is goes by their time, since nobody has counted them."""
        after, first = None, None
        while batch := [row for row in self._store.audit.list_after(after, BATCH) if row["created_at"] <= self._until]:
            after, last = batch[-1]["_id"], batch[-1]["created_at"]
            first = first or batch[0]["created_at"]
            done = (last - first) / max(self._until - first, last.resolution)
            yield [self._cells(row, names) for row, names in self._named(batch)], done

    def _named(self, batch: Sequence[Document]) -> Iterator[tuple[Document, Mapping[str, str]]]:
        # Names are kept with an entry when it is sealed, which is a moment after it was written.
        fresh = [row for row in batch if row["names"] is None]
        live = dict(zip((row["_id"] for row in fresh), names_now(self._store, fresh), strict=True))
        return ((row, row["names"] or live[row["_id"]]) for row in batch)

    @staticmethod
    def _cells(row: Document, names: Mapping[str, str]) -> list[Cell]:
        subject = row["subject"]
        details = ", ".join(f"{name}: {stored_text(value)}" for name, value in row["details"].items())
        return [row["number"], row["created_at"], row["action"], names["actor"] or row["actor_id"], row["actor_id"],
                subject["kind"], names["subject"] or f"{subject['kind']} {subject['id']}", subject["id"], details,
                row["address"], row["seal"]]


class _People:
    """Names and addresses by id, each looked up once."""

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.store
        self._known: dict[str, tuple[str, str]] = {}

    def find(self, user_id: str) -> tuple[str, str]:
        """Give somebody's name and address, empty where nobody has this id."""
        if user_id not in self._known:
            try:
                row = self._store.people.get(user_id)
                self._known[user_id] = (row["name"], row["email"])
            except NotFound:
                self._known[user_id] = ("", "")
        return self._known[user_id]
