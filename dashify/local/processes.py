"""Child processes: each in a session of its own, tied to our life, and told apart by pid and start time."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dashify.settings import child_environment

PR_SET_PDEATHSIG = 1
# The folder that holds the package, so that `python -m dashify…` works in a child wherever we were started.
ROOT = Path(__file__).resolve().parents[2]


def spawn(
    command: Sequence[str], *, output: int, environment: Mapping[str, str] | None = None, cwd: Path = ROOT,
    last_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command` as the leader of a new session, with both outputs on the file descriptor `output` (or PIPE).

    The kernel sends it `last_signal` when the calling thread ends, so call this only from a thread that lives as
    long as the child should. A terminal's Ctrl-C does not reach it.

    Raises:
        OSError: the program is missing or cannot be run.
    """
    return subprocess.Popen(  # noqa: S603 - the commands are our own table's, never input
        list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd,
        env=child_environment(environment or {}), start_new_session=True,
        # It makes two system calls and nothing else, which is safe beside threads.
        preexec_fn=_tie(last_signal),
    )


def _tie(last_signal: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: a forked child of a program with threads must not import or open libraries.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(last_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def signal_group(leader: int, number: signal.Signals) -> bool:
    """Send `number` to every process of the group that `leader` leads; tell whether there was any."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def session_members(leader: int) -> list[int]:
    """List the living processes of the session that `leader` leads or led, whatever groups they made for themselves."""
    found = []
    for entry in Path("/proc").iterdir():
        fields = _stat(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None and int(fields[3]) == leader:
            found.append(int(entry.name))
    return found


def kill_session(leader: int) -> None:
    """Kill what is left of the session that `leader` led, at once."""
    signal_group(leader, signal.SIGKILL)
    for pid in session_members(leader):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether `process` has ended, without reaping it: until then its pid names nothing else."""
    if process.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def start_time(pid: int) -> str | None:
    """Give the kernel's start time of `pid` in clock ticks since boot, None when there is no such process.

    With the pid it names one process for ever, since pids are given out again.
    """
    fields = _stat(pid)
    return None if fields is None else fields[19]


def _stat(pid: int) -> list[str] | None:
    """Read what follows the name in /proc/PID/stat (proc(5), field 3 on), None for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The program's name, in parentheses, may hold spaces; a zombie counts as gone.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields


def describe_exit(code: int) -> str:
    """Say how a process ended, for a person: its exit code or the signal that killed it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
