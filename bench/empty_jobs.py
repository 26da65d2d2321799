"""Our side in a process of its own: empty jobs handed over and run with everything of a worker but MongoDB.

The peer has no database either. What is left out is its part alone: claims and ends of rows, and the lease.
`python -m bench.empty_jobs REDIS_URL JOBS SINGLES` prints one line of JSON; with `--filled` the queue holds the jobs
already, so that nothing but the worker is in this process's memory.
"""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()  # as in worker.py, and in an API instance

import argparse
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

from bench.timing import rate
from dashify.clients.rq_lists import Claim, Place, RqLists, Settlement
from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Delivery, Job, Queue
from dashify.domain.names import new_id
from dashify.gate import connect
from dashify.jobs.runner import Ending, Runner
from dashify.jobs.running import Run
from dashify.jobs.worker import JobWorker
from dashify.resources import Resources
from dashify.settings import QUEUES, Settings

BULK = 1_000
QUEUE = Queue.AUDIT  # its worker is one of greenlets
CONCURRENCY = QUEUES[QUEUE.value].concurrency
SAMPLES = 4


class NoBook:
    """In the place of the rows: it knows of no job."""

    def list_claimed(self, worker: str) -> set[str]:
        """List nothing as claimed and forgotten."""
        return set()

    def put_back(self, job_ids: Sequence[str], worker: str) -> None:
        """Put nothing back."""


class EmptyRunner(Runner):
    """A runner whose jobs do nothing and have no rows; it sets `stopping` after `count` of them.

    `memory` holds the process's resident MiB each time another quarter of the jobs has ended.
    """

    def __init__(self, count: int, stopping: threading.Event) -> None:
        # Not the runner's own, which opens MongoDB. These resources open nothing, since nothing here asks for any.
        self.resources = Resources(Settings(secret_key="of no use without sessions, yet demanded"))
        self.platform = Platform(self.resources)
        self.book = NoBook()  # type: ignore[assignment]
        self.memory: list[float] = []
        self._count, self._stopping, self._ended = count, stopping, 0

    def claim(self, claims: Sequence[Claim], worker: str) -> tuple[list[Run], list[Settlement]]:
        """Begin a run of every job that Redis gave."""
        return [Run(self.platform, _row(one.job_id), one) for one in claims], []

    def conclude(self, endings: Sequence[Ending], worker: str) -> list[Settlement]:
        """Let every job go."""
        self._ended += len(endings)
        while len(self.memory) < SAMPLES and self._ended >= self._count * (len(self.memory) + 1) // SAMPLES:
            self.memory.append(resident_mib(os.getpid()))
        if self._ended >= self._count:
            self._stopping.set()
        return [Settlement(one.run.claim, one.place or Place.GONE, one.due, one.code) for one in endings]

    def _perform(self, run: Run) -> Ending:
        return Ending(run, "done", None)


class NoLease:
    """In the place of a lease in MongoDB: it always holds."""

    name = "bench-1"
    running = 0
    holds = True

    def alive(self) -> None:
        """Hear that the loop turns, which nobody doubts."""


def resident_mib(pid: int) -> float:
    """Give how many MiB of a process are in memory (proc(5), the second field of `statm`)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2 ** 20


def enqueue(client: redis.Redis, count: int, bulk: int = BULK) -> None:
    """Hand over `count` jobs that have no rows, `bulk` in a call."""
    lists = RqLists(client, QUEUE)
    for first in range(0, count, bulk):
        lists.enqueue([Delivery(new_id(), QUEUE) for _ in range(min(bulk, count - first))])


def run_all(client: redis.Redis, count: int) -> EmptyRunner:
    """Run `count` jobs, which wait already, as many at once as a worker of the queue does."""
    stopping = threading.Event()
    runner = EmptyRunner(count, stopping)
    JobWorker(QUEUE, client, runner, NoLease(), QUEUES[QUEUE.value], stopping, stop_seconds=30.0).serve()
    return runner


def main() -> None:
    """Measure, and print jobs a second and the memory of the worker's process in MiB."""
    parser = argparse.ArgumentParser()
    parser.add_argument("redis_url")
    parser.add_argument("jobs", type=int)
    parser.add_argument("singles", type=int)
    parser.add_argument("--filled", action="store_true")
    options = parser.parse_args()
    client = connect(options.redis_url, decode=False, timeout=5.0, pool_size=4)
    client.ping()
    found: dict[str, Any] = {}
    if not options.filled:
        found["bulk"] = rate(options.jobs, lambda: enqueue(client, options.jobs))
    runners: list[EmptyRunner] = []
    found["run"] = rate(options.jobs, lambda: runners.append(run_all(client, options.jobs)))
    found["memory"] = runners[0].memory
    if RqLists(client, QUEUE).list_held():
        raise SystemExit("Jobs were left behind, so the figures would be wrong.")
    if options.singles:
        found["single"] = rate(options.singles, lambda: enqueue(client, options.singles, bulk=1))
    print(json.dumps(found))


def _row(job_id: str) -> dict[str, Any]:
    return {"_id": job_id, "kind": Job.SELF_CHECK.kind, "queue": QUEUE.value, "tenant_id": INSTALLATION,
            "actor_id": "bench", "attempt": 1, "payload": {}, "crashes": 0, "failures": 0}


if __name__ == "__main__":
    main()
