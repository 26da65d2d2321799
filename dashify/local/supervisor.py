"""Keeps a table of child processes alive: starts them in waves, restarts what dies, and stops them in order.

It knows nothing of Dashify; the table (`Child`) says what to run. All processes are started by one thread, because a
child is tied to the life of the thread that started it.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from dashify.errors import DashifyError
from dashify.local.guard import Guard
from dashify.local.output import Log, Output
from dashify.local.processes import describe_exit, has_ended, kill_session, signal_group, spawn
from dashify.local.screen import Screen

FIRST_BACKOFF = 0.2
LONGEST_BACKOFF = 5.0
STEADY_SECONDS = 30.0
MOST_STARTS = 5
TICK_SECONDS = 0.1
_SUCCESS = describe_exit(0)


@dataclass(frozen=True, slots=True)
class Child:
    """One row of the table. Waves start in rising and stop in rising order of their own numbers.

    `stop_seconds` is how long it may take to end after SIGTERM, `hurried_seconds` the same after a second Ctrl-C.
    One that is to run `once` is ready when it has ended with exit code 0, and is not started again.
    """

    name: str
    command: Sequence[str]
    answers: Callable[[], bool] = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str = ""
    start_wave: int = 1
    stop_wave: int = 1
    ready_seconds: float = 90.0
    stop_seconds: float = 20.0
    hurried_seconds: float = 0.5
    once: bool = False


class StartFailed(DashifyError):
    """A part of the stack cannot be started; the message is for a person."""

    default_code = "start_failed"


class Life:
    """One child and what has happened to it so far."""

    def __init__(self, child: Child, output: Output) -> None:
        self.child, self.output = child, output
        self.process: subprocess.Popen[bytes] | None = None
        self.pump_ended: Callable[[float], None] = lambda _seconds: None
        self.began = self.next_start = 0.0
        self.ready = self.was_ready = False
        self.deaths = 0

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self.process.pid if self.process else None


class Supervisor:
    """Runs a table of children until it is asked to stop. `asked` counts the requests to stop so far."""

    def __init__(
        self, children: Sequence[Child], *, screen: Screen, logs: Path, guard: Guard,
        asked: Callable[[], int] = lambda: 0, changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._screen, self._guard, self._asked, self._changed = screen, guard, asked, changed
        self.lives = {child.name: Life(child, self._output(child.name, logs)) for child in children}

    def start(self) -> bool:
        """Start all waves, each when the one before answers; tell whether all is up (False: asked to stop).

        Raises:
            StartFailed: a child died five times, or stayed silent for too long.
        """
        by_wave = sorted(self.lives.values(), key=lambda life: life.child.start_wave)
        for _wave, members in groupby(by_wave, key=lambda life: life.child.start_wave):
            waiting = list(members)
            for life in waiting:
                self._spawn(life)
            first = time.monotonic()
            while not all(life.was_ready for life in waiting):
                if self._asked():
                    return False
                self.tick()
                for life in waiting:
                    if not life.was_ready and time.monotonic() - first > life.child.ready_seconds:
                        raise StartFailed(self._story(life, f"did not answer for {life.child.ready_seconds:.0f} s"))
        return True

    def tick(self) -> None:
        """Look at every child once, start again what died, and wait a moment.

        Raises:
            StartFailed: a child died for the fifth time without ever having been ready.
        """
        for life in self.lives.values():
            if life.process and has_ended(life.process):
                self._bury(life)
            elif life.process and not life.ready:
                self._look(life)
            elif not life.process and 0 < life.next_start <= time.monotonic():
                self._spawn(life)
        self._guard.check()
        time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """End all children, wave by wave; kill those that take too long."""
        by_wave = sorted(self.lives.values(), key=lambda life: life.child.stop_wave)
        for _wave, members in groupby(by_wave, key=lambda life: life.child.stop_wave):
            self._stop_wave([life for life in members if life.process])

    def _output(self, name: str, logs: Path) -> Output:
        return Output(Log(logs / f"{name}.log"), lambda line: self._screen.child(name, line))

    def _spawn(self, life: Life) -> None:
        life.next_start = 0.0
        try:
            # Asked to end rather than killed when we are: data servers then save. The guard does the rest.
            process = spawn(life.child.command, output=subprocess.PIPE, environment=life.child.environment,
                            last_signal=signal.SIGTERM)
        except OSError as error:
            raise StartFailed(f"{life.child.name} cannot be started: {life.child.command[0]}: {error.strerror}.") \
                from error
        life.process, life.ready = process, False
        life.began = time.monotonic()
        self._guard.add(process.pid)
        if process.stdout:
            life.pump_ended = life.output.follow(process.stdout).join
        self._changed()

    def _look(self, life: Life) -> None:
        if life.child.answers() and life.process and not has_ended(life.process):
            life.ready = life.was_ready = True
            text = f"is back {life.child.address}" if life.deaths else life.child.address
            self._screen.done(life.child.name, text, time.monotonic() - life.began)

    def _bury(self, life: Life) -> None:
        """Clean up after a death and set the time of the next start."""
        lived = time.monotonic() - life.began
        how = self._reap(life)
        if life.child.once and how == _SUCCESS:
            life.was_ready = True
            self._screen.done(life.child.name, "done", lived)
            return
        life.deaths = 1 if lived >= STEADY_SECONDS else life.deaths + 1
        if not life.was_ready and life.deaths >= MOST_STARTS:
            raise StartFailed(self._story(life, f"ended {MOST_STARTS} times before it was ready ({how})"))
        delay = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(life.deaths - 1, 10))
        life.next_start = time.monotonic() + delay
        self._screen.trouble(life.child.name, f"ended ({how}); starting it again in {delay:.1f} s")

    def _reap(self, life: Life) -> str:
        """End what a dead child left behind, then let its pid go; say how it ended."""
        process, life.process, life.ready = life.process, None, False
        if not process:
            return "gone"
        kill_session(process.pid)
        code = process.wait()
        self._guard.remove(process.pid)
        life.pump_ended(1.0)
        return describe_exit(code)

    def _stop_wave(self, lives: Sequence[Life]) -> None:
        started = time.monotonic()
        for life in lives:
            if life.process:
                life.process.send_signal(signal.SIGTERM)
                signal_group(life.process.pid, signal.SIGCONT)
        hurried_at = 0.0
        while remaining := [life for life in lives if life.process]:
            now = time.monotonic()
            hurried_at = hurried_at or (now if self._asked() > 1 else 0.0)
            for life in remaining:
                self._end(life, now - started, now - hurried_at if hurried_at else None)
            time.sleep(TICK_SECONDS / 2)

    def _end(self, life: Life, waited: float, hurried: float | None) -> None:
        """Bury a child that has ended; kill it when its time is over."""
        if life.process and has_ended(life.process):
            how = self._reap(life)
            self._screen.done(life.child.name, "stopped" if how == _SUCCESS else f"stopped ({how})", waited)
        elif waited > life.child.stop_seconds or (hurried is not None and hurried > life.child.hurried_seconds):
            self._screen.trouble(life.child.name, f"did not stop within {waited:.1f} s and was killed")
            self._reap(life)

    def _story(self, life: Life, what: str) -> str:
        lines = "\n".join(f"    {line}" for line in life.output.last) or "    (it wrote nothing)"
        return f"{life.child.name} {what}; its last lines:\n{lines}"
