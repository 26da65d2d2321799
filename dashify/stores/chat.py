"""Channels, memberships and messages of one tenant. Every change of a message goes through `stores/lane.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pymongo.errors import BulkWriteError, DuplicateKeyError

from dashify.domain.chat import EVERYBODY
from dashify.errors import Conflict, NotFound
from dashify.stores.mongo import Document
from dashify.stores.tenant import TenantCollection

UNREAD_CAP = 1_000
# Places are numbers of changes, so that among so many there are usually enough messages; where not, it looks wider.
_PLACES_A_ROW, _WIDER = 4, 8
_DUPLICATE = 11000


class SentBefore(Exception):
    """A message that was to be written is there already, under the same author and `client_id`."""


class Channels:
    """Channels: `_id name name_key private default head floor created_by created_at`; `head`: its last number."""

    def __init__(self, channels: TenantCollection) -> None:
        self._channels = channels

    def get(self, channel_id: str) -> Document:
        """Give one channel, or raise `NotFound`."""
        return self._channels.one({"_id": channel_id})

    def list_visible(self, *, private_ids: Iterable[str], public_ids: Iterable[str] | None,
                     after: str | None = None, limit: int = 0) -> list[Document]:
        """List the private channels among `private_ids` and the public ones (`public_ids` None: all of them), by id."""
        public: Document = {"private": False}
        if public_ids is not None:
            public["_id"] = {"$in": sorted(public_ids)}
        where: Document = {"$or": [public, {"private": True, "_id": {"$in": sorted(private_ids)}}]}
        if after:
            where = {"$and": [where, {"_id": {"$gt": after}}]}
        return self._channels.find(where, sort=[("_id", 1)], limit=limit)

    def list_some(self, channel_ids: Iterable[str]) -> list[Document]:
        """List those of `channel_ids` that exist."""
        return self._channels.find({"_id": {"$in": sorted(channel_ids)}})

    def list_all(self, *, after: str | None, limit: int) -> list[Document]:
        """List every channel, private ones too, by id, those after `after`."""
        return self._channels.find({} if after is None else {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=limit)

    def list_default(self) -> list[Document]:
        """List the channels that everybody joins when they join the organization."""
        return self._channels.find({"default": True, "private": False}, limit=20)

    def list_heads(self, channel_ids: Iterable[str]) -> dict[str, int]:
        """Give `{channel_id: head}` of those of `channel_ids` that exist."""
        rows = self._channels.find({"_id": {"$in": sorted(channel_ids)}}, fields=["head"])
        return {row["_id"]: row["head"] for row in rows}

    def public_names_of(self, channel_ids: Iterable[str]) -> dict[str, str]:
        """Give `{id: name}` of those of `channel_ids` that exist and are public."""
        rows = self._channels.find({"_id": {"$in": sorted(channel_ids)}, "private": False}, fields=["name"])
        return {row["_id"]: row["name"] for row in rows}

    def add(self, channel_id: str, fields: Document) -> None:
        """Add a channel, its counter at 0.

        Raises:
            Conflict: `name_taken`.
        """
        try:
            self._channels.insert({"_id": channel_id, "head": 0, "floor": 0, **fields})
        except DuplicateKeyError as error:
            raise _name_taken() from error

    def change(self, channel_id: str, fields: Document) -> Document:
        """Set `fields` and give the channel's new state.

        Raises:
            NotFound: there is no such channel.
            Conflict: `name_taken`.
        """
        try:
            changed = self._channels.change({"_id": channel_id}, {"$set": fields})
        except DuplicateKeyError as error:
            raise _name_taken() from error
        if changed is None:
            raise NotFound("There is no such channel.")
        return changed

    def take_numbers(self, channel_id: str, head: int, count: int) -> bool:
        """Move the head from `head` by `count`; tell whether it still stood there. Only in the lane's transaction.

        With it comes the note that there is something to index: whoever finds none there yet asks for the job.
        """
        return self._channels.update({"_id": channel_id, "head": head}, _numbers(count)) == 1

    def take_ahead(self, channel_id: str, count: int) -> Document:
        """Move the head by `count`, whatever it is, and give the channel as it was. Only in the lane's transaction.

        Raises:
            NotFound: there is no such channel.
        """
        return self._changed(channel_id, _numbers(count), before=True)

    def begin_indexing(self, channel_id: str) -> Document:
        """Take the note that there is something to index away, and give the channel as it is after that."""
        return self._changed(channel_id, {"$set": {"index_asked": False}})

    def note_indexed(self, channel_id: str, seq: int) -> None:
        """Note up to which change number a channel is indexed; never back."""
        self._channels.update({"_id": channel_id, "$or": [{"indexed_seq": {"$lt": seq}}, {"indexed_seq": None}]},
                              {"$set": {"indexed_seq": seq}})

    def _changed(self, channel_id: str, change: Document, *, before: bool = False) -> Document:
        found = self._channels.change({"_id": channel_id}, change, before=before)
        if found is None:
            raise NotFound("There is no such thing here.")
        return found


class Memberships:
    """Who joined which channel, and how far they have read: `channel_id user_id private read_seq joined_at`."""

    def __init__(self, memberships: TenantCollection) -> None:
        self._memberships = memberships

    def list_of_channel(self, channel_id: str, *, after: str | None = None, limit: int = 200) -> list[Document]:
        """List a channel's memberships by user id."""
        where: Document = {"channel_id": channel_id}
        if after:
            where["user_id"] = {"$gt": after}
        return self._memberships.find(where, sort=[("user_id", 1)], limit=limit)

    def list_of_user(self, user_id: str) -> list[Document]:
        """List a person's memberships."""
        return self._memberships.find({"user_id": user_id})

    def find_joined(self, channel_id: str, user_ids: Iterable[str], *, read_to: int = 0) -> set[str]:
        """Give those of `user_ids` who joined a channel and have read it up to the place `read_to`."""
        where = {"channel_id": channel_id, "user_id": {"$in": sorted(user_ids)}, "read_seq": {"$gte": read_to}}
        return {row["user_id"] for row in self._memberships.find(where, fields=["user_id"])}

    def get(self, channel_id: str, user_id: str) -> Document:
        """Give one membership, or raise `NotFound`."""
        return self._memberships.one({"channel_id": channel_id, "user_id": user_id})

    def add(self, membership_id: str, channel: Document, user_id: str, *, now: datetime) -> bool:
        """Join a person to a channel, having read all that is there; tell whether they were not in it before."""
        where = {"channel_id": channel["_id"], "user_id": user_id}
        if self._memberships.count(where, limit=1):
            return False
        try:
            self._memberships.insert({"_id": membership_id, **where, "private": channel["private"],
                                      "read_seq": channel["head"], "joined_at": now})
        except DuplicateKeyError:  # they have joined at this moment
            return False
        return True

    def remove(self, channel_id: str, user_id: str) -> bool:
        """Take a person out of a channel; tell whether they were in it."""
        return self._memberships.delete({"channel_id": channel_id, "user_id": user_id}) > 0

    def mark_read(self, channel_id: str, user_id: str, seq: int) -> bool:
        """Move a person's read mark up to `seq`; a mark never goes back. Tell whether it moved."""
        where = {"channel_id": channel_id, "user_id": user_id, "read_seq": {"$lt": seq}}
        return self._memberships.update(where, {"$set": {"read_seq": seq}}) == 1


