"""The supervisor as a process: what it starts, restarts and stops, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from dashify.local.probes import free_port, http_answers
from dashify.local.processes import ROOT, kill_session, start_time

STANDIN = Path(__file__).with_name("standin.py")
PLAN: list[dict[str, Any]] = [
    {"name": "redis", "wave": 1, "stop_wave": 3, "options": ["slow"]},
    {"name": "api-1", "wave": 2, "stop_wave": 1},
    {"name": "worker-emails", "wave": 3, "stop_wave": 2, "options": ["escapes"]},
]


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class Running:
    """A started run: its process, its data folder, and what it has said so far."""

    def __init__(self, data: Path, plan: list[dict[str, Any]], port: int, out: IO[bytes]) -> None:
        self.data, self.port, self._out = data, port, Path(out.name)
        file = data.parent / f"plan-{port}.json"
        file.write_text(json.dumps(plan))
        self.process = subprocess.Popen(
            [sys.executable, str(STANDIN), "run", str(file), "--data", str(data), "--port", str(port),
             "--instances", "1"],
            stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )

    @property
    def said(self) -> str:
        return self._out.read_text()

    @property
    def journal(self) -> list[str]:
        file = self.data / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def record(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return answer

    def pids(self) -> dict[str, int]:
        record = self.record()
        return {"api-1": record["api"][0]["pid"], "worker-emails": record["workers"][0]["pid"]}

    def ready(self) -> Running:
        wait_for(lambda: "Dashify is ready" in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said
        return self

    def finish(self, *signals: signal.Signals) -> int:
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.3)
        return self.process.wait(20)

    def leftovers(self) -> list[str]:
        """Processes that carry our data folder in their command line or are a stand-in's helper."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and start_time(int(entry.name)):
                try:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
                if str(self.data) in command:
                    found.append(command)
        return found


Start = Callable[..., Running]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []

    def start(plan: list[dict[str, Any]] = PLAN, data: Path = tmp_path / "data", port: int = 0) -> Running:
        out = (tmp_path / f"out-{len(started)}").open("wb")
        with out:
            started.append(Running(data, plan, port or free_port(), out))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGTERM)
            try:
                one.process.wait(15)
            except subprocess.TimeoutExpired:
                kill_session(one.process.pid)
                one.process.wait()


def test_children_start_in_order_and_stop_in_theirs(run: Start) -> None:
    one = run().ready()
    assert one.journal == ["start redis", "start api-1", "start worker-emails"]
    assert one.finish(signal.SIGINT) == 0
    assert one.journal[3:] == ["stop api-1", "stop worker-emails", "stop redis"]
    assert not (one.data / "run.json").exists()
    assert "Everything has stopped" in one.said
    assert one.leftovers() == []


def test_what_is_to_run_once_ends_before_the_next_wave_and_is_not_started_again(run: Start) -> None:
    one = run([{"name": "schema", "options": ["ends"]}, {"name": "api-1", "wave": 2}]).ready()
    assert one.journal == ["start schema", "end schema", "start api-1"]
    first = one.record()["api"][0]["pid"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: "is back" in one.said)
    assert one.finish(signal.SIGINT) == 0
    assert one.journal[3:] == ["start api-1", "stop api-1"]
    assert "schema" not in one.said.partition("Stopping")[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_to_ask_stop_it_too(run: Start, number: signal.Signals) -> None:
    one = run().ready()
    assert one.finish(number) == 0
    assert one.leftovers() == []


def test_the_record_names_what_runs_and_only_its_owner_reads_it(run: Start) -> None:
    one = run().ready()
    record = one.record()
    assert record["api"] == [{"instance": "api-1", "url": f"http://127.0.0.1:{one.port}", "pid": one.pids()["api-1"]}]
    assert record["redis"]["url"].startswith("redis://")
    assert record["demo"] is None
    assert {worker["queue"] for worker in record["workers"]} >= {"emails", "audit"}
    assert stat.S_IMODE((one.data / "run.json").stat().st_mode) == 0o600
    assert all(start_time(pid) for pid in one.pids().values())


def test_a_child_that_dies_is_started_again_and_recorded(run: Start) -> None:
    one = run().ready()
    first = one.pids()["api-1"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: one.pids()["api-1"] not in (first, None) and "is back" in one.said)
    assert one.journal.count("start api-1") == 2
    assert "killed by SIGKILL" in one.said


def test_what_a_dead_child_left_behind_is_ended_too(run: Start) -> None:
    one = run().ready()
    worker = one.pids()["worker-emails"]
    helper = int(Path(f"/proc/{worker}/task/{worker}/children").read_text().split()[0])
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: start_time(helper) is None)


