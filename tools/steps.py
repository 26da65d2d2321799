"""Running a step with progress a person likes to read: one line a step, its output only where it fails."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_KEPT_LINES = 60
_WIDTH = 100


class StepFailed(Exception):
    """A step that did not succeed; says so with the end of what it printed."""


def step(
    title: str, command: Sequence[str], *, folder: Path = ROOT, environment: Mapping[str, str] | None = None,
    show: tuple[str, ...] = (),
) -> None:
    """Run `command`; on a terminal also show, for a moment, each line of its output that begins with one of `show`.

    Raises:
        StepFailed: it ended with anything but 0, or could not be started.
    """
    began = time.monotonic()
    live = sys.stdout.isatty()
    print(f"  {title} …", end="" if live else "\n", flush=True)
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        with subprocess.Popen(  # noqa: S603 - ours
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        ) as process:
            for line in process.stdout or ():
                last.append(line)
                if live and line.strip().startswith(show or ("\0",)):
                    print(f"\r\033[K  {title} … {line.strip()[:_WIDTH - len(title)]}", end="", flush=True)
    except OSError as error:
        raise StepFailed(f"  {title}: {error}") from error
    if process.returncode:
        raise StepFailed(f"\n{''.join(last)}\n  {title}: failed (status {process.returncode}).")
    begin, took = "\r\033[K" if live else "", f"{time.monotonic() - began:.1f} s"
    print(f"{begin}  {title}: done in {took}", flush=True)
