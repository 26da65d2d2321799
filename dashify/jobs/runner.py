"""Claiming rows, doing their functions, and recording how that ended. The row decides what runs, never RQ."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any

from dashify import logs, metrics
from dashify.clients.rq_lists import Claim, Place, Settlement
from dashify.context import Platform
from dashify.domain.jobs import BY_KIND, JobStatus, Queue, pause
from dashify.errors import DashifyError, Unavailable
from dashify.jobs.committing import Committer
from dashify.jobs.leases import WorkerLease
from dashify.jobs.running import Run, Superseded, TimeIsUp
from dashify.resources import Resources
from dashify.services.jobs import announce
from dashify.settings import Settings, from_env
from dashify.stores.job_book import JobBook

log = logging.getLogger(__name__)

Function = Callable[[Platform, dict[str, Any], Run], None]
RECORD_SECONDS = 60.0
UNKNOWN_SECONDS = 30.0
_RECORD_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `place` is where RQ is to put the job; None where its row still has to be marked as done."""

    run: Run
    outcome: str
    place: Place | None
    due: float = 0.0
    code: str = ""


class Runner:
    """Runs jobs in one process, with that process's own connections."""

    def __init__(self, settings: Settings) -> None:
        self.resources = Resources(settings)
        self.platform = Platform(self.resources)
        self.clock = self.resources.clock
        self.book = JobBook(self.resources.database, self.clock)
        self.workers = self.resources.workers
        self._committer = Committer(self.platform)

    def claim(self, claims: Sequence[Claim], worker: str) -> tuple[list[Run], list[Settlement]]:
        """Begin runs of the jobs that RQ gave, those whose rows say so; and say what becomes of the others.

        Raises:
            Unavailable: MongoDB is away; rows may have been claimed all the same.
        """
        rows = {row["_id"]: row for row in self.book.claim([one.job_id for one in claims], worker, BY_KIND)}
        others = [one for one in claims if one.job_id not in rows]
        runs = [Run(self.platform, rows[one.job_id], one, self._committer.commit)
                for one in claims if one.job_id in rows]
        for run in runs:
            announce(self.platform, run.tenant_id, run.row)
        return runs, self._refuse(others) if others else []

    def run(self, job_id: str) -> str:
        """Run one job here and now, if its row says that it is due; give how that ended, "skipped" where it is not.

        Raises:
            Unavailable: MongoDB is away.
        """
        queue = self.book.queue_of(job_id)
        if queue is None:
            return "skipped"
        lease = WorkerLease(Queue(queue), self.resources.settings)
        lease.begin(self.workers)
        lease.alive_at = math.inf  # there is no loop here that could hang
        try:
            runs, _ = self.claim([Claim(job_id, "")], lease.name)
            endings = [self.perform(one) for one in runs]
            self.conclude(endings, lease.name)
        finally:
            lease.release(self.workers)
        return endings[0].outcome if endings else "skipped"

    def perform(self, run: Run) -> Ending:
        """Do a run's function and record a failure; whatever a job raises ends that job, not the worker."""
        begun = time.monotonic()
        with logs.scope(job_id=run.job_id, kind=run.kind, tenant_id=run.tenant_id):
            try:
                ending = self._perform(run)
            except Exception:  # such as a failure that could not be recorded: the row's claim will be found
                log.exception("The end of a job could not be recorded")
                ending = Ending(run, "unrecorded", Place.BACK)
            log.debug("Job %s", ending.outcome, extra={"attempt": run.attempt})
        metrics.job_seconds.labels(run.queue.value, run.kind).observe(time.monotonic() - begun)
        metrics.jobs_finished.labels(run.queue.value, run.kind, ending.outcome).inc()
        return ending

    def conclude(self, endings: Sequence[Ending], worker: str) -> list[Settlement]:
        """Mark the runs as done that had no effect to commit with, and say where RQ is to put each job.

        Raises:
            Unavailable: MongoDB is away; asking again is safe.
        """
        plain = [ending.run for ending in endings if ending.place is None]
        counted = self.book.finish([run.job_id for run in plain], worker) if plain else set()
        for run in plain:
            if run.job_id in counted:
                announce(self.platform, run.tenant_id, {
                    **run.row, "status": JobStatus.DONE.value, "progress": 1.0, "error": None})
        return [Settlement(one.run.claim, one.place or Place.GONE, one.due, one.code) for one in endings]

    def _perform(self, run: Run) -> Ending:
        try:
            function_of(BY_KIND[run.kind].value)(self.platform, run.payload, run)
            return Ending(run, "done", Place.GONE if run.finished else None)
        except Superseded:
            return Ending(run, "superseded", Place.GONE)
        except TimeIsUp:
            log.warning("A job took longer than its queue allows")
            return self._record(run, self.overran(run), True)
        except Unavailable as error:
            log.warning("A job met something that is away: %s", error.code)
            return self._record(run, error, True)
        except DashifyError as error:
            log.warning("A job failed for good: %s", error.code)
            return self._record(run, error, False)
        except Exception:  # whatever a job raises ends that job, not the worker
            log.exception("A job failed for good")
            return self._record(run, DashifyError("Something went wrong inside Dashify.", code="internal"), False)

    def _record(self, run: Run, error: DashifyError, passing: bool) -> Ending:
        """Record a failure, waiting for MongoDB where it is away; try again what was `passing`, up to the limit."""
        deadline = time.monotonic() + RECORD_SECONDS
        while True:
            try:
                return self.record(run, error, passing)
            except Unavailable:
                if time.monotonic() > deadline or run.lost:
                    return Ending(run, "unrecorded", Place.BACK)
                time.sleep(_RECORD_PAUSE)

    def overran(self, run: Run) -> DashifyError:
        """Give the failure of a run that took longer than its queue allows."""
        limit = self.resources.settings.queues[run.queue.value].time_limit
        return DashifyError(f"It took longer than {limit:.0f} s.", code="time_limit")

    def record(self, run: Run, error: DashifyError, passing: bool) -> Ending:
        """Record a failure once; see `_record`.

        Raises:
            Unavailable: MongoDB is away.
        """
        policy = self.resources.settings.queues[run.queue.value]
        failures = run.row["failures"] + 1
        about = {"code": error.code, "message": error.message}
        if passing and failures < policy.most_failures:
            row = self.book.retry(run.job_id, run.attempt, pause(failures, policy), about)
        else:
            row = self.book.bury(run.job_id, run.attempt, about)
        if row is None:
            return Ending(run, "superseded", Place.GONE)
        announce(self.platform, run.tenant_id, row)
        if row["status"] == JobStatus.DEAD:
            return Ending(run, "dead", Place.FAILED, code=error.code)
        return Ending(run, "retried", Place.LATER, due=row["due_at"].timestamp())

    def _refuse(self, claims: Sequence[Claim]) -> list[Settlement]:
        """Say what becomes of jobs that are not ours to run: not due yet, of a kind that this release does not know,
        or over, or run by somebody else."""
        states = self.book.list_states(one.job_id for one in claims)
        refused = []
        for claim in claims:
            status, kind, due_at = states.get(claim.job_id, ("", "", self.clock.now()))
            if status != JobStatus.QUEUED:
                refused.append(Settlement(claim, Place.GONE))
                continue
            if kind not in BY_KIND:
                log.warning("A job's kind is not known to this release; it waits", extra={"job_id": claim.job_id})
                due_at = self.clock.now() + timedelta(seconds=UNKNOWN_SECONDS)
                self.book.delay(claim.job_id, due_at)
            refused.append(Settlement(claim, Place.LATER, due=due_at.timestamp()))
        return refused


_runner: Runner | None = None
_lock = threading.Lock()


def open_runner(settings: Settings) -> Runner:
    """Give this process's runner, opening it the first time. Call it after any fork."""
    global _runner
    with _lock:
        if _runner is None:
            _runner = Runner(settings)
        return _runner


def run(job_id: str) -> str:
    """Run one job here and now; see `Runner.run`.

    This is the function that RQ's data names, so that RQ's own workers could run our jobs too.
    """
    return open_runner(_runner.resources.settings if _runner else from_env()).run(job_id)


@cache
def function_of(path: str) -> Function:
    """Give the function at a dotted `path`."""
    module, _, name = path.rpartition(".")
    found: Function = getattr(import_module(module), name)
    return found
