"""Rows of jobs: the truth about background work. RQ only carries their ids to a worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from dashify.domain.jobs import LEASE_SECONDS, MOST_CRASHES, QUEUE_OF, Job, JobStatus, Queue
from dashify.domain.names import new_id
from dashify.errors import NotFound
from dashify.stores.mongo import Again, Document, translated
from dashify.stores.tenant import TenantCollection

_OPEN = [JobStatus.QUEUED.value, JobStatus.RUNNING.value]
_CLOCK_SECONDS = 30.0
# A job that was asked for just now must not look early to a worker whose clock is a little behind.
_SLACK = timedelta(seconds=1)


class JobRows:
    """One tenant's jobs: `_id kind queue status payload actor_id attempt failures crashes progress result error` and
    their times. `attempt` is the fence: it rises with each claim, and only the latest one's result counts.
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
            "payload": dict(payload), "actor_id": actor_id, "attempt": 0, "failures": 0, "crashes": 0, "progress": 0.0,
            "result": None, "error": None, "created_at": now, "due_at": due_at or now, "started_at": None,
            "finished_at": None, "lease_until": None, "unique_key": unique_key, "front": front,
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
        return self._jobs.change(
            {"_id": job_id, "actor_id": actor_id, "status": {"$in": _OPEN}},
            {"$set": {"status": JobStatus.CANCELLED.value, "finished_at": now, "lease_until": None}})

    def finish(self, job_id: str, attempt: int, result: Mapping[str, Any] | None, *, now: datetime) -> Document | None:
        """Record the end of the run `attempt` and its result; None where another run or a cancellation came first."""
        return self._jobs.change(_running(job_id, attempt), {"$set": {
            "status": JobStatus.DONE.value, "result": result, "error": None, "progress": 1.0, "finished_at": now,
            "lease_until": None}})

    def note_progress(self, job_id: str, attempt: int, progress: float) -> Document | None:
        """Record how far the run `attempt` is; None where it does not count any more."""
        return self._jobs.change(_running(job_id, attempt), {"$set": {"progress": progress}})


