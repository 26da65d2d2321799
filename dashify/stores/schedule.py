"""Who leads, and which ticks of the schedule have come: above tenants, told by the database's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from dashify.stores.mongo import Document, translated
from dashify.stores.workers import Clock

LEAD_SECONDS = 10.0


class Leadership:
    """A lease that one process at a time holds: `_id holder fence until`. `fence` rises whenever the holder changes."""

    def __init__(self, database: Database[Document], clock: Clock, role: str, holder: str) -> None:
        self._leases = database["leases"]
        self._clock, self._role, self._holder = clock, role, holder

    def lead(self) -> int | None:
        """Take the lead or keep it for another 10 s; give its fence, None where somebody else leads.

        Raises:
            Unavailable: MongoDB is away.
        """
        now = self._clock.now()
        until = {"until": now + timedelta(seconds=LEAD_SECONDS)}
        with translated():
            kept = self._leases.find_one_and_update(
                {"_id": self._role, "holder": self._holder, "until": {"$gt": now}}, {"$set": until},
                return_document=ReturnDocument.AFTER)
            if kept is not None:
                return int(kept["fence"])
            try:
                # Where somebody else's lease holds, the filter finds nothing, and the insert meets their document.
                taken = self._leases.find_one_and_update(
                    {"_id": self._role, "until": {"$lte": now}},
                    {"$set": {"holder": self._holder, **until}, "$inc": {"fence": 1}},
                    upsert=True, return_document=ReturnDocument.AFTER)
            except DuplicateKeyError:
                return None
        return int(taken["fence"]) if taken is not None and taken["holder"] == self._holder else None

    def find_holder(self) -> str | None:
        """Give who leads, or None where nobody does."""
        with translated():
            row = self._leases.find_one({"_id": self._role, "until": {"$gt": self._clock.now()}})
        return str(row["holder"]) if row else None

    def resign(self) -> None:
        """Let somebody else lead at once."""
        with translated():
            self._leases.update_one({"_id": self._role, "holder": self._holder},
                                    {"$set": {"until": self._clock.now() - timedelta(seconds=1)}})

    def prove(self, fence: int, tx: ClientSession) -> bool:
        """Tell inside a transaction whether `fence` still leads; whoever takes the lead meanwhile makes it conflict."""
        with translated():
            result = self._leases.update_one({"_id": self._role, "fence": fence}, {"$inc": {"proofs": 1}}, session=tx)
        return result.matched_count == 1


class Ticks:
    """The ticks that have come: `_id name time job_id`, one for each name and time for ever."""

    def __init__(self, database: Database[Document]) -> None:
        self._ticks = database["schedule_ticks"]

    def find_last(self, name: str) -> datetime | None:
        """Give the time of the last tick of `name`, or None where there has been none."""
        with translated():
            found = self._ticks.find_one({"name": name}, sort=[("time", -1)])
        return found["time"] if found else None

    def add(self, name: str, time: datetime, about: Mapping[str, Any], tx: ClientSession | None = None) -> bool:
        """Record a tick; tell whether it is new. In a transaction a tick that is known ends the transaction."""
        try:
            with translated():
                self._ticks.insert_one({"_id": f"{name}@{time.isoformat()}", "name": name, "time": time, **about},
                                       session=tx)
        except DuplicateKeyError:
            return False
        return True
