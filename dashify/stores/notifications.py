"""Notifications of one tenant: who is to be told of which message. No text and no name is kept, so none can leak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo.errors import BulkWriteError

from dashify.stores.mongo import Again, Document
from dashify.stores.tenant import TenantCollection

_DUPLICATE = 11_000  # the server's code for a key that is there already


class Notifications:
    """Rows: `_id user_id kind channel_id message_id thread_id seq author_id created_at read_at`; dropped after 90 days.

    One person has one row for each message and kind, however often it is written.
    """

    def __init__(self, notifications: TenantCollection) -> None:
        self._notifications = notifications

    def add_new(self, rows: Sequence[Document]) -> list[str]:
        """Add those of one message's `rows` that are not there yet, inside a unit; give their ids.

        Raises:
            Again: the same was added at the same time; it is found next time.
        """
        if not rows:
            return []
        where = {"message_id": rows[0]["message_id"], "user_id": {"$in": [row["user_id"] for row in rows]}}
        known = {(row["user_id"], row["kind"])
                 for row in self._notifications.find(where, fields=["user_id", "kind"])}
        new = [row for row in rows if (row["user_id"], row["kind"]) not in known]
        try:
            self._notifications.insert_many(new)
        except BulkWriteError as error:
            if any(one["code"] != _DUPLICATE for one in error.details["writeErrors"]):
                raise
            raise Again from error
        return [row["_id"] for row in new]

    def list_of(self, user_id: str, *, before: str | None = None, unread: bool = False,
                limit: int) -> list[Document]:
        """List a person's notifications, newest first, those before `before` where it is given."""
        where: Document = {"user_id": user_id, **({"read_at": None} if unread else {})}
        if before is not None:
            where["_id"] = {"$lt": before}
        return self._notifications.find(where, sort=[("_id", -1)], limit=limit)

    def list_unread_up_to(self, user_id: str, channel_id: str, seq: int, *, limit: int) -> list[str]:
        """List the ids of a person's unread notifications of a channel's messages up to the place `seq`."""
        where = {"user_id": user_id, "read_at": None, "channel_id": channel_id, "seq": {"$lte": seq}}
        return [row["_id"] for row in self._notifications.find(where, limit=limit, fields=["_id"])]

    def mark_read(self, user_id: str, notification_ids: Iterable[str], *, now: datetime) -> list[str]:
        """Mark a person's notifications as read; give the ids of those that were not before."""
        where = {"_id": {"$in": sorted(notification_ids)}, "user_id": user_id, "read_at": None}
        ids = [row["_id"] for row in self._notifications.find(where, fields=["_id"])]
        if ids:
            self._notifications.update({"_id": {"$in": ids}, "read_at": None}, {"$set": {"read_at": now}}, many=True)
        return ids

    def mark_all_read(self, user_id: str, *, now: datetime) -> int:
        """Mark all of a person's notifications as read; give the number of those that were not before."""
        return self._notifications.update({"user_id": user_id, "read_at": None}, {"$set": {"read_at": now}}, many=True)

    def mark_seen(self, message_id: str, user_ids: Iterable[str], *, now: datetime) -> int:
        """Mark as read what some people were told of one message; give the number of those that were not before."""
        where = {"message_id": message_id, "user_id": {"$in": sorted(user_ids)}, "read_at": None}
        return self._notifications.update(where, {"$set": {"read_at": now}}, many=True)
