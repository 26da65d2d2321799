"""Rows of jobs: the truth about background work. RQ only carries their ids to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from dashify.domain.jobs import QUEUE_OF, Job, JobStatus
from dashify.domain.names import new_id
from dashify.stores.mongo import Document
from dashify.stores.tenant import TenantCollection


class JobRows:
    """One tenant's jobs: `_id kind queue status payload actor_id attempt progress result error` and their times."""

    def __init__(self, jobs: TenantCollection) -> None:
        self._jobs = jobs

    def add(self, job: Job, payload: Mapping[str, Any], *, actor_id: str, now: datetime,
            unique_key: str | None = None) -> str:
        """Add a queued job and give its id; inside a unit it commits with the write that asks for it.

        `payload` holds ids and plain values, never a secret. With a `unique_key` that a job of this tenant has had before,
        nothing is added and that job's id is given; outside a transaction only, since a duplicate ends one.
        """
        row = {
            "_id": new_id(), "kind": job.name.lower(), "queue": QUEUE_OF[job].value, "status": JobStatus.QUEUED.value,
            "payload": dict(payload), "actor_id": actor_id, "attempt": 0, "progress": 0.0, "result": None,
            "error": None, "created_at": now, "due_at": now, "started_at": None, "finished_at": None,
            "lease_until": None, "unique_key": unique_key,
        }
        try:
            self._jobs.insert(row)
        except DuplicateKeyError:
            return str(self._jobs.one({"unique_key": unique_key}, fields=["_id"])["_id"])
        return str(row["_id"])

    def get(self, job_id: str) -> Document:
        """Give one job, or raise `NotFound`."""
        return self._jobs.one({"_id": job_id})
