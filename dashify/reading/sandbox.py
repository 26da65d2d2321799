"""The parent's side of reading: a fresh process for each file, without our secrets, and ended when it takes too much.

The child limits its own memory, processor time and files before it looks at the file (`child.py`); here are the limits
that hold even where those fail: the clock, the size of the answer, and the end of the child's whole process group.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashify.domain.files import WHY, FileKind, unreadable
from dashify.domain.knowledge import MAX_TEXT
from dashify.errors import Unavailable

SECONDS = 90.0
BEGUN = b"begun\n"  # printed once reading begins: what goes wrong before is not the file's fault
_STEP_SECONDS = 0.1
_MOST_BYTES = 16 * 1024 * 1024  # of JSON in UTF-8: two million characters, whatever they are
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Extract:
    """What a file says: a title, empty where it has none, and its text, lines ended by a line feed, headings by `#`."""

    title: str
    text: str


def read_file(path: Path, kind: FileKind, *, check: Callable[[], None] = lambda: None,
              seconds: float = SECONDS) -> Extract:
    """Read a file; `check` is called several times a second and ends the reading by raising.

    Raises:
        Unreadable: one of the codes in `domain.files.WHY`. Trying again gives the same.
        Unavailable: `reader_unavailable`; the process did not come to look at the file, which may be fine.
    """
    command = [sys.executable, "-s", "-m", "dashify.reading.child", kind.value, str(path), str(os.getpid())]
    environment = {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(command, cwd="/", env=environment, stdin=subprocess.DEVNULL,  # noqa: S603 - our own program
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as child:
        answer = _Answer(child)
        try:
            _wait(child, answer, check, time.monotonic() + seconds)
        finally:
            _end(child)
    return _understood(answer.data, child.returncode)


class _Answer:
    """What the child writes, read by a thread of its own so that a full pipe stops nobody; too much ends the child."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.data = b""
        self._child = child
        self.reader = threading.Thread(target=self._read, name="reading", daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            self.data = self._child.stdout.read(_MOST_BYTES + 1)


def _wait(child: subprocess.Popen[bytes], answer: _Answer, check: Callable[[], None], deadline: float) -> None:
    while answer.reader.is_alive():
        answer.reader.join(_STEP_SECONDS)
        check()
        if time.monotonic() > deadline:
            return
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(1.0)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the child's process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _understood(data: bytes, status: int) -> Extract:
    if len(data) > _MOST_BYTES:
        raise unreadable("file_too_large")
    if not data.startswith(BEGUN):
        raise Unavailable("Files cannot be read at the moment.", code="reader_unavailable")
    try:
        answer = json.loads(data[len(BEGUN):])
    except ValueError:
        # It died before it could answer: of its limits, of ours, or of the file.
        raise unreadable("file_too_complex" if status else "file_broken") from None
    if "code" in answer:
        raise unreadable(answer["code"] if answer["code"] in WHY else "file_broken")
    if len(answer["text"]) > MAX_TEXT:
        raise unreadable("file_too_large")
    if not answer["text"].strip():
        raise unreadable("file_empty")
    return Extract(answer["title"], answer["text"])
