"""One tenant's queues, for those who look after them: how much waits, which jobs, and putting dead ones back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashify.domain.jobs import JobStatus, Queue
from dashify.stores.mongo import Document
from dashify.stores.tenant import TenantCollection

_COUNTED = [JobStatus.QUEUED.value, JobStatus.RUNNING.value, JobStatus.DEAD.value]
_WAITING = [JobStatus.QUEUED.value, JobStatus.DEAD.value]


class QueueRows:
    """One tenant's jobs, queue by queue. The rows are those of `JobRows`."""

    def __init__(self, jobs: TenantCollection) -> None:
        self._jobs = jobs

    def census(self, *, now: datetime) -> dict[str, dict[str, Any]]:
        """Count each queue that has any: `queued` (due), `delayed`, `running`, `dead`, and `oldest`, when the first of
        the due ones was due, or None.
        """
        found: dict[str, dict[str, Any]] = {}
        for row in self._jobs.aggregate([
                {"$match": {"status": {"$in": _COUNTED}}},
                {"$group": {"_id": {"queue": "$queue", "status": "$status", "later": {"$gt": ["$due_at", now]}},
                            "count": {"$sum": 1}, "oldest": {"$min": "$due_at"}}}]):
            about = row["_id"]
            counts = found.setdefault(about["queue"], {"queued": 0, "delayed": 0, "running": 0, "dead": 0,
                                                       "oldest": None})
            waits = about["status"] == JobStatus.QUEUED
            counts["delayed" if waits and about["later"] else about["status"]] += row["count"]
            if waits and not about["later"]:
                counts["oldest"] = row["oldest"]
        return found

    def count_failed(self, since: datetime, until: datetime) -> int:
        """Count the jobs that died from `since` to before `until` and were not put back."""
        return self._jobs.count({"status": JobStatus.DEAD.value, "finished_at": {"$gte": since, "$lt": until}})

    def list_jobs(self, queue: Queue, status: JobStatus, *, before: str | None, limit: int) -> list[Document]:
        """List a queue's jobs in one state, newest first, those older than the job `before`."""
        where: Document = {"queue": queue.value, "status": status.value, **({"_id": {"$lt": before}} if before else {})}
        return self._jobs.find(where, sort=[("_id", -1)], limit=limit)

    def put_back(self, job_id: str, *, now: datetime) -> Document | None:
        """Put a dead job back as if it had never failed, due at once; give its new state, None if it is not dead."""
        return self._jobs.change({"_id": job_id, "status": JobStatus.DEAD.value}, _afresh(now))

    def put_back_all(self, queue: Queue, *, now: datetime, limit: int) -> list[Document]:
        """Put a queue's dead jobs back, the oldest `limit` of them; give their rows."""
        dead = {"queue": queue.value, "status": JobStatus.DEAD.value}
        ids = [row["_id"] for row in self._jobs.find(dead, sort=[("_id", 1)], limit=limit, fields=["_id"])]
        self._jobs.update({"_id": {"$in": ids}, "status": JobStatus.DEAD.value}, _afresh(now), many=True)
        return self._jobs.find({"_id": {"$in": ids}, "status": JobStatus.QUEUED.value})

    def discard(self, job_id: str, *, now: datetime) -> Document | None:
        """Cancel a job that is dead or waits; give its new state, None if it is neither."""
        return self._jobs.change({"_id": job_id, "status": {"$in": _WAITING}},
                                 {"$set": {"status": JobStatus.CANCELLED.value, "finished_at": now}})


def _afresh(now: datetime) -> Mapping[str, Any]:
    # Attempts are not counted anew: their number is the fence against runs of before.
    return {"$set": {"status": JobStatus.QUEUED.value, "failures": 0, "crashes": 0, "alone_crashes": 0, "error": None,
                     "progress": 0.0, "due_at": now, "started_at": None, "finished_at": None}}