class Messages:
    """Messages: the contract's fields with `_id` for `id`, plus `mention_ids` and `posted`."""

    def __init__(self, messages: TenantCollection) -> None:
        self._messages = messages

    def get(self, message_id: str) -> Document:
        """Give one message, or raise `NotFound`."""
        return self._messages.one({"_id": message_id})

    def list_by_ids(self, channel_id: str, message_ids: Iterable[str]) -> list[Document]:
        """List those of `message_ids` that are in the channel."""
        return self._messages.find({"_id": {"$in": sorted(message_ids)}, "channel_id": channel_id})

    def list_by_client_ids(self, channel_id: str, pairs: Iterable[tuple[str, str]]) -> list[Document]:
        """List the channel's messages with one of the `(author_id, client_id)` pairs."""
        wanted = set(pairs)
        authors, clients = ({pair[at] for pair in wanted} for at in (0, 1))
        # Not by `$or`, for which no index serves on every server. What others wrote under the same name falls out here.
        found = self._messages.find({"channel_id": channel_id, "author_id": _among(authors),
                                     "client_id": _among(clients)}) if wanted else []
        return [row for row in found if (row["author_id"], row["client_id"]) in wanted]

    def list_standing(self, message_ids: Iterable[str]) -> list[Document]:
        """List those of `message_ids` that were not deleted, of whichever channel."""
        return self._messages.find({"_id": {"$in": sorted(message_ids)}, "deleted_at": None})

    def find_standing(self, message_ids: Iterable[str]) -> set[str]:
        """Give those of `message_ids` that were not deleted."""
        where = {"_id": {"$in": sorted(message_ids)}, "deleted_at": None}
        return {row["_id"] for row in self._messages.find(where, fields=["_id"])}

    def list_thread_authors(self, thread_id: str, *, before: int) -> set[str]:
        """Give who wrote in a thread before a place, its root's author among them; what was deleted does not count."""
        found: set[str] = set()
        for where in ({"_id": thread_id}, {"thread_id": thread_id}):
            rows = self._messages.aggregate([
                {"$match": where}, {"$match": {"seq": {"$lt": before}, "deleted_at": None}},
                {"$group": {"_id": "$author_id"}}])
            found |= {row["_id"] for row in rows}
        return found

    def list_before(self, channel_id: str, before: int, limit: int) -> list[Document]:
        """List messages by place, newest first, those before `before`; the channel's head + 1 begins at its end.

        It looks at the nearest places first, since not every server stops at `limit` before it sorts.
        """
        rows: list[Document] = []
        span = _PLACES_A_ROW * limit
        while before > 1 and len(rows) < limit:
            after, span = before - span, span * _WIDER
            places = {"$gte": after, "$lt": before}
            rows += self._messages.find({"channel_id": channel_id, "seq": places}, sort=[("seq", -1)],
                                        limit=limit - len(rows))
            before = after
        return rows

    def list_after(self, channel_id: str, after: int, limit: int) -> list[Document]:
        """List messages by place, oldest first, those after `after`."""
        return self._messages.find({"channel_id": channel_id, "seq": {"$gt": after}}, sort=[("seq", 1)], limit=limit)

    def list_authors_since(self, channel_id: str, head: int, since: datetime, until: datetime) -> dict[str, int]:
        """Give `{author_id: messages}` of what was posted from `since` to before `until` and not deleted.

        It walks back from the channel's `head`, 500 at a time, so that it costs what was posted since and no index.
        """
        counted: dict[str, int] = {}
        before = head + 1
        while batch := self.list_before(channel_id, before, 500):
            for row in batch:
                if since <= row["created_at"] < until and row["deleted_at"] is None:
                    counted[row["author_id"]] = counted.get(row["author_id"], 0) + 1
            if batch[-1]["created_at"] < since:
                break
            before = batch[-1]["seq"]
        return counted

    def list_changed(self, channel_id: str, after: int, limit: int) -> list[Document]:
        """List messages changed after change number `after`, oldest change first."""
        where = {"channel_id": channel_id, "changed_seq": {"$gt": after}}
        return self._messages.find(where, sort=[("changed_seq", 1)], limit=limit)

    def write(self, created: Iterable[Document], revised: Iterable[Document]) -> None:
        """Insert new messages and write the new state of revised ones. Only inside the lane's transaction.

        Raises:
            SentBefore: one of the new ones is not new. The transaction is over.
        """
        updates: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
            ({"_id": row["_id"]}, {"$set": {key: row[key] for key in row if key not in ("_id", "tenant_id")}})
            for row in revised]
        try:
            self._messages.bulk(inserts=created, updates=updates)
        except BulkWriteError as error:
            if any(one["code"] == _DUPLICATE for one in error.details["writeErrors"]):
                raise SentBefore from error
            raise

    def count_unread(self, user_id: str, spans: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Give `{channel_id: (unread, mentions)}` for spans of `(read mark, head)`; each counts at most 1,000 messages.

        Own and deleted messages do not count, nor what came after the head that is told beside the count.
        """
        found: dict[str, tuple[int, int]] = {}
        me = {user_id, EVERYBODY}
        for channel_id, (mark, head) in spans.items():
            # In two steps: the embedded server uses no index for what asks for more than the index has.
            rows = self._messages.aggregate([
                {"$match": {"channel_id": channel_id, "seq": {"$gt": mark, "$lte": head}}},
                {"$match": {"author_id": {"$ne": user_id}, "deleted_at": None}},
                {"$limit": UNREAD_CAP}, {"$project": {"mention_ids": 1}}])
            if rows:
                found[channel_id] = (len(rows), sum(bool(me & set(row["mention_ids"])) for row in rows))
        return found


def _name_taken() -> Conflict:
    return Conflict("A channel of this name exists already.", code="name_taken")


def _numbers(count: int) -> Document:
    return {"$inc": {"head": count}, "$set": {"index_asked": True}}


def _among(values: set[str]) -> Any:
    return {"$in": sorted(values)} if len(values) > 1 else next(iter(values))
