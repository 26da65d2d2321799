"""Comparing what MongoDB holds of a tenant with what the index holds, and mending what differs: a part at a time.

MongoDB is the truth. A document or message is committed before it is indexed and its id is never used again, so what
the index names and MongoDB does not have is gone for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dashify.context import Platform
from dashify.domain.jobs import Job
from dashify.domain.knowledge import DocumentStatus
from dashify.services.documents import reading_job
from dashify.services.indexing import Index, message_passages
from dashify.stores.store import Store
from dashify.units import Unit

STAGES = ("documents", "messages", "orphans")
_PAGE = 100
_LATE = timedelta(minutes=15)  # by then a job that was on its way is done, or will never be
Row = dict[str, Any]
Repair = Callable[[Unit], None]


@dataclass(slots=True)
class Place:
    """How far a tenant's reconciliation is: the stage, and after which of its ids or points it goes on."""

    stage: str = STAGES[0]
    after: str | None = None
    inside: int = 0  # of the messages stage: after which message of the channel that follows `after`
    target: int = 0  # of the orphans stage: in which collection

    def following(self) -> Place | None:
        """Give the beginning of the next stage, None after the last one."""
        index = STAGES.index(self.stage) + 1
        return Place(STAGES[index]) if index < len(STAGES) else None


@dataclass(slots=True)
class Part:
    """What one part came to: counts of `looked_at missing stale orphaned`, repairs to commit, and where to go on."""

    counts: Counter[str] = field(default_factory=Counter)
    repairs: list[Repair] = field(default_factory=list)
    following: Place | None = None


class Reconciliation:
    """One tenant's, in the nightly run named `run`; `check` is asked often and raises to end it."""

    def __init__(self, platform: Platform, tenant_id: str, run: str, check: Callable[[], None]) -> None:
        self._store: Store = platform.store_of(tenant_id)
        self._index = Index(platform, tenant_id)
        self._now = platform.now
        self._run = run
        self._check = check

    def do_part(self, place: Place, most: int) -> Part:
        """Look at about `most` documents, messages or points from `place` on.

        Raises:
            Unavailable: MongoDB, the vector store or the model hosts are away; doing it again is safe.
        """
        part = Part()
        stages = {"documents": self._documents, "messages": self._messages, "orphans": self._orphans}
        at: Place | None = place
        while at is not None and part.counts["looked_at"] < most:
            self._check()
            at = stages[at.stage](at, part)
        part.following = at
        return part

    def _documents(self, place: Place, part: Part) -> Place | None:
        rows = self._store.documents.list_all(after=place.after, limit=_PAGE)
        part.counts["looked_at"] += len(rows)
        held = self._index.revisions([row["_id"] for row in rows]) if rows else {}
        for row in rows:
            repair, why = self._judge(row, held[row["_id"]])
            if repair is not None:
                part.counts[why] += 1
                part.repairs.append(repair)
        return Place("documents", rows[-1]["_id"]) if len(rows) == _PAGE else place.following()

    def _judge(self, row: Row, held: dict[int, int]) -> tuple[Repair | None, str]:
        """Say what a document needs: nothing, to be indexed, read or purged once more."""
        late = row["updated_at"] < self._now - _LATE
        if row["deleted_at"] is not None:
            return (self._purging(row), "orphaned") if row["deleted_at"] < self._now - _LATE else (None, "")
        if row["version"] == 0:
            stuck = late and row["status"] != DocumentStatus.FAILED
            return (self._reading(row), "missing") if stuck else (None, "")
        expected = {row["revision"]: row["passages"]} if row["passages"] else {}
        if row["status"] == DocumentStatus.READY:
            if held == expected:
                return None, ""
            return self._indexing(row), "stale" if held else "missing"
        return (self._indexing(row), "missing") if late else (None, "")

    def _messages(self, place: Place, part: Part) -> Place | None:
        channels = self._store.channels.list_all(after=place.after, limit=1)
        if not channels:
            return place.following()
        [channel] = channels
        rows = self._store.messages.list_after(channel["_id"], place.inside, _PAGE)
        part.counts["looked_at"] += len(rows) + 1
        self._mend_messages(channel, rows, part)
        if len(rows) == _PAGE:
            return Place("messages", place.after, rows[-1]["seq"])
        return Place("messages", channel["_id"])

    def _mend_messages(self, channel: Row, rows: Sequence[Row], part: Part) -> None:
        held = self._index.revisions([row["_id"] for row in rows]) if rows else {}
        wanted = {row["_id"]: message_passages(channel, row, channel["head"]) for row in rows}
        absent = [key for key, passages in wanted.items() if sum(held[key].values()) < len(passages)]
        surplus = [key for key, passages in wanted.items() if sum(held[key].values()) > len(passages)]
        part.counts["missing"] += len(absent)
        part.counts["stale"] += len(surplus)
        passages = [one for key in [*absent, *surplus] for one in wanted[key]]
        if absent or surplus:
            ids = [*absent, *surplus]
            self._index.bring_in(passages, ids, channel["head"], most=len(passages), check=self._check)
            self._index.remove(ids, below=channel["head"])
            standing = self._store.messages.find_standing(set(ids))
            self._index.remove([one for one in ids if one not in standing])

    def _orphans(self, place: Place, part: Part) -> Place | None:
        found = self._index.list_sources(place.target, place.after)
        if found is None:
            return None
        ids, following = found
        part.counts["looked_at"] += len(ids)
        # A second look, since to remove what is there would be to lose it until the next night.
        gone = self._gone(self._gone(ids))
        self._index.remove(sorted(gone))
        part.counts["orphaned"] += len(gone)
        if following is None:
            return Place("orphans", target=place.target + 1)
        return Place("orphans", following, target=place.target)

    def _gone(self, ids: set[str]) -> set[str]:
        if not ids:  # as in most small organizations, and in most nights
            return ids
        documents = {row["_id"] for row in self._store.documents.list_some(ids)}
        return ids - documents - self._store.messages.find_standing(ids - documents)

    def _indexing(self, row: Row) -> Repair:
        def repair(unit: Unit) -> None:
            marked = unit.store.documents.mark(row["_id"], row["revision"], DocumentStatus.QUEUED)
            if marked is not None:
                unit.jobs.add(Job.INDEX_DOCUMENT, {"document_id": row["_id"], "revision": row["revision"], "part": 0},
                              unique_key=f"index-{row['_id']}-{row['revision']}-{self._run}")
        return repair

    def _reading(self, row: Row) -> Repair:
        return lambda unit: reading_job(unit, row["_id"], self._run)

    def _purging(self, row: Row) -> Repair:
        def repair(unit: Unit) -> None:
            unit.jobs.add(Job.PURGE_DOCUMENT, {"document_id": row["_id"]},
                          unique_key=f"purge-{row['_id']}-{self._run}")
        return repair
