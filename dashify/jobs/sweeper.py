"""What mends: runs whose worker died are begun again, and jobs that Redis has lost are handed over again.

Any number may do it at once: each step is one atomic change, or harmless when done twice.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from dashify.clients.queue import Dispatcher
from dashify.clients.rq_lists import Claim, Place, RqLists, Settlement
from dashify.context import Platform
from dashify.domain.jobs import LEASE_SECONDS, Delivery, JobStatus, Queue
from dashify.errors import Unavailable
from dashify.jobs.runner import Runner
from dashify.services.jobs import announce
from dashify.stores.schema import Processes

log = logging.getLogger(__name__)

REAP_SECONDS = 3.0
RESEND_SECONDS = 8.0
FRESH_SECONDS = 3.0  # a younger job is on its way from whoever asked for it
_STEP_SECONDS = 0.25
_REAPED_AT_ONCE = 100
_NOBODY = "nobody"


class Sweeper:
    """Reaps what dead workers held in `queues`, and resends what RQ lost, from `run` until it is told to stop."""

    def __init__(self, runner: Runner, queues: Sequence[Queue], leads: Callable[[Queue], bool]) -> None:
        self._platform: Platform = runner.platform
        self._dispatcher: Dispatcher = runner.resources.dispatcher
        self._book, self._workers = runner.book, runner.workers
        self._processes = Processes(runner.resources.database, runner.resources.clock)
        self._queues = queues
        self._leads = leads
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
        """Take everything from workers that are dead; give the number of their jobs.

        First their transactions, which hold rows; then in MongoDB, which decides, then in Redis. A worker registers
        before it claims, so whoever is named by a claim that was read before the list of the living, and is not in it,
        is dead.
        """
        claims = {queue: self._dispatcher.on(queue, lambda lists: lists.list_holders(lists.list_claims()))
                  for queue in self._queues} if self._available() else {}
        holders = self._book.list_holders()
        live = {row["_id"] for row in self._workers.list_live()}
        dead = self._workers.list_dead()
        self._processes.end_transactions()
        reaped = self._reap_rows(holders - live) if holders - live else 0
        for queue, held in claims.items():
            self._reap_claims(queue, [claim for claim, worker in held.items() if worker not in live])
        for name in dead - (self._book.list_holders() if dead else set()):
            self._workers.remove(name)
        return reaped

    def resend(self) -> int:
        """Hand over every due job that waits in no list of RQ's; give their number. One sweeper leads for each queue.

        RQ's lists are read after the rows; what moved between them meanwhile RQ itself knows to be held.
        """
        sent = 0
        for queue in filter(self._leads, self._queues):
            for page in self._book.list_due(queue, older_than=FRESH_SECONDS):
                if not page:
                    continue
                held = self._dispatcher.on(queue, lambda lists: lists.list_held())
                lost = [one for one in page if one.job_id not in held]
                sent += self._dispatcher.on(queue, lambda lists, lost=lost: lists.enqueue(lost)) if lost else 0  # type: ignore[misc]
        if sent:
            log.warning("%d jobs were in no list; they are handed over again", sent)
        return sent

    def _reap_rows(self, gone: set[str]) -> int:
        """Take the rows of workers that are gone, many at once. Every sweeper does this, so each begins elsewhere: two
        on the same rows conflict."""
        orphans = self._book.list_orphans(gone)
        random.shuffle(orphans)
        plain = [row for row in orphans if not row["alone"]]
        reaped = 0
        for start in range(0, len(plain), _REAPED_AT_ONCE):
            part = plain[start:start + _REAPED_AT_ONCE]
            taken = self._book.take_back([row["_id"] for row in part], gone)
            if taken:
                reaped += taken
                log.warning("%d jobs lost their worker; they run again", taken,
                            extra={"job_ids": [row["_id"] for row in part]})
                for row in part:
                    announce(self._platform, row["tenant_id"], {**row, "status": JobStatus.QUEUED.value})
        return reaped + sum(self._reap_alone(row) for row in orphans if row["alone"])

    def _reap_alone(self, row: dict[str, Any]) -> bool:
        taken = self._book.take_back_alone(row)
        if taken is None:
            return False
        dead = taken["status"] == JobStatus.DEAD
        log.log(logging.ERROR if dead else logging.WARNING,
                "A job killed its worker too often" if dead else "A job's worker is gone while it ran alone; once more",
                extra={"job_id": row["_id"], "kind": row["kind"], "queue": row["queue"]})
        announce(self._platform, row["tenant_id"], taken)
        return True

    def _reap_claims(self, queue: Queue, claims: list[Claim]) -> None:
        """Let the claims of dead workers go, and have what is queued run again."""
        if not claims:
            return
        states = self._book.list_states(one.job_id for one in claims)
        now = self._book.clock.now()
        settlements, again = [], []
        for claim in claims:
            status, _, due_at = states.get(claim.job_id, ("", "", now))
            if status == JobStatus.DEAD:
                settlements.append(Settlement(claim, Place.FAILED, code="worker_died"))
            elif status != JobStatus.QUEUED:
                settlements.append(Settlement(claim, Place.GONE))
            elif due_at > now:
                settlements.append(Settlement(claim, Place.LATER, due=due_at.timestamp()))
            else:
                settlements.append(Settlement(claim, Place.FRONT))
                again.append(Delivery(claim.job_id, queue, front=True))

        def settle(lists: RqLists) -> None:
            lists.settle(_NOBODY, settlements)
            lists.enqueue(again)

        self._dispatcher.on(queue, settle)

    def _available(self) -> bool:
        """Tell whether Redis answers. Where it does not, rows are put back all the same and handed over later."""
        return self._platform.resources.queues_gate.available

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