class JobBook:
    """Every tenant's rows, for workers and schedulers. Leases are told by the database's clock, not by each host's."""

    def __init__(self, database: Database[Document]) -> None:
        self._jobs = database["jobs"]
        self._database = database
        self._offset = timedelta()
        self._measured_at: float | None = None
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Give the database's time, measured anew every 30 s."""
        with self._lock:
            if self._measured_at is None or time.monotonic() - self._measured_at > _CLOCK_SECONDS:
                with translated():
                    hello = self._database.command("hello", codec_options=self._database.codec_options)
                theirs = hello.get("localTime")
                self._offset = theirs - datetime.now(UTC) if theirs else timedelta()
                self._measured_at = time.monotonic()
        return datetime.now(UTC) + self._offset

    def claim(self, job_id: str, kinds: Iterable[str]) -> Document | None:
        """Begin a run of a job that is queued, due and of one of `kinds`; give its row, None where it is not for us."""
        now = self.now()
        return self._change(
            {"_id": job_id, "status": JobStatus.QUEUED.value, "due_at": {"$lte": now + _SLACK},
             "kind": {"$in": sorted(kinds)}},
            {"$set": {"status": JobStatus.RUNNING.value, "started_at": now, "progress": 0.0,
                      "lease_until": now + timedelta(seconds=LEASE_SECONDS)}, "$inc": {"attempt": 1}})

    def extend(self, job_id: str, attempt: int) -> bool:
        """Lengthen the lease of the run `attempt`; tell whether it still counts."""
        until = self.now() + timedelta(seconds=LEASE_SECONDS)
        with translated():
            return self._jobs.update_one(_running(job_id, attempt), {"$set": {"lease_until": until}}).matched_count == 1

    def put_back(self, job_id: str, attempt: int) -> Document | None:
        """Give a run back unfinished, to be begun again at once: neither a failure nor a crash."""
        return self._change(_running(job_id, attempt), {"$set": self._queued(0.0)})

    def retry(self, job_id: str, attempt: int, seconds: float, error: Mapping[str, str]) -> Document | None:
        """Put a run that failed back, due in `seconds`; `error` is `{code, message}`."""
        change = {"$set": {**self._queued(seconds), "error": error}, "$inc": {"failures": 1}}
        return self._change(_running(job_id, attempt), change)

    def bury(self, job_id: str, attempt: int, error: Mapping[str, str]) -> Document | None:
        """End a job for good, for `error`."""
        return self._change(_running(job_id, attempt), {"$set": self._dead(error)})

    def requeue_abandoned(self) -> Document | None:
        """Put back one job whose worker has stopped renewing its lease, counting a crash; None where there is none."""
        return self._change({**self._abandoned(), "crashes": {"$lt": MOST_CRASHES - 1}},
                            {"$set": self._queued(0.0), "$inc": {"crashes": 1}})

    def bury_abandoned(self) -> Document | None:
        """End one job that has taken its worker down too often; None where there is none."""
        error = {"code": "worker_died", "message": f"The worker died {MOST_CRASHES} times while doing this."}
        return self._change({**self._abandoned(), "crashes": {"$gte": MOST_CRASHES - 1}},
                            {"$set": self._dead(error), "$inc": {"crashes": 1}})

    def list_due(self, queue: Queue, *, older_than: float, limit: int) -> list[tuple[str, int]]:
        """List `(id, attempt so far)` of queued jobs that are due and added `older_than` seconds ago, oldest first."""
        now = self.now()
        where = {"status": JobStatus.QUEUED.value, "queue": queue.value, "due_at": {"$lte": now},
                 "created_at": {"$lte": now - timedelta(seconds=older_than)}}
        with translated():
            rows = self._jobs.find(where, {"attempt": 1}).sort("due_at", 1).limit(limit)
            return [(row["_id"], row["attempt"]) for row in rows]

    def census(self, queue: Queue) -> dict[str, Any]:
        """Count a queue's `queued`, `running` and `dead` jobs; `oldest_seconds` is how long the first has been due."""
        counted = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DEAD)
        with translated():
            found: dict[str, Any] = {status.value: self._jobs.count_documents({"status": status.value,
                                                                               "queue": queue.value})
                                     for status in counted}
            oldest = self._jobs.find_one({"status": JobStatus.QUEUED.value, "queue": queue.value}, {"due_at": 1},
                                         sort=[("due_at", 1)])
        age = (self.now() - oldest["due_at"]).total_seconds() if oldest else 0.0
        return {**found, "oldest_seconds": round(max(0.0, age), 1)}

    def _change(self, where: Document, change: Document) -> Document | None:
        with translated():
            return self._jobs.find_one_and_update(where, change, return_document=ReturnDocument.AFTER)

    def _abandoned(self) -> Document:
        return {"status": JobStatus.RUNNING.value, "lease_until": {"$lt": self.now()}}

    def _queued(self, seconds: float) -> Document:
        return {"status": JobStatus.QUEUED.value, "due_at": self.now() + timedelta(seconds=seconds),
                "lease_until": None}

    def _dead(self, error: Mapping[str, str]) -> Document:
        return {"status": JobStatus.DEAD.value, "error": error, "finished_at": self.now(), "lease_until": None}


class SelfChecks:
    """The counters of `dashify enqueue self_check`: `{_id: row, count}`. They belong to the installation."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["self_checks"]

    def add_one(self, row: int, tx: ClientSession) -> None:
        """Add one to a row's counter, inside the transaction that ends its job."""
        with translated():
            self._rows.update_one({"_id": row}, {"$inc": {"count": 1}}, upsert=True, session=tx)

    def get(self, row: int) -> int:
        """Give a row's counter, or raise `NotFound`."""
        with translated():
            found = self._rows.find_one({"_id": row})
        if found is None:
            raise NotFound("There is no such row.")
        return int(found["count"])


def _running(job_id: str, attempt: int) -> Document:
    return {"_id": job_id, "status": JobStatus.RUNNING.value, "attempt": attempt}
