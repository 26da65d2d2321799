"""The leases of worker processes, above tenants: who lives, by the database's clock. A dead worker's jobs run again."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from dashify.domain.jobs import LEASE_SECONDS, Queue
from dashify.stores.mongo import Document, translated

_CLOCK_SECONDS = 30.0


class Clock:
    """The database's time, measured anew every 30 s. Hosts may disagree about the time; leases must not."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._offset = timedelta()
        self._measured_at: float | None = None
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Give the database's time, in whole milliseconds as the database keeps them.

        Raises:
            Unavailable: MongoDB is away, and the last measurement is over 30 s old.
        """
        with self._lock:
            if self._measured_at is None or time.monotonic() - self._measured_at > _CLOCK_SECONDS:
                with translated():
                    hello = self._database.command("hello", codec_options=self._database.codec_options)
                theirs = hello.get("localTime")
                self._offset = theirs - datetime.now(UTC) if theirs else timedelta()
                self._measured_at = time.monotonic()
        now = datetime.now(UTC) + self._offset
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Workers:
    """One lease a worker process: `_id queue host pid slots running started_at lease_until`."""

    def __init__(self, database: Database[Document], clock: Clock) -> None:
        self._workers = database["workers"]
        self._clock = clock

    def register(self, name: str, about: Document) -> None:
        """Begin a lease; `about` holds `queue host pid slots`. The name must be new."""
        now = self._clock.now()
        with translated():
            self._workers.insert_one({
                "_id": name, **about, "running": 0, "started_at": now,
                "lease_until": now + timedelta(seconds=LEASE_SECONDS)})

    def renew(self, name: str, running: int) -> bool:
        """Lengthen a lease and note how many jobs run; tell whether it was still held."""
        now = self._clock.now()
        with translated():
            result = self._workers.update_one(
                {"_id": name, "lease_until": {"$gt": now}},
                {"$set": {"running": running, "lease_until": now + timedelta(seconds=LEASE_SECONDS)}})
        return result.matched_count == 1

    def list_live(self, queue: Queue | None = None) -> list[dict[str, Any]]:
        """List the workers (of one queue) whose lease holds."""
        where: Document = {"lease_until": {"$gt": self._clock.now()}}
        if queue is not None:
            where["queue"] = queue.value
        with translated():
            return list(self._workers.find(where).sort("_id", 1))

    def list_dead(self) -> set[str]:
        """Give the names of the workers whose lease has ended."""
        with translated():
            return {row["_id"] for row in self._workers.find({"lease_until": {"$lte": self._clock.now()}}, {"_id": 1})}

    def remove(self, name: str) -> None:
        """Forget a worker: none of its jobs runs any more."""
        with translated():
            self._workers.delete_one({"_id": name})
