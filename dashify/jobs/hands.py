"""The hands of a worker: threads that each do one run at a time, which are greenlets where the process is patched."""

from __future__ import annotations

import ctypes
import queue
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext

import gevent
from gevent import monkey

from dashify.clients.rq_lists import Place
from dashify.jobs.runner import Ending
from dashify.jobs.running import Run, TimeIsUp

GRACE_SECONDS = 15.0


class Hand:
    """One thread of its worker's."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._lock = threading.Lock()
        self.run: Run | None = None
        self.began = 0.0
        self._told = False
        self._thread = threading.Thread(target=self._work, name="hand", daemon=True)
        self._thread.start()

    def overtime(self, now: float) -> float:
        """Give by how many seconds the present run is over its limit; negative where it is within it, or none runs."""
        return now - self.began - self._hands.time_limit if self.run is not None else -1.0

    def interrupt(self) -> None:
        """Raise `TimeIsUp` in a native thread that computes; one that waits inside a C call is not reached."""
        with self._lock:
            if self.run is not None and not self._told:
                self._told = True
                self._raise(ctypes.py_object(TimeIsUp))

    def _work(self) -> None:
        while (run := self._hands.waiting.get()) is not None:
            self.began = time.monotonic()
            self.run = run
            ending = self._do(run)
            with self._lock:
                if self._told:
                    self._told = False
                    self._raise(None)
                self.run = None
            self._hands.ended(ending)

    def _do(self, run: Run) -> Ending:
        try:
            # A greenlet is interrupted by its own loop; a native thread by whoever watches it.
            with gevent.Timeout(self._hands.time_limit, TimeIsUp) if self._hands.greenlets else nullcontext():
                return self._hands.perform(run)
        except TimeIsUp:  # it came while the end of the run was being recorded
            return Ending(run, "unrecorded", Place.BACK)

    def _raise(self, kind: ctypes.py_object[type[BaseException]] | None) -> None:
        ident = ctypes.c_ulong(self._thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, kind)


class Hands:
    """As many hands as are needed at once, up to `count`; `ended` is called by a hand with each run's ending."""

    def __init__(self, count: int, time_limit: float, perform: Callable[[Run], Ending],
                 ended: Callable[[Ending], None]) -> None:
        self.perform, self.ended = perform, ended
        self.time_limit = time_limit
        self.greenlets = monkey.is_module_patched("threading")
        self.waiting: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._count = count
        self._hands: list[Hand] = []

    def give(self, run: Run, busy: int) -> None:
        """Have a hand do `run`; `busy` counts the runs that were given and have not ended."""
        if busy >= len(self._hands) and len(self._hands) < self._count:
            self._hands.append(Hand(self))
        self.waiting.put(run)

    def watch(self) -> list[Run]:
        """Interrupt the runs that are over their time; give those that could not be stopped for another 15 s."""
        now = time.monotonic()
        over = [hand for hand in self._hands if hand.overtime(now) > 0]
        if not self.greenlets:
            for hand in over:
                hand.interrupt()
        return [hand.run for hand in over if hand.overtime(now) > GRACE_SECONDS and hand.run is not None]

    def dismiss(self) -> None:
        """Let every hand go, once it has nothing to do."""
        for _ in self._hands:
            self.waiting.put(None)
