"""A worker for one queue: RQ 3.0's data and names, our own way of claiming, running and ending many jobs at once.

One loop does all that concerns many jobs: it claims as many as there are free hands, in one call each to Redis and to
MongoDB, gives them to the hands, and ends together what has ended meanwhile. Redis or MongoDB being away delays its
calls; what runs goes on.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import redis
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer
from rq.worker.base import BaseWorker, WorkerStatus

from dashify.clients.rq_lists import Claim, Place, RqLists, Settlement
from dashify.domain.jobs import SUSPECT_CRASHES, Queue
from dashify.errors import Unavailable
from dashify.jobs.hands import Hands
from dashify.jobs.runner import Ending, Runner
from dashify.jobs.running import Run
from dashify.settings import QueuePolicy

log = logging.getLogger(__name__)

_AWAY_SECONDS = 0.5
_AWAY_DUE_SECONDS = 2.0
_LOOK_SECONDS = 0.05
_CHORES_SECONDS = 1.0
_RECONCILE_SECONDS = 3.0
_RQ_TTL_SECONDS = 60


class LeaseLost(Exception):
    """This worker's jobs were given away, because it was silent for too long."""


class Stuck(Exception):
    """A run is far over its time and cannot be stopped: only the end of the process stops it."""


class Lease(Protocol):
    """What the worker asks of its lease."""

    name: str
    running: int

    @property
    def holds(self) -> bool:
        """Tell whether jobs may be held."""

    def alive(self) -> None:
        """Hear that the loop turns."""


