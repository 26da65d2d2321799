"""The life of this process: is it draining, how many requests run, and what has to happen when it stops."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


class Lifecycle:
    """What one process knows of its own end. Shared by its greenlets; every method may be called from any of them."""

    def __init__(self) -> None:
        self._draining = threading.Event()
        self._running = 0
        self._closers: list[Callable[[float], None]] = []

    @property
    def draining(self) -> bool:
        """Tell whether the process has been asked to stop."""
        return self._draining.is_set()

    @property
    def running(self) -> int:
        """Count the requests that are being answered now (open sockets are not requests)."""
        return self._running

    def begin_drain(self) -> None:
        """Say from now on that this process is going: readiness fails, answers carry `Connection: close`."""
        self._draining.set()

    def wait_for_drain(self, seconds: float) -> bool:
        """Wait up to `seconds` for the drain to begin; tell whether it has. For loops that beat until the end."""
        return self._draining.wait(seconds)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count one request for as long as the block runs."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def on_drain(self, closer: Callable[[float], None]) -> None:
        """Register `closer(seconds)`, which closes long-lived connections, spread over up to `seconds`."""
        self._closers.append(closer)

    def close_connections(self, seconds: float) -> None:
        """Run every registered closer, each at most once; one that fails does not stop the others."""
        closers, self._closers = self._closers, []
        for closer in closers:
            try:
                closer(seconds)
            except Exception:  # a drain must go on whatever a closer meets
                log.exception("A connection closer failed while draining")
