"""What a person sees of the running stack: progress, the children's lines behind their names, and new mail.

Nothing that is shown may hold up what runs: lines go through a bounded queue to a thread of its own, so a paused
terminal or a full pipe costs lines on the screen (the log files have them all), never a blocked child.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from typing import TextIO

QUEUED_LINES = 5_000
LAST_SECONDS = 2.0
COLORS = (36, 35, 33, 34, 32, 96, 95, 93, 94, 92)
GREEN, RED, DIM = 32, 31, 2


class Screen:
    """Writes whole lines to one stream. Safe to use from any thread."""

    def __init__(self, stream: TextIO, *, color: bool, names: Iterable[str] = ()) -> None:
        self._stream = stream
        self._color = color
        self._names = {name: index for index, name in enumerate(names)}
        self._width = max([8, *map(len, self._names)])
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUED_LINES)
        self._skipped = 0
        self._writer = threading.Thread(target=self._write, name="screen", daemon=True)
        self._writer.start()

    def say(self, text: str = "") -> None:
        """Show a line of our own."""
        self._put(text)

    def done(self, name: str, text: str, seconds: float) -> None:
        """Show that the part `name` has done a step, and how long it took."""
        self._put(f"  {self._paint('ok', GREEN)} {name:<{self._width}}  {seconds:5.1f} s  {self._paint(text, DIM)}")

    def trouble(self, name: str, text: str) -> None:
        """Show that something went wrong with the part `name`."""
        self._put(f"  {self._paint('!!', RED)} {name:<{self._width}}  {text}")

    def child(self, name: str, line: str) -> None:
        """Show a line that a child wrote, behind its name, with control characters taken out."""
        tidy = "".join(mark if mark.isprintable() else " " for mark in line.expandtabs(4))
        color = COLORS[self._names.get(name, 0) % len(COLORS)]
        self._put(f"{self._paint(f'{name:<{self._width}} |', color)} {tidy}")

    def close(self) -> None:
        """Show what still waits, for 2 s at most."""
        try:
            self._lines.put(None, timeout=LAST_SECONDS)
        except queue.Full:
            return
        self._writer.join(LAST_SECONDS)

    def _put(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._skipped += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            skipped, self._skipped = self._skipped, 0
            try:
                if skipped:
                    self._stream.write(f"({skipped} lines not shown; the log files have them)\n")
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                # The terminal was closed; the log files go on.
                continue

    def _paint(self, text: str, color: int) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._color else text
