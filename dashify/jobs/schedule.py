"""The sweeper: finds jobs whose worker died and jobs that Redis has lost, and has them run.

Any number may run at once: each step is one atomic change of a row, or harmless when done twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from dashify.clients.queue import Dispatcher, delivery_id
from dashify.context import Platform
from dashify.domain.jobs import LEASE_SECONDS, Queue
from dashify.errors import Unavailable
from dashify.services.jobs import announce
from dashify.stores.jobs import JobBook

log = logging.getLogger(__name__)

REAP_SECONDS = 3.0
RESEND_SECONDS = 5.0
FRESH_SECONDS = 3.0  # a younger job is on its way from whoever asked for it
MOST_RESENT = 5_000
_STEP_SECONDS = 0.25


class Sweeper:
    """Puts abandoned runs back and hands lost jobs over again, from `run` until it is told to stop."""

    def __init__(self, platform: Platform, dispatcher: Dispatcher) -> None:
        self._platform = platform
        self._dispatcher = dispatcher
        self._book = JobBook(platform.resources.database)
        self._patient_until = 0.0

    def run(self, stopping: threading.Event) -> None:
        """Sweep until `stopping` is set. MongoDB or Redis being away delays, and ends nothing."""
        reap_at = resend_at = 0.0
        while not stopping.is_set():
            if time.monotonic() >= max(reap_at, self._patient_until):
                self._try(self.reap)
                reap_at = time.monotonic() + REAP_SECONDS
            if time.monotonic() >= resend_at:
                self._try(self.resend)
                resend_at = time.monotonic() + RESEND_SECONDS
            stopping.wait(_STEP_SECONDS)

    def reap(self) -> int:
        """Put back every run whose lease has ended, and bury what killed its worker too often; give their number."""
        reaped = 0
        while row := self._book.bury_abandoned():
            reaped += 1
            log.error("A job killed its worker too often", extra={"job_id": row["_id"], "kind": row["kind"]})
            announce(self._platform, row["tenant_id"], row)
        while row := self._book.requeue_abandoned():
            reaped += 1
            log.warning("A job's worker is gone; it runs again", extra={"job_id": row["_id"], "kind": row["kind"]})
            announce(self._platform, row["tenant_id"], row)
            try:
                self._dispatcher.dispatch([(row["_id"], Queue(row["queue"]), row["attempt"] + 1)])
            except Unavailable:
                continue  # `resend` finds it once Redis is back
        return reaped

    def resend(self) -> int:
        """Hand over every due job whose next run waits in no list of RQ's; give their number.

        What a worker has taken from the list it claims within moments. So a job that is queued in MongoDB and in no
        list was lost, or is handed over twice, which the claim makes harmless.
        """
        sent = 0
        for queue in Queue:
            due = self._book.list_due(queue, older_than=FRESH_SECONDS, limit=MOST_RESENT)
            if not due:
                continue
            waiting = self._dispatcher.waiting(queue)
            lost = [(job_id, queue, attempt + 1) for job_id, attempt in due
                    if delivery_id(job_id, attempt + 1) not in waiting]
            self._dispatcher.dispatch(lost)
            sent += len(lost)
        return sent

    def _try(self, step: Callable[[], int]) -> None:
        try:
            step()
        except Unavailable as error:
            log.warning("Sweeping waits: %s", error.code)
            if error.code == "database_unavailable":
                # Workers could not renew their leases either. They get one lease's time to do so.
                self._patient_until = time.monotonic() + LEASE_SECONDS
        except Exception:  # the sweeper is what mends everything else, so it goes on
            log.exception("A sweep failed")
