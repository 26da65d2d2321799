"""A child's output on its way: each line to its bounded log file, to the screen, and the last ones kept for reports."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

LARGEST_LOG = 10 * 1024 * 1024
KEPT_LOGS = 3
LAST_LINES = 20
LONGEST_LINE = 64 * 1024
# One line a request would bury everything else on the screen; the log file has them.
ACCESS_LOG = "dashify.access"
HIDDEN_FIELDS = frozenset({"time", "process", "logger", "instance"})


class Log:
    """One log file that is set aside at 10 MB; three older ones are kept beside it as NAME.log.1 to .3."""

    def __init__(self, path: Path, largest: int = LARGEST_LOG) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._largest = path, largest
        self._file = path.open("ab")
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Append `line`; a full disk loses it."""
        with self._lock, suppress(OSError):
            if self._file.tell() + len(line) > self._largest:
                self._set_aside()
            self._file.write(line)
            self._file.flush()

    def _set_aside(self) -> None:
        self._file.close()
        try:
            for number in range(KEPT_LOGS, 0, -1):
                older = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
                if older.exists():
                    os.replace(older, self._path.with_name(f"{self._path.name}.{number}"))
        finally:
            self._file = self._path.open("ab")


class Output:
    """Where the lines of one child go, over all its lives."""

    def __init__(self, log: Log, show: Callable[[str], None]) -> None:
        self._log, self._show = log, show
        self.last: deque[str] = deque(maxlen=LAST_LINES)

    def follow(self, pipe: IO[bytes]) -> threading.Thread:
        """Take lines from `pipe` until it ends, in a thread of its own."""
        thread = threading.Thread(target=self._pump, args=(pipe,), daemon=True)
        thread.start()
        return thread

    def _pump(self, pipe: IO[bytes]) -> None:
        with pipe:
            while line := pipe.readline(LONGEST_LINE):
                self._log.write(line)
                text = line.decode("utf-8", "replace").rstrip()
                for shown in readable(text):
                    self.last.append(shown)
                    self._show(shown)


def readable(line: str) -> list[str]:
    """Give what a person wants to see of a line: structured ones as text, with their fields and traceback.

    What is known from the context (time, process, logger) is left to the log file, and so are requests that went well.
    """
    entry = _entry(line)
    if entry is None:
        return [line] if line else []
    if entry.get("logger") == ACCESS_LOG and (entry.get("route") == "/readyz" or int(entry.get("status") or 0) < 500):
        return []
    level, message = str(entry.pop("level")), str(entry.pop("message"))
    traceback = str(entry.pop("exception", "") or "").splitlines()
    fields = " ".join(f"{name}={value}" for name, value in entry.items() if name not in HIDDEN_FIELDS)
    first = " ".join(part for part in ("" if level == "info" else f"{level}:", message, fields) if part)
    return [first, *traceback]


def _entry(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"level", "message"} <= entry.keys() else None
