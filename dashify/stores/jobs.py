"""One tenant's rows of jobs: the truth about background work. RQ only carries their ids to a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from dashify.domain.jobs import QUEUE_OF, Job, JobStatus
from dashify.domain.names import new_id
from dashify.stores.mongo import Again, Document
from dashify.stores.tenant import TenantCollection

_OPEN = [JobStatus.QUEUED.value, JobStatus.RUNNING.value]


class JobRows:
    """One tenant's jobs: `_id kind queue status payload actor_id front attempt failures crashes alone alone_crashes
    worker progress result error unique_key` and their times. `attempt` is the fence: it rises with each claim, and only
    the latest one's result counts.
    """

    def __init__(self, jobs: TenantCollection) -> None:
        self._jobs = jobs

    def add(self, job: Job, payload: Mapping[str, Any], *, actor_id: str, now: datetime, front: bool = False,
            due_at: datetime | None = None, unique_key: str | None = None) -> str:
        """Add a queued job and give its id; inside a unit it commits with the write that asks for it.

        `payload` holds ids and plain values, never a secret.

        Raises:
            Again: a job with this `unique_key` was added at the same time; `find_unique` gives it next time.
        """
        row = {
            "_id": new_id(), "kind": job.kind, "queue": QUEUE_OF[job].value, "status": JobStatus.QUEUED.value,
            "payload": dict(payload), "actor_id": actor_id, "attempt": 0, "failures": 0, "crashes": 0, "alone": False,
            "alone_crashes": 0, "worker": None, "progress": 0.0, "result": None, "error": None, "created_at": now,
            "due_at": due_at or now, "started_at": None, "finished_at": None, "unique_key": unique_key, "front": front,
        }
        try:
            self._jobs.insert(row)
        except DuplicateKeyError as error:
            raise Again from error
        return str(row["_id"])

    def find_unique(self, unique_key: str) -> str | None:
        """Give the id of the job that has this key, or None."""
        found = self._jobs.find({"unique_key": unique_key}, limit=1, fields=["_id"])
        return str(found[0]["_id"]) if found else None

    def find_used(self, unique_keys: Iterable[str]) -> set[str]:
        """Give those of `unique_keys` that a job has."""
        rows = self._jobs.find({"unique_key": {"$in": sorted(unique_keys)}}, fields=["unique_key"])
        return {row["unique_key"] for row in rows}

    def get(self, job_id: str) -> Document:
        """Give one job, or raise `NotFound`."""
        return self._jobs.one({"_id": job_id})

    def get_own(self, job_id: str, actor_id: str) -> Document:
        """Give one job that this person asked for, or raise `NotFound`."""
        return self._jobs.one({"_id": job_id, "actor_id": actor_id})

    def cancel(self, job_id: str, actor_id: str, *, now: datetime) -> Document | None:
        """End one of this person's jobs that is not over; give its new state, None where there is none such."""
        return self._jobs.change_by_id(
            {"_id": job_id, "actor_id": actor_id, "status": {"$in": _OPEN}},
            {"$set": {"status": JobStatus.CANCELLED.value, "finished_at": now, "worker": None}})

    def finish(self, job_id: str, attempt: int, result: Mapping[str, Any] | None, *, now: datetime) -> Document | None:
        """Record the end of the run `attempt` and its result; None where another run or a cancellation came first."""
        return self._jobs.change_by_id(_running(job_id, attempt), {"$set": {
            "status": JobStatus.DONE.value, "result": result, "error": None, "progress": 1.0, "finished_at": now,
            "worker": None}})

    def note_progress(self, job_id: str, attempt: int, progress: float) -> Document | None:
        """Record how far the run `attempt` is; None where it does not count any more."""
        return self._jobs.change_by_id(_running(job_id, attempt), {"$set": {"progress": progress}})


def _running(job_id: str, attempt: int) -> Document:
    return {"_id": job_id, "status": JobStatus.RUNNING.value, "attempt": attempt}
