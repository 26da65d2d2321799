"""The last means against processes left behind: a tiny process that outlives the supervisor by a few seconds.

It reads what the supervisor started from a pipe. When the pipe closes, the supervisor is gone, however it went; what is
still there is asked to end, and then killed. It also holds the data folder's lock until then, so that the next start
finds the folder free.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from dashify.local.processes import ROOT, kill_session, session_members, signal_group, start_time

GRACE_SECONDS = 3.0


class Guard:
    """The supervisor's side: tell the guard what was started and what has ended."""

    def __init__(self, keep_open: Sequence[int] = ()) -> None:
        """Start the guard; the file descriptors `keep_open` stay open as long as it lives."""
        self._keep_open = tuple(keep_open)
        self._known: dict[int, str] = {}
        self._process = self._start()

    def add(self, pid: int) -> None:
        """Have the session that `pid` leads ended when the supervisor is gone."""
        self._known[pid] = start_time(pid) or ""
        self._tell(f"+ {pid} {self._known[pid]}")

    def remove(self, pid: int) -> None:
        """Forget a session that has ended."""
        if self._known.pop(pid, None) is not None:
            self._tell(f"- {pid} 0")

    def check(self) -> None:
        """Start the guard again when somebody ended it."""
        if self._process.poll() is not None:
            self._process = self._start()
            for pid, started in list(self._known.items()):
                self._tell(f"+ {pid} {started}")

    def close(self) -> None:
        """Let the guard end whatever is still known, and wait for it."""
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        # Unlike every other child it must not die with us.
        return subprocess.Popen(
            [sys.executable, "-m", "dashify.local.guard"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True, pass_fds=self._keep_open,
        )

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            # A guard that is gone is started again, with everything told anew, by `check`.
            with suppress(OSError):
                self._process.stdin.write(line.encode() + b"\n")
                self._process.stdin.flush()


def main() -> None:
    """Read the pipe to its end, then leave nothing behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    known: dict[int, str] = {}
    for line in sys.stdin:
        sign, pid, started = line.split(" ", 2)
        if sign == "+":
            known[int(pid)] = started.strip()
        else:
            known.pop(int(pid), None)
    end(known)


def end(known: dict[int, str]) -> None:
    """End the sessions in `known` (leader's pid to its start time): asked first, killed after 3 s."""
    ours = [pid for pid, started in known.items() if start_time(pid) in (started, None)]
    for pid in ours:
        signal_group(pid, signal.SIGTERM)
        signal_group(pid, signal.SIGCONT)
    deadline = time.monotonic() + GRACE_SECONDS
    while any(map(session_members, ours)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in ours:
        kill_session(pid)


if __name__ == "__main__":
    os.chdir("/")
    main()