class JobWorker(BaseWorker):
    """RQ's worker in name and data, for one queue: no fork, no remote commands, no signals of its own."""

    def __init__(self, queue: Queue, client: redis.Redis, runner: Runner, lease: Lease, policy: QueuePolicy,
                 stopping: threading.Event, stop_seconds: float) -> None:
        # Unprepared: RQ would talk to Redis here, which may be away.
        super().__init__([queue.value], name=lease.name, connection=client, serializer=JSONSerializer,
                         worker_ttl=_RQ_TTL_SECONDS, prepare_for_work=False)
        self.hostname, self.pid, self.ip_address = socket.gethostname(), os.getpid(), "unknown"
        self._lists = RqLists(client, queue)
        self._runner, self._lease, self._policy = runner, lease, policy
        self._stopping, self._stop_seconds = stopping, stop_seconds
        self._running: dict[str, Run] = {}
        self._suspects: deque[Run] = deque()
        self._endings: deque[Ending] = deque()
        self._settlements: list[Settlement] = []
        self._news = threading.Event()
        self._hands = Hands(policy.concurrency, policy.time_limit, runner.perform, self._hear)
        self._alone = False
        self._redis_from = self._mongodb_from = self._chores_at = self._reconcile_at = 0.0

    def serve(self) -> None:
        """Work until told to stop; then finish what runs, and give back what takes too long.

        Raises:
            LeaseLost: nothing of what ran counts any more.
            Stuck: end the process; the jobs were given back.
        """
        try:
            while not self._stopping.is_set():
                self._turn()
            self._finish()
        except LeaseLost:
            for run in [*self._running.values(), *self._suspects]:
                run.lose()
            raise
        finally:
            self._hands.dismiss()
            self._try_redis(self.register_death)

    def _set_connection(self, connection: redis.Redis) -> redis.Redis:
        """Leave our own time limits alone; RQ would have every call wait for most of a minute."""
        return connection

    def _hear(self, ending: Ending) -> None:
        self._endings.append(ending)
        self._news.set()

    def _turn(self) -> None:
        """Do once what there is to do, then wait for more."""
        self._lease.alive()
        if not self._lease.holds:
            raise LeaseLost
        moved = self._conclude()
        self._do_chores()
        free = self._policy.concurrency - len(self._running)
        if self._suspects:
            moved = self._begin_alone() or moved
        elif free > 0 and not self._alone:
            moved = self._claim(free) or moved
        if not moved:
            self._rest()

    def _rest(self) -> None:
        if self._running or self._suspects or self._endings or time.monotonic() < self._redis_from:
            self._news.wait(_LOOK_SECONDS)
        else:
            self._try_redis(lambda: self._lists.wait(1.0))
        self._news.clear()

    def _claim(self, free: int) -> bool:
        """Claim and begin as many jobs as there are free hands; tell whether there was any."""
        if time.monotonic() < self._mongodb_from:
            return False
        claims: list[Claim] = self._try_redis(lambda: self._lists.claim(free, self._lease.name)) or []
        if not claims:
            return False
        try:
            runs, refused = self._runner.claim(claims, self._lease.name)
        except Unavailable:
            # What was claimed in MongoDB all the same is found by `_reconcile`.
            self._mongodb_from = time.monotonic() + _AWAY_SECONDS
            runs, refused = [], [Settlement(one, Place.LATER, due=time.time() + _AWAY_DUE_SECONDS) for one in claims]
        self._settle(refused)
        for run in runs:
            if run.row["crashes"] >= SUSPECT_CRASHES:
                self._suspects.append(run)
            else:
                self._begin(run)
        return True

    def _begin(self, run: Run) -> None:
        self._hands.give(run, len(self._running))
        self._running[run.job_id] = run
        self._lease.running = len(self._running)

    def _begin_alone(self) -> bool:
        """Begin a job that may kill this process, once nothing else runs in it; tell whether one began."""
        if self._running:
            return False
        run = self._suspects[0]
        try:
            counts = self._runner.book.begin_alone(run.job_id, run.attempt)
        except Unavailable:
            return False
        self._suspects.popleft()
        if counts:
            self._alone = True
            self._begin(run)
        else:
            self._settle([Settlement(run.claim, Place.GONE)])
        return True

    def _conclude(self) -> bool:
        """End together what has ended; tell whether anything has."""
        if not self._endings or time.monotonic() < self._mongodb_from:
            return False
        endings = [self._endings.popleft() for _ in range(len(self._endings))]
        try:
            settlements = self._runner.conclude(endings, self._lease.name)
        except Unavailable:
            self._endings.extendleft(reversed(endings))
            self._mongodb_from = time.monotonic() + _AWAY_SECONDS
            return False
        for ending in endings:
            self._running.pop(ending.run.job_id, None)
        self._lease.running = len(self._running)
        self._alone = self._alone and bool(self._running)
        self._settle(settlements)
        return True

    def _settle(self, settlements: list[Settlement]) -> None:
        """Tell RQ what becomes of jobs, now or when Redis is back."""
        self._settlements += settlements
        settle = partial(self._lists.settle, self._lease.name, self._settlements)
        if self._settlements and self._try_redis(settle) is not None:
            self._settlements = []

    def _do_chores(self) -> None:
        now = time.monotonic()
        if now < self._chores_at:
            return
        self._chores_at = now + _CHORES_SECONDS
        self._try_redis(self._show)
        self._try_redis(self._lists.promote)
        self._settle([])
        if now >= self._reconcile_at:
            self._reconcile_at = now + _RECONCILE_SECONDS
            self._reconcile()
        self._end_overdue(self._hands.watch())

    def _show(self) -> None:
        """Keep this worker in RQ's lists of workers, where Redis may have forgotten it."""
        if not self.connection.exists(self.key):
            self.register_birth()  # type: ignore[no-untyped-call]  # RQ has not typed it
        self.set_state(WorkerStatus.BUSY if self._running else WorkerStatus.IDLE)
        self.heartbeat(_RQ_TTL_SECONDS)

    def _reconcile(self) -> None:
        """Put back what is held in this worker's name and known to nobody: a claim whose answer was lost."""
        known = {*self._running, *(run.job_id for run in self._suspects)}
        settled = {one.claim.job_id for one in self._settlements}
        try:
            forgotten = self._runner.book.list_claimed(self._lease.name) - known
            if forgotten:
                log.warning("%d jobs were claimed and forgotten; they wait again", len(forgotten))
                self._runner.book.put_back(sorted(forgotten), self._lease.name)
        except Unavailable:
            return
        holders = self._try_redis(lambda: self._lists.list_holders(self._lists.list_claims())) or {}
        self._settle([Settlement(claim, Place.FRONT) for claim, holder in holders.items()
                      if holder == self._lease.name and claim.job_id not in known | settled])

    def _end_overdue(self, stuck: list[Run]) -> None:
        """Record the failure of runs that cannot be stopped, give everything back, and have the process end."""
        if not stuck:
            return
        try:
            endings = [self._runner.record(run, self._runner.overran(run), True) for run in stuck]
            self._settle(self._runner.conclude(endings, self._lease.name))
        except Unavailable:
            return
        for run in stuck:
            self._running.pop(run.job_id, None)
        self._give_back()
        raise Stuck

    def _finish(self) -> None:
        """Wait for what runs, up to the limit; then give it back."""
        deadline = time.monotonic() + self._stop_seconds
        self._hand_over(list(self._suspects))
        self._suspects.clear()
        while self._running and time.monotonic() < deadline:
            self._lease.alive()
            if not self._lease.holds:
                raise LeaseLost
            self._conclude()
            self._do_chores()
            self._rest()
        self._conclude()
        if self._running:
            log.warning("Stopped in the middle of %d jobs, which are given back", len(self._running))
        self._give_back()

    def _give_back(self) -> None:
        self._hand_over([*self._suspects, *self._running.values()])
        self._suspects.clear()
        self._running.clear()

    def _hand_over(self, runs: list[Run]) -> None:
        """Put runs back into the queue, before others: neither failures nor crashes."""
        for run in runs:
            run.lose()
        try:
            if runs:
                self._runner.book.put_back([run.job_id for run in runs], self._lease.name)
        except Unavailable:
            log.warning("%d jobs could not be given back; their worker's lease will end", len(runs))
            return
        self._settle([Settlement(run.claim, Place.FRONT) for run in runs])

    def _try_redis(self, work: Callable[[], Any]) -> Any:
        """Do `work`, or nothing while Redis is away: it is asked again every half second."""
        if time.monotonic() < self._redis_from:
            return None
        try:
            done = work()
            self._redis_from = 0.0
            return done
        except RedisError as error:
            if not self._redis_from:
                log.warning("Redis is away: %s", error)
            self._redis_from = time.monotonic() + _AWAY_SECONDS
            return None


