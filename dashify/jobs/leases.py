"""A worker process's lease: renewed every 5 s by a native thread, so that no job that computes can cost it."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey

from dashify.domain.jobs import BEAT_SECONDS, LEASE_SECONDS, Queue
from dashify.errors import Unavailable
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.workers import Clock, Workers

HANGING_SECONDS = 10.0
# Unpatched, in a process of greenlets as in one of threads.
_start_native: Callable[[Callable[[], None], tuple[()]], int] = monkey.get_original("_thread", "start_new_thread")
_native_lock: Callable[[], Any] = monkey.get_original("_thread", "allocate_lock")
_CLOSE_SECONDS, _TICK = 2.0, 0.02


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
        self._lost = self._renews = False
        self._held = _native_lock()  # while we hold the lease; the thread waits for it to be let go
        self._held.acquire()

    def begin(self, workers: Workers) -> None:
        """Register and begin to renew.

        Raises:
            Unavailable: MongoDB is away.
        """
        slots = self._settings.queues[self._queue.value].concurrency
        self.alive_at = self._renewed_at = time.monotonic()
        workers.register(self.name, {"queue": self._queue.value, "host": socket.gethostname(), "pid": os.getpid(),
                                     "slots": slots})
        self._renews = True
        _start_native(self._renew_all, ())

    @property
    def holds(self) -> bool:
        """Tell whether the lease surely holds now: time that passed while the process was frozen counts."""
        return not self._lost and time.monotonic() - self._renewed_at < LEASE_SECONDS

    def alive(self) -> None:
        """Say that the process's loop still turns; when it has not for 10 s, the lease is not renewed any more."""
        self.alive_at = time.monotonic()

    def release(self, workers: Workers) -> None:
        """Give the lease up, once nothing is held by it, and let the thread close what it has opened.

        A client that is left open costs the process's end a second for each of its monitors, which no loop runs then.
        """
        self._lost = True
        if self._held.locked():
            self._held.release()
        try:
            workers.remove(self.name)
        finally:
            waited_until = time.monotonic() + _CLOSE_SECONDS
            while self._renews and time.monotonic() < waited_until:
                time.sleep(_TICK)

    def _renew_all(self) -> None:
        resources = Resources(self._settings)
        try:
            workers = Workers(resources.database, Clock(resources.database))
            while not self._held.acquire(timeout=BEAT_SECONDS) and self._renew(workers):
                pass
        finally:
            resources.close()
            if monkey.is_module_patched("threading"):
                gevent.get_hub().join(_CLOSE_SECONDS)  # the client's monitors are greenlets of this thread
            self._renews = False

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