def test_killing_the_supervisor_leaves_nothing_and_the_next_start_works(run: Start) -> None:
    plan = [*PLAN, {"name": "api-2", "options": ["stubborn"], "stop_seconds": 0.5}]
    one = run(plan).ready()
    worker = one.pids()["worker-emails"]
    helper = int(Path(f"/proc/{worker}/task/{worker}/children").read_text().split()[0])
    one.process.kill()
    one.process.wait()
    again = run(plan, port=one.port).ready()
    assert again.pids()["worker-emails"] != worker
    assert start_time(helper) is None
    assert again.journal.count("start api-2") == 2


def test_a_killed_guard_is_replaced(run: Start) -> None:
    one = run().ready()
    children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children")

    def guard() -> int | None:
        for pid in children.read_text().split():
            if b"dashify.local.guard" in Path(f"/proc/{pid}/cmdline").read_bytes() and start_time(int(pid)):
                return int(pid)
        return None

    first = guard()
    assert first
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: guard() not in (None, first))
    one.process.kill()
    one.process.wait()
    wait_for(lambda: one.leftovers() == [])


def test_a_second_ctrl_c_hurries(run: Start) -> None:
    one = run([*PLAN, {"name": "api-2", "options": ["stubborn"], "stop_seconds": 60.0}]).ready()
    began = time.monotonic()
    assert one.finish(signal.SIGINT, signal.SIGINT) == 0
    assert time.monotonic() - began < 15
    assert one.leftovers() == []


def test_a_child_that_ignores_being_asked_is_killed(run: Start) -> None:
    one = run([{"name": "api-1", "options": ["stubborn"], "stop_seconds": 0.5}]).ready()
    assert one.finish(signal.SIGTERM) == 0
    assert "was killed" in one.said
    assert one.leftovers() == []


def test_ctrl_c_while_starting_stops_what_has_started(run: Start) -> None:
    one = run([PLAN[0], {"name": "api-1", "wave": 2, "options": ["dies"]}])
    wait_for(lambda: "start api-1" in one.journal)
    assert one.finish(signal.SIGINT) == 0
    assert one.leftovers() == []


def test_a_child_that_cannot_start_ends_the_run_with_its_last_lines(run: Start) -> None:
    one = run([PLAN[0], {"name": "api-1", "wave": 2, "options": ["dies"]}])
    assert one.process.wait(30) == 1
    assert one.journal.count("start api-1") == 5
    assert one.journal[-1] == "stop redis"
    last = one.said[one.said.index("api-1 ended 5 times"):]
    assert "exit code 3" in last
    assert "api-1 has had enough" in last
    assert "Traceback" not in one.said
    assert one.leftovers() == []


def test_the_childrens_lines_are_shown_behind_their_names_and_kept(run: Start) -> None:
    one = run().ready()
    assert http_answers(f"http://127.0.0.1:{json.loads((one.data / 'ports.json').read_text())['api-1']}/")
    wait_for(lambda: "api-1         | asked" in one.said)
    assert "asked" in (one.data / "logs" / "api-1.log").read_text()
    assert "\x1b" not in one.said


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_its_holder(run: Start) -> None:
    with taken_port() as port:
        one = run(port=port)
        assert one.process.wait(20) == 1
    said = one.said.strip()
    assert f"Port {port} is taken by" in said
    assert f"(pid {os.getpid()})" in said
    assert "--port" in said
    assert said.count("\n") == 0


def test_a_second_run_on_the_same_data_is_told_of_the_first(run: Start) -> None:
    first = run().ready()
    second = run()
    assert second.process.wait(20) == 1
    assert f"process {first.process.pid}" in second.said
    assert f"http://127.0.0.1:{first.port}" in second.said
    assert second.said.strip().count("\n") == 0
    assert first.process.poll() is None


def test_a_data_folder_that_cannot_be_written_is_named(run: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    one = run(data=tmp_path / "file")
    assert one.process.wait(20) == 1
    assert f"The data folder {tmp_path / 'file'} cannot be written" in one.said
    assert "Traceback" not in one.said


def test_ports_and_secret_stay_the_same_over_runs(run: Start) -> None:
    one = run().ready()
    ports = (one.data / "ports.json").read_text()
    one.finish(signal.SIGTERM)
    two = run().ready()
    assert (two.data / "ports.json").read_text() == ports
