"""Doing something at most once a second for each subject, and once more after the last time it came too often."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable

log = logging.getLogger(__name__)

_MOST_REMEMBERED = 10_000


class Throttle:
    """Holds back what comes too often. The last of a burst is done late, within two periods, and not dropped.

    A thread does that, which is there only while something is held back. What is held back when the process ends is
    lost.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._done_at: dict[Hashable, float] = {}
        self._held: dict[Hashable, Callable[[], None]] = {}
        self._lock = threading.Lock()
        self._waiting = False

    def run(self, subject: Hashable, do: Callable[[], None]) -> None:
        """Do `do` at once, or later where something was done for `subject` within the last second."""
        with self._lock:
            if subject in self._held or not self._is_due(subject):
                self._held[subject] = do
                if not self._waiting:
                    self._waiting = True
                    threading.Thread(target=self._do_held, name="throttle", daemon=True).start()
                return
            self._note(subject)
        do()

    def _do_held(self) -> None:
        while True:
            time.sleep(self._seconds)
            with self._lock:
                ready = [self._take(subject) for subject in list(self._held) if self._is_due(subject)]
                self._waiting = bool(self._held)
                last = not self._waiting
            for do in ready:
                try:
                    do()
                except Exception:  # the others that are held back must not suffer from one
                    log.exception("Something that was held back failed")
            if last:
                return

    def _take(self, subject: Hashable) -> Callable[[], None]:
        self._note(subject)
        return self._held.pop(subject)

    def _is_due(self, subject: Hashable) -> bool:
        return time.monotonic() - self._done_at.get(subject, float("-inf")) >= self._seconds

    def _note(self, subject: Hashable) -> None:
        if len(self._done_at) >= _MOST_REMEMBERED:
            self._done_at = {one: at for one, at in self._done_at.items() if time.monotonic() - at < self._seconds}
        self._done_at[subject] = time.monotonic()
