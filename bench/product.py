"""The whole product's side: rows in MongoDB, handing over to Redis, and a `worker.py` that commits effects and ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.timing import rate
from dashify.clients.queue import Dispatcher
from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Delivery, Job, JobStatus, Queue
from dashify.gate import RedisGate
from dashify.local.processes import spawn
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.migrating import migrate

ROOT = Path(__file__).resolve().parents[1]
IN_ONE_UNIT = 100
LONGEST_RUN_SECONDS = 600.0
_LOOK_SECONDS = 0.2
_KEPT = ("jobs", "self_checks", "workers", "leases")


class TimedDispatcher(Dispatcher):
    """A dispatcher that adds up the seconds it takes."""

    def __init__(self, gate: RedisGate) -> None:
        super().__init__(gate)
        self.seconds = 0.0

    def follow(self, deliveries: Sequence[Delivery], withdrawals: Sequence[tuple[str, Queue]]) -> None:
        """Hand jobs over, and note how long that took."""
        began = time.perf_counter()
        super().follow(deliveries, withdrawals)
        self.seconds += time.perf_counter() - began


class Product:
    """One installation on the servers that `settings` name; it must have no other users."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._settings, self._log = settings, log
        self._resources = Resources(settings)
        self._dispatcher = TimedDispatcher(self._resources.queues_gate)
        self._resources.dispatcher = self._dispatcher
        self._platform = Platform(self._resources)
        migrate(self._resources.database)

    def measure(self, singles: int, jobs: int) -> dict[str, float]:
        """Ask for `singles` jobs one by one, and run `jobs` more.

        Give jobs a second (`ask`, `run`), and for each job that was asked for alone the milliseconds of its row with
        the transaction (`row_ms`) and of handing it over (`dispatch_ms`).
        """
        self._forget()
        self._dispatcher.seconds = 0.0
        ask = rate(singles, lambda: self._ask(singles, at_once=1))
        dispatch_ms = self._dispatcher.seconds * 1_000 / singles
        self._forget()
        self._ask(jobs, at_once=IN_ONE_UNIT)
        with self._worker() as worker:
            self._wait(worker)
        return {"ask": ask, "row_ms": 1_000 / ask - dispatch_ms, "dispatch_ms": dispatch_ms,
                "run": self._run_rate(jobs)}

    def close(self) -> None:
        """Close the connections."""
        self._resources.close()

    def _ask(self, count: int, at_once: int) -> None:
        """Ask for `count` jobs, each about a row of its own, `at_once` in a unit of work."""
        for first in range(0, count, at_once):
            rows = range(first, min(first + at_once, count))
            self._platform.unit(INSTALLATION, "bench", lambda unit, rows=rows: [  # type: ignore[misc]
                unit.jobs.add(Job.SELF_CHECK, {"row": row}) for row in rows])

    def _forget(self) -> None:
        for name in _KEPT:
            self._resources.database[name].delete_many({})
        self._resources.gate.run(lambda client: client.flushall())

    @contextmanager
    def _worker(self) -> Iterator[subprocess.Popen[bytes]]:
        with self._log.open("ab") as log:
            process = spawn([sys.executable, str(ROOT / "worker.py"), Queue.AUDIT.value], output=log.fileno(),
                            environment=self._settings.to_env())
        try:
            yield process
        finally:
            process.terminate()
            process.wait()

    def _wait(self, worker: subprocess.Popen[bytes]) -> None:
        """Wait until RQ's lists hold nothing; the rows are not asked, since that would slow the run down."""
        deadline = time.monotonic() + LONGEST_RUN_SECONDS
        while self._dispatcher.on(Queue.AUDIT, lambda lists: lists.depth() or len(lists.list_claims())):
            if worker.poll() is not None or time.monotonic() > deadline:
                end = self._log.read_text(encoding="utf-8")[-2_000:]
                raise SystemExit(f"The worker did not finish its jobs:\n{end}")
            time.sleep(_LOOK_SECONDS)

    def _run_rate(self, jobs: int) -> float:
        """Give jobs a second from the first row's start to the last one's end, as the rows have it."""
        rows: list[dict[str, Any]] = list(self._resources.database["jobs"].find({"status": JobStatus.DONE.value}))
        counts = [row["count"] for row in self._resources.database["self_checks"].find()]
        if len(rows) != jobs or counts != [1] * jobs:
            raise SystemExit(f"Of {jobs} jobs {len(rows)} ended, with effects on {len(counts)} rows: no figure counts.")
        took = max(row["finished_at"] for row in rows) - min(row["started_at"] for row in rows)
        return float(jobs / max(took.total_seconds(), 0.001))
