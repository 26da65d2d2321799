"""Workers as processes, a runner in this one, and a database that no other test's jobs are in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dashify.clients.rq_lists import Claim
from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Job
from dashify.jobs.runner import Runner
from dashify.jobs.running import Run
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.migrating import migrate
from dashify.units import Unit

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(scope="session")
def settings(settings: Settings) -> Settings:
    return replace(settings, mongodb_database="dashify_jobs_tests", worker_stop_seconds=5.0)


@pytest.fixture(scope="session")
def resources(settings: Settings) -> Iterator[Resources]:
    opened = Resources(settings)
    migrate(opened.database)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def no_earlier_jobs(resources: Resources) -> None:
    resources.database["jobs"].delete_many({})
    for name in ("self_checks", "workers", "leases", "schedule_ticks"):
        resources.database[name].delete_many({})
    resources.gate.run(lambda client: client.flushall())


@pytest.fixture(scope="session")
def runner(settings: Settings, resources: Resources) -> Iterator[Runner]:
    opened = Runner(settings)
    yield opened
    opened.resources.close()


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts `worker.py` with arguments, and ends what it started after the test."""
    started: list[subprocess.Popen[bytes]] = []
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHIFY_")}

    def run(*arguments: str, own: Settings | None = None) -> subprocess.Popen[bytes]:
        environment = {**clean, **(own or settings).to_env()}
        with (tmp_path / f"{len(started)}.log").open("wb") as log:
            started.append(subprocess.Popen([sys.executable, str(ROOT / "worker.py"), *arguments], cwd=ROOT,
                                            env=environment, stderr=log, start_new_session=True))
        return started[-1]

    yield run
    for number, process in enumerate(started):
        process.kill()
        process.wait()
        # pytest shows it where the test failed.
        print(f"What process {number} of {process.args} said:", (tmp_path / f"{number}.log").read_text(), sep="\n")


def ask(platform: Platform, row: int = 0) -> str:
    """Ask for a self-check of `row` and give the job's id."""
    return platform.unit(INSTALLATION, "operator", lambda unit: add_check(unit, row))


def add_check(unit: Unit, row: int) -> str:
    return unit.jobs.add(Job.SELF_CHECK, {"row": row})


def claim(runner: Runner, job_id: str, worker: str = "somebody who died") -> Run:
    """Begin a run as a worker that has no lease, and so counts as dead to a sweeper."""
    [run], refused = runner.claim([Claim(job_id, "")], worker)
    assert not refused
    return run
