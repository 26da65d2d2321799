from __future__ import annotations

import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from dashify.domain.files import FileKind
from dashify.errors import Unavailable
from dashify.reading import jail, read_file, sandbox
from tests.reading.asking import children, refusal, text_in

SLOW = b"<div>" * 400_000  # takes an HTML parser minutes, as each looks through all that it is in


def in_jail(program: str, *arguments: str) -> str:
    """Run a program in the jail and give what it prints."""
    whole = f"import os, socket, sys\nfrom dashify.reading import jail\njail.limit()\njail.close_in()\n{program}"
    done = subprocess.run([sys.executable, "-s", "-c", whole, *arguments], env={"PYTHONPATH": str(sandbox._ROOT)},
                          capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


LIMITED = ["open('/etc/hostname')", "open(sys.argv[1], 'a').write('x')", "socket.socket()",
           "bytearray(jail.MEMORY_BYTES)"]
FILTERED = ["os.fork()", "os.execv('/bin/true', ['true'])", "os.kill(os.getppid(), 0)", "os.unlink(sys.argv[1])",
            "jail.resource.setrlimit(jail.resource.RLIMIT_NOFILE, (64, 64))"]


@pytest.mark.parametrize("attempt", LIMITED + (FILTERED if platform.machine() == "x86_64" else []))
def test_the_reader_can_open_write_call_start_signal_and_hoard_nothing(tmp_path: Path, attempt: str) -> None:
    refused = "except (OSError, MemoryError, ValueError):\n    print('refused')"
    kept = tmp_path / "kept"
    kept.write_text("kept")
    answer = in_jail(f"try:\n    {attempt}\n    print('done')\n{refused}", str(kept))
    assert answer == "refused"
    assert kept.read_text() == "kept"


def test_the_reader_is_told_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DASHIFY_SECRET_KEY", "do-not-pass-this-on")
    path, seen = tmp_path / "a.html", ""
    path.write_bytes(SLOW)

    def look() -> None:
        nonlocal seen
        seen += "".join("\n".join(f"{name}={value}" for name, value in psutil.Process(pid).environ().items())
                        for pid in children())
        if seen:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        read_file(path, FileKind.HTML, check=look)
    assert "PYTHONPATH" in seen
    assert "SECRET" not in seen


def test_a_reader_that_hangs_is_ended_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(SLOW)
    began = time.monotonic()
    assert refusal(path, FileKind.HTML, seconds=1.5) == "file_too_complex"
    assert time.monotonic() - began < 10
    assert not children()
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_asked_can_end_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(SLOW)

    def check() -> None:
        if children():
            raise KeyError("cancelled")

    with pytest.raises(KeyError):
        read_file(path, FileKind.HTML, check=check)
    assert not children()


def test_a_reader_does_not_outlive_a_worker_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(SLOW)
    program = ("import sys; from pathlib import Path; from dashify.reading import read_file; "
               "from dashify.domain.files import FileKind; read_file(Path(sys.argv[1]), FileKind.HTML)")
    with subprocess.Popen([sys.executable, "-c", program, str(path)], cwd=sandbox._ROOT) as worker:
        reader = until(lambda: psutil.Process(worker.pid).children())[0]
        until(lambda: reader.cpu_times().user > 0.3)  # it is at the file
        worker.send_signal(signal.SIGKILL)
    until(lambda: not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE)


def until(ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := ready()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("piece", [b"<b>", b"<p>x"])
def test_a_file_that_eats_memory_is_refused(tmp_path: Path, piece: bytes) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(piece * (24_000_000 // len(piece)))
    assert refusal(path, FileKind.HTML) == "file_too_complex"
    assert not children()


def test_a_reader_that_cannot_begin_does_not_blame_the_file(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as away:
        read_file(tmp_path / "gone.txt", FileKind.TEXT)
    assert away.value.code == "reader_unavailable"


def test_text_of_two_million_characters_outside_the_basic_plane_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("🚂" * 2_000_000)
    assert len(text_in(path, FileKind.TEXT)) == 2_000_000
    path.write_text("🚂" * 2_000_001)
    assert refusal(path, FileKind.TEXT) == "file_too_large"


def test_the_clock_of_the_reader_runs_out_before_that_of_its_worker() -> None:
    assert jail.PROCESSOR_SECONDS < sandbox.SECONDS
