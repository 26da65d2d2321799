"""The leases of one worker process: renewed every 5 s by a thread of their own for as long as their jobs run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dashify.domain.jobs import BEAT_SECONDS, LEASE_SECONDS
from dashify.errors import Unavailable
from dashify.jobs.running import Run
from dashify.stores.jobs import JobBook

log = logging.getLogger(__name__)


class Leases:
    """Renews the leases of running jobs. A run whose lease could not be renewed in time is told that it is lost."""

    def __init__(self, book: JobBook, *, beat_seconds: float = BEAT_SECONDS) -> None:
        self._book = book
        self._beat = beat_seconds
        self._runs: dict[Run, float] = {}
        self._lock = threading.Lock()
        self._started = False

    @contextmanager
    def held(self, run: Run) -> Iterator[None]:
        """Keep the lease of `run` renewed inside the block; it was claimed just now."""
        with self._lock:
            self._runs[run] = time.monotonic() + LEASE_SECONDS
            if not self._started:
                self._started = True
                threading.Thread(target=self._renew_all, name="leases", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._runs.pop(run, None)

    def give_back_all(self) -> int:
        """Give every running job back to the queue, because this process ends; give their number."""
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.lose()
            try:
                self._book.put_back(run.job_id, run.attempt)
            except Unavailable:
                log.warning("A job could not be given back; its lease will end", extra={"job_id": run.job_id})
        return len(runs)

    def _renew_all(self) -> None:
        while True:
            time.sleep(self._beat)
            with self._lock:
                runs = list(self._runs.items())
            for run, ends in runs:
                try:
                    self._renew(run, ends)
                except Exception:  # the thread must outlive any one renewal
                    log.exception("A lease could not be renewed", extra={"job_id": run.job_id})

    def _renew(self, run: Run, ends: float) -> None:
        begun = time.monotonic()
        try:
            counts = self._book.extend(run.job_id, run.attempt)
        except Unavailable:
            if time.monotonic() < ends:
                return
            counts = False
        with self._lock:
            if counts and run in self._runs:
                self._runs[run] = begun + LEASE_SECONDS
        if not counts:
            run.lose()
