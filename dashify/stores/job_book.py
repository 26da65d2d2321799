"""Every tenant's rows of jobs, for workers and schedulers: claiming, ending, and finding what was lost.

What a worker does to many jobs it does to all of them at once, since one update a job is what would limit its speed.
A claim holds while the row names the worker and the worker's own lease (`stores/workers.py`) holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from dashify.domain.jobs import MOST_ALONE_CRASHES, QUEUE_OF, Delivery, Job, JobStatus, Queue
from dashify.stores.mongo import Document, change_by_id, transact, translated
from dashify.stores.workers import Clock

# A job that was asked for just now must not look early to a worker whose clock is a little behind.
_SLACK = timedelta(seconds=1)
_PAGE = 2_000


class JobBook:
    """Every tenant's rows, told by the database's clock."""

    def __init__(self, database: Database[Document], clock: Clock) -> None:
        self._client = database.client
        self._jobs = database["jobs"]
        self.clock = clock

    def claim(self, job_ids: Sequence[str], worker: str, kinds: Iterable[str]) -> list[Document]:
        """Begin runs of those of `job_ids` that are queued, due and of one of `kinds`; give their rows."""
        now = self.clock.now()
        return self._change_all(
            {"_id": {"$in": list(job_ids)}, "status": JobStatus.QUEUED.value, "due_at": {"$lte": now + _SLACK},
             "kind": {"$in": sorted(kinds)}},
            {"$set": {"status": JobStatus.RUNNING.value, "worker": worker, "started_at": now, "progress": 0.0},
             "$inc": {"attempt": 1}})

    def list_states(self, job_ids: Iterable[str]) -> dict[str, tuple[str, str, datetime]]:
        """Give `{id: (status, kind, due_at)}` of those of `job_ids` that exist."""
        with translated():
            rows = self._jobs.find({"_id": {"$in": list(job_ids)}}, {"status": 1, "kind": 1, "due_at": 1})
            return {row["_id"]: (row["status"], row["kind"], row["due_at"]) for row in rows}

    def queue_of(self, job_id: str) -> str | None:
        """Give the name of a job's queue, or None where there is no such job."""
        with translated():
            row = self._jobs.find_one({"_id": job_id}, {"queue": 1})
        return str(row["queue"]) if row else None

    def begin_alone(self, job_id: str, attempt: int) -> bool:
        """Note that a job which may have killed its worker runs alone from now on; tell whether the run still counts.
        """
        return self._change(_running(job_id, attempt), {"$set": {"alone": True}}) is not None

    def finish(self, job_ids: Sequence[str], worker: str) -> set[str]:
        """End runs of `worker` that have no effect in MongoDB; give the ids of those that counted."""
        now = self.clock.now()
        finished = self._change_all(
            {"_id": {"$in": list(job_ids)}, **_held(worker)},
            {"$set": {"status": JobStatus.DONE.value, "error": None, "progress": 1.0, "finished_at": now,
                      "worker": None}})
        if len(finished) == len(job_ids):
            return set(job_ids)
        # Of a change whose answer was lost, some are done already.
        return {job_id for job_id, (status, *_) in self.list_states(job_ids).items() if status == JobStatus.DONE}

    def put_back(self, job_ids: Sequence[str], worker: str, seconds: float = 0.0) -> None:
        """Give runs of `worker` back unfinished, to begin again after `seconds`: neither failures nor crashes."""
        self._change_all({"_id": {"$in": list(job_ids)}, **_held(worker)}, {"$set": self._queued(seconds)})

    def delay(self, job_id: str, due_at: datetime) -> None:
        """Have a queued job wait until `due_at`: what this release does not know, a newer one will."""
        self._change({"_id": job_id, "status": JobStatus.QUEUED.value}, {"$set": {"due_at": due_at}})

    def retry(self, job_id: str, attempt: int, seconds: float, error: Mapping[str, str]) -> Document | None:
        """Put a run that failed back, due in `seconds`; `error` is `{code, message}`. None if it does not count."""
        change = {"$set": {**self._queued(seconds), "error": error}, "$inc": {"failures": 1}}
        return self._change(_running(job_id, attempt), change)

    def bury(self, job_id: str, attempt: int, error: Mapping[str, str]) -> Document | None:
        """End a job for good, for `error`; None if the run does not count."""
        return self._change(_running(job_id, attempt), {"$set": self._dead(error), "$inc": {"failures": 1}})

    def list_orphans(self, dead: Iterable[str]) -> list[Document]:
        """List running jobs, 2,000 at most, of workers that are `dead`."""
        with translated():
            return list(self._jobs.find({"worker": {"$in": sorted(dead)}, "status": JobStatus.RUNNING.value})
                        .limit(_PAGE))

    def list_holders(self) -> set[str]:
        """Give the names of all workers that some running job names."""
        with translated():
            return set(self._jobs.distinct("worker", {"worker": {"$gt": ""}}))

    def take_back(self, job_ids: Sequence[str], dead: Iterable[str]) -> int:
        """Take running jobs, none of which ran alone, from workers that are `dead`, counting a crash each: to be run
        again before others. Give the number of those with which nobody else was first.

        All in one change, because a worker that dies leaves as many as it ran at once. No attempts are compared, as
        for a single row: a worker that was declared dead never holds anything again under its name.
        """
        return len(self._change_all(
            {"_id": {"$in": list(job_ids)}, "status": JobStatus.RUNNING.value, "worker": {"$in": sorted(dead)},
             "alone": False},
            {"$set": {**self._queued(0.0), "front": True}, "$inc": {"crashes": 1}}))

    def take_back_alone(self, row: Document) -> Document | None:
        """Take a running job that ran alone from its dead worker, as `take_back` does; give it as it is then.

        It is dead when it has killed its worker three times while it ran alone. None if somebody else was first.
        """
        alone = row["alone_crashes"] + 1
        where = _running(row["_id"], row["attempt"])
        counted = {"alone_crashes": alone, "alone": False}
        if alone >= MOST_ALONE_CRASHES:
            error = {"code": "worker_died", "message": f"Its worker died {alone} times while doing this alone."}
            return self._change(where, {"$set": {**self._dead(error), **counted}, "$inc": {"crashes": 1}})
        return self._change(where, {"$set": {**self._queued(0.0), **counted, "front": True}, "$inc": {"crashes": 1}})

    def list_claimed(self, worker: str) -> set[str]:
        """List the ids of the jobs that `worker` holds."""
        with translated():
            rows = self._jobs.find({"worker": worker}, {"status": 1})
            return {row["_id"] for row in rows if row["status"] == JobStatus.RUNNING.value}

    def list_due(self, queue: Queue, *, older_than: float) -> Iterator[list[Delivery]]:
        """Give, in pages, the queued jobs that are due and were added and due `older_than` seconds ago."""
        since = self.clock.now() - timedelta(seconds=older_than)
        where = {"status": JobStatus.QUEUED.value, "queue": queue.value, "due_at": {"$lte": since}}
        with translated():
            page: list[Delivery] = []
            for row in self._jobs.find(where, {"front": 1, "created_at": 1}, batch_size=_PAGE).sort("due_at", 1):
                if row["created_at"] > since:
                    continue
                page.append(Delivery(row["_id"], queue, row.get("front", False)))
                if len(page) == _PAGE:
                    yield page
                    page = []
        yield page

    def census(self, queue: Queue) -> dict[str, Any]:
        """Count a queue's `queued` (due), `delayed`, `running` and `dead` jobs; `oldest_seconds`: the oldest's wait."""
        now = self.clock.now()
        queued: Document = {"status": JobStatus.QUEUED.value, "queue": queue.value}
        with translated():
            counts = {status.value: self._jobs.count_documents({"status": status.value, "queue": queue.value})
                      for status in (JobStatus.RUNNING, JobStatus.DEAD)}
            due = self._jobs.count_documents({**queued, "due_at": {"$lte": now}})
            delayed = self._jobs.count_documents({**queued, "due_at": {"$gt": now}})
            oldest = self._jobs.find_one({**queued, "due_at": {"$lte": now}}, {"due_at": 1}, sort=[("due_at", 1)])
        age = (now - oldest["due_at"]).total_seconds() if oldest else 0.0
        return {"queued": due, "delayed": delayed, **counts, "oldest_seconds": round(max(0.0, age), 1)}

    def list_latest(self, job: Job, limit: int) -> list[Document]:
        """List the latest jobs of one kind, whatever their state."""
        where = {"queue": QUEUE_OF[job].value, "status": {"$in": list(JobStatus)}, "kind": job.kind}
        with translated():
            return list(self._jobs.find(where).sort("created_at", -1).limit(limit))

    def sum_up(self, job: Job, run: str) -> Counter[str]:
        """Sum up the results of the jobs of one kind that belong to a run (`payload.run`), and count them by status."""
        where = {"queue": QUEUE_OF[job].value, "status": {"$in": list(JobStatus)}, "kind": job.kind,
                 "payload.run": run}
        summed: Counter[str] = Counter()
        with translated():
            for row in self._jobs.find(where, {"status": 1, "result": 1}):
                summed[row["status"]] += 1
                summed.update({name: int(value) for name, value in (row["result"] or {}).items()})
        return summed

    def _change_all(self, where: Document, change: Document) -> list[Document]:
        return transact(self._client, lambda tx: change_by_id(self._jobs, where, change, tx))

    def _change(self, where: Document, change: Document) -> Document | None:
        return next(iter(self._change_all(where, change)), None)

    def _queued(self, seconds: float) -> Document:
        return {"status": JobStatus.QUEUED.value, "due_at": self.clock.now() + timedelta(seconds=seconds),
                "worker": None}

    def _dead(self, error: Mapping[str, str]) -> Document:
        return {"status": JobStatus.DEAD.value, "error": error, "finished_at": self.clock.now(), "worker": None}


def _running(job_id: str, attempt: int) -> Document:
    return {"_id": job_id, "status": JobStatus.RUNNING.value, "attempt": attempt}


def _held(worker: str) -> Document:
    return {"status": JobStatus.RUNNING.value, "worker": worker}
