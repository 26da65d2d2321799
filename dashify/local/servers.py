"""One embedded server alone, for tests and load tools: started, stopped, killed, frozen and started again at will.

with running_redis(folder) as redis:
    client = Redis.from_url(redis.url)
    redis.restart()
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dashify.errors import DashifyError
from dashify.local import embedded, probes
from dashify.local.processes import describe_exit, signal_group, spawn

START_SECONDS = 30.0
STOP_SECONDS = 15.0
ATTEMPTS = 3


class ServerFailed(DashifyError):
    """A server did not start, or ended before it answered."""

    default_code = "server_failed"


class Server:
    """A running server process. Its address and its data stay the same over `stop`, `kill` and `start`."""

    def __init__(self, description: embedded.Embedded, log: Path) -> None:
        self.name, self.url, self.log = description.name, description.url, log
        self._description = description
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            ServerFailed: it ended or stayed silent for 30 s; the message has the last lines of its output.
        """
        if self._process:
            raise ServerFailed(f"{self.name} is running already.")
        with self.log.open("ab") as log:
            process = self._process = spawn(self._description.command, output=log.fileno())
        deadline = time.monotonic() + START_SECONDS
        while not (process.poll() is None and self._description.answers()):
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                how = describe_exit(process.returncode)
                raise ServerFailed(f"{self.name} did not start ({how}):\n{self._last_lines()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server as an operator would, so that it saves; killed when that takes over 15 s."""
        self.thaw()
        if self._process and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        if self._process:
            signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop the server cleanly and start it again on the same port and data."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop the server's clock: connections stay open and nothing is answered."""
        if self._process:
            signal_group(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        if self._process:
            signal_group(self._process.pid, signal.SIGCONT)

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])


def start_alone(describe: Callable[[Path, int], embedded.Embedded], folder: Path, port: int = 0) -> Server:
    """Start one server with its data and its log in `folder`; port 0 takes a free one.

    Raises:
        ServerFailed: it did not come up.
    """
    folder = folder.resolve()
    for attempt in range(1, ATTEMPTS + 1):
        description = describe(folder, port or probes.free_port())
        server = Server(description, folder / f"{description.name}.log")
        try:
            server.start()
            return server
        except ServerFailed:
            # Somebody else may have taken the port between our look and the server's.
            if port or attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


@contextmanager
def running_redis(folder: Path, port: int = 0) -> Iterator[Server]:
    """Run Redis with its data in `folder` for the length of a `with` block."""
    yield from _running(embedded.redis_server, folder, port)


@contextmanager
def running_mongodb(folder: Path, port: int = 0) -> Iterator[Server]:
    """Run the MongoDB-compatible server with its data in `folder` for the length of a `with` block."""
    yield from _running(embedded.mongodb_server, folder, port)


@contextmanager
def running_qdrant(folder: Path, port: int = 0) -> Iterator[Server]:
    """Run the Qdrant-compatible store with its data in `folder` for the length of a `with` block."""
    yield from _running(embedded.qdrant_server, folder, port)


@contextmanager
def running_models(folder: Path, port: int = 0) -> Iterator[Server]:
    """Run the embedding host for the length of a `with` block; `folder` gets its log."""
    yield from _running(embedded.models_server, folder, port)


def _running(
    describe: Callable[[Path, int], embedded.Embedded], folder: Path, port: int,
) -> Iterator[Server]:
    server = start_alone(describe, folder, port)
    try:
        yield server
    finally:
        server.kill()
