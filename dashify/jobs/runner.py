"""What RQ calls with a job's id: claim its row, do its function, record how that ended. The row decides, never RQ."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from dashify import logs, metrics
from dashify.context import Platform
from dashify.domain.jobs import BY_KIND, MOST_FAILURES, QUEUE_OF, pause
from dashify.errors import DashifyError, Unavailable
from dashify.jobs.leases import Leases
from dashify.jobs.running import Run, Superseded
from dashify.resources import Resources
from dashify.services.jobs import announce
from dashify.settings import Settings, from_env
from dashify.stores.jobs import JobBook

log = logging.getLogger(__name__)

Function = Callable[[Platform, dict[str, Any], Run], None]
RECORD_SECONDS = 60.0
_RECORD_PAUSE = 1.0


class Runner:
    """Runs jobs in one process, with that process's own connections."""

    def __init__(self, settings: Settings) -> None:
        self.resources = Resources(settings)
        self.platform = Platform(self.resources)
        self.book = JobBook(self.resources.database)
        self.leases = Leases(self.book)

    def run(self, job_id: str) -> str:
        """Run a job if its row says that it is due; give how that ended, "skipped" where it is not ours to run."""
        try:
            row = self.book.claim(job_id, BY_KIND)
        except Unavailable:
            log.warning("MongoDB is away; the job waits there", extra={"job_id": job_id})
            return "skipped"
        if row is None:
            return "skipped"
        job = BY_KIND[row["kind"]]
        run = Run(self.platform, row)
        begun = time.monotonic()
        with logs.scope(job_id=job_id, kind=run.kind, tenant_id=run.tenant_id), self.leases.held(run):
            announce(self.platform, run.tenant_id, row)
            outcome = self._perform(run, function_of(job.value), row["failures"])
            log.info("Job %s", outcome, extra={"attempt": run.attempt})
        metrics.job_seconds.labels(QUEUE_OF[job].value, run.kind).observe(time.monotonic() - begun)
        metrics.jobs_finished.labels(QUEUE_OF[job].value, run.kind, outcome).inc()
        return outcome

    def _perform(self, run: Run, function: Function, failures: int) -> str:
        try:
            function(self.platform, run.payload, run)
            if not run.finished:
                run.finish(lambda unit: None)
            return "done"
        except Superseded:
            return "superseded"
        except Unavailable as error:
            log.warning("A job met something that is away: %s", error.code)
            return self._record(run, error, failures + 1)
        except DashifyError as error:
            log.warning("A job failed for good: %s", error.code)
            return self._record(run, error, None)
        except Exception:  # whatever a job raises ends that job, not the worker
            log.exception("A job failed for good")
            return self._record(run, DashifyError("Something went wrong inside Dashify.", code="internal"), None)

    def _record(self, run: Run, error: DashifyError, failures: int | None) -> str:
        """Record a failure, waiting for MongoDB where it is away: `failures` so far, None where trying again is no use.
        """
        about = {"code": error.code, "message": error.message}
        for_good = failures is None or failures >= MOST_FAILURES
        deadline = time.monotonic() + RECORD_SECONDS
        while True:
            try:
                if for_good:
                    row = self.book.bury(run.job_id, run.attempt, about)
                else:
                    row = self.book.retry(run.job_id, run.attempt, pause(failures or 1), about)
                break
            except Unavailable:
                if time.monotonic() > deadline:
                    return "unrecorded"  # the lease ends, and the sweeper takes it from there
                time.sleep(_RECORD_PAUSE)
        if row is None:
            return "superseded"
        announce(self.platform, run.tenant_id, row)
        return "dead" if for_good else "retried"


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
    """Run the job with this id, if it is due: the function that RQ is given."""
    return open_runner(_runner.resources.settings if _runner else from_env()).run(job_id)


@cache
def function_of(path: str) -> Function:
    """Give the function at a dotted `path`."""
    module, _, name = path.rpartition(".")
    found: Function = getattr(import_module(module), name)
    return found
