"""A worker process's lease: renewed every 5 s by a native thread, so that no job that computes can cost it."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable

from gevent import monkey

from dashify.domain.jobs import BEAT_SECONDS, LEASE_SECONDS, Queue
from dashify.errors import Unavailable
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.workers import Clock, Workers

HANGING_SECONDS = 10.0
# Unpatched, in a process of greenlets as in one of threads.
_start_native: Callable[[Callable[[], None], tuple[()]], int] = monkey.get_original("_thread", "start_new_thread")
_native_sleep: Callable[[float], None] = monkey.get_original("time", "sleep")


class WorkerLease:
    """One worker's right to hold jobs. Once lost it stays lost; the worker goes on under a new name.

    The thread opens connections of its own and shares nothing with the jobs but the few plain fields here: what
    greenlets of one thread lock, another thread must not.
    """

    def __init__(self, queue: Queue, settings: Settings) -> None:
        self.name = f"{queue.value}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.running = 0
        self.alive_at = time.monotonic()
        self._queue = queue
        self._settings = settings
        self._renewed_at = 0.0
        self._lost = self._released = False

    def begin(self, workers: Workers) -> None:
        """Register and begin to renew.

        Raises:
            Unavailable: MongoDB is away.
        """
        slots = self._settings.queues[self._queue.value].concurrency
        self.alive_at = self._renewed_at = time.monotonic()
        workers.register(self.name, {"queue": self._queue.value, "host": socket.gethostname(), "pid": os.getpid(),
                                     "slots": slots})
        _start_native(self._renew_all, ())

    @property
    def holds(self) -> bool:
        """Tell whether the lease surely holds now: time that passed while the process was frozen counts."""
        return not self._lost and time.monotonic() - self._renewed_at < LEASE_SECONDS

    def alive(self) -> None:
        """Say that the process's loop still turns; when it has not for 10 s, the lease is not renewed any more."""
        self.alive_at = time.monotonic()

    def release(self, workers: Workers) -> None:
        """Give the lease up, once nothing is held by it."""
        self._released = self._lost = True
        workers.remove(self.name)

    def _renew_all(self) -> None:
        resources = Resources(self._settings)
        try:
            workers = Workers(resources.database, Clock(resources.database))
            while not self._released:
                _native_sleep(BEAT_SECONDS)
                if not self._released and not self._renew(workers):
                    break
        finally:
            resources.close()

    def _renew(self, workers: Workers) -> bool:
        """Renew once; tell whether to go on."""
        begun = time.monotonic()
        if begun - self.alive_at > HANGING_SECONDS:
            return True
        try:
            renewed = workers.renew(self.name, self.running)
        except Unavailable:
            # It may have been lost meanwhile; whether it was, MongoDB says when it is back.
            return True
        if renewed:
            self._renewed_at = begun
        else:
            self._lost = True
        return renewed
