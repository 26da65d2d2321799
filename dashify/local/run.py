"""One run of the whole product on one machine, from the command line's options to the last process gone."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from dashify.errors import DashifyError
from dashify.local import demo, listeners, probes
from dashify.local.folder import Folder
from dashify.local.guard import Guard
from dashify.local.mails import Mailbox
from dashify.local.screen import Screen
from dashify.local.stack import Options, Stack, describe
from dashify.local.supervisor import StartFailed, Supervisor
from dashify.settings import child_environment

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MOST_INSTANCES = 64


class Requests:
    """Counts the requests to stop that reached us as signals."""

    def __init__(self) -> None:
        self.count = 0
        for number in STOPS:
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


class Run:
    """One run: the supervisor, what it shows, and the record of it in run.json."""

    def __init__(self, stack: Stack, folder: Folder, screen: Screen, asked: Callable[[], int]) -> None:
        self._stack, self._folder, self._screen, self._asked = stack, folder, screen, asked
        self._recorded = False
        self._sign_in: dict[str, str] | None = None
        self._guard = Guard([folder.lock])
        self._mailbox = Mailbox(folder.path / "mails")
        self._supervisor = Supervisor(
            stack.children, screen=screen, logs=folder.path / "logs", guard=self._guard, asked=asked,
            changed=self._record,
        )

    def go(self) -> None:
        """Start everything, keep it alive until asked to stop, and stop it.

        Raises:
            StartFailed: a part cannot be started; everything is stopped again.
        """
        try:
            if self._supervisor.start():
                self._announce()
                while not self._asked():
                    self._supervisor.tick()
                    for line in self._mailbox.news():
                        self._screen.child("mail", line)
        finally:
            self._stop()

    def _announce(self) -> None:
        options, screen = self._stack.options, self._screen
        if options.demo:
            try:
                self._sign_in = demo.prepare(self._folder.path, options.url)
            except demo.DemoFailed as failure:
                screen.trouble("demo", f"the demo organization could not be made: {failure.message}")
        self._recorded = True
        self._record()
        screen.say()
        screen.say("Ctrl-C stops everything.")
        screen.say(f"Dashify is ready: {options.url}")
        if self._sign_in:
            screen.say(f"  email:    {self._sign_in['email']}")
            screen.say(f"  password: {self._sign_in['password']}")

    def _record(self) -> None:
        if self._recorded:
            lives = self._supervisor.lives
            pids = {name: life.pid for name, life in lives.items()}
            self._folder.record(self._stack.record(pids.get, self._sign_in))

    def _stop(self) -> None:
        self._recorded = False
        self._screen.say()
        self._screen.say("Stopping; Ctrl-C again hurries.")
        started = time.monotonic()
        self._supervisor.stop()
        self._guard.close()
        self._folder.forget_run()
        self._screen.say(f"Everything has stopped ({time.monotonic() - started:.1f} s); the data stay in "
                         f"{self._folder.path}.")


def main(
    arguments: Sequence[str] | None = None, lay_out: Callable[[Options, Folder], Stack] = describe,
) -> int:
    """Run the table that `lay_out` gives until Ctrl-C; give the exit code, 0 after a clean stop and 1 for a failure."""
    options = _options(arguments)
    requests = Requests()
    try:
        _check_ports(options)
        folder = Folder(options.data, options.url)
        stack = lay_out(options, folder)
    except DashifyError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    screen = Screen(sys.stdout, color=_wants_color(), names=[*(child.name for child in stack.children), "mail"])
    screen.say(f"Starting Dashify with its data in {folder.path}")
    failure: StartFailed | None = None
    try:
        Run(stack, folder, screen, lambda: requests.count).go()
    except StartFailed as error:
        failure = error
    screen.close()
    if failure:
        sys.stderr.write(f"{failure.message}\n")
    return 1 if failure else 0


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="app.py", description="Run the whole of Dashify on this machine, on embedded servers.")
    parser.add_argument("--port", type=int, default=8000, help="the first API instance's port (default 8000)")
    parser.add_argument("--instances", type=int, default=2, help="how many API instances, on ports from --port on")
    parser.add_argument("--data", type=Path, default=Path(".dashify"), help="the data folder (default .dashify)")
    parser.add_argument("--no-demo", action="store_true", help="make no demo organization")
    given = parser.parse_args(arguments)
    if not 1 <= given.instances <= MOST_INSTANCES:
        parser.error(f"--instances must be between 1 and {MOST_INSTANCES}")
    if not 1 <= given.port <= 65_536 - given.instances:
        parser.error("--port must leave room for all instances below 65536")
    return Options(given.port, given.instances, given.data, not given.no_demo)


def _check_ports(options: Options) -> None:
    for port in range(options.port, options.port + options.instances):
        if not probes.is_free(port):
            by = listeners.holder(port)
            raise StartFailed(f"Port {port} is taken{f' by {by}' if by else ''}; --port chooses another one.")


def _wants_color() -> bool:
    return sys.stdout.isatty() and not child_environment({}).get("NO_COLOR")
