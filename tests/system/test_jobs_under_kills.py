from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Job
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.migrating import migrate
from tests.system.killing import kill_workers
from tests.system.kit import kill_group, until
from tests.system.strange_worker import ENDLESS, POISON, SLOW

Start = Callable[..., subprocess.Popen[bytes]]
Row = dict[str, Any]
STRANGE = "tests/system/strange_worker.py"


@pytest.fixture
def own(settings: Settings) -> Settings:
    """Settings of an installation that no other test's jobs are in."""
    return replace(settings, mongodb_database=f"dashify_kills_{time.time_ns()}")


@pytest.fixture
def resources(own: Settings) -> Iterator[Resources]:
    opened = Resources(own)
    opened.gate.run(lambda client: client.flushall())
    migrate(opened.database)
    yield opened
    opened.close()


@pytest.fixture
def start(start_worker: Start, own: Settings) -> Start:
    """Give a function that starts a worker of that installation, with settings of its own where they are given."""
    return lambda *arguments, script="worker.py", **changes: start_worker(
        *arguments, script=script, own=replace(own, **changes))


def ask(resources: Resources, *numbers: int) -> list[str]:
    return Platform(resources).unit(INSTALLATION, "operator", lambda unit: [
        unit.jobs.add(Job.SELF_CHECK, {"row": number}) for number in numbers])


def rows(resources: Resources, status: str | None = None) -> list[Row]:
    return list(resources.database["jobs"].find({"status": status} if status else {}))


def counts(resources: Resources) -> dict[int, int]:
    return {row["_id"]: row["count"] for row in resources.database["self_checks"].find()}


def test_every_effect_comes_exactly_once_however_many_workers_are_killed(own: Settings, tmp_path: Path) -> None:
    outcome = kill_workers(own, tmp_path, rows=range(100, 900), seconds=6.0)
    assert outcome.kills >= 5
    assert outcome.counts == dict.fromkeys(range(100, 900), 1)
    assert (outcome.left, outcome.dead) == (0, [])


def test_a_job_is_taken_over_when_every_worker_of_its_host_has_died_at_once(start: Start, resources: Resources) -> None:
    here = [start(script=STRANGE) for _ in range(2)]
    ask(resources, ENDLESS)
    until(lambda: rows(resources, "running"), 20, "the first run")
    for process in here:
        kill_group(process)
    killed = time.monotonic()
    start("audit")
    until(lambda: rows(resources, "done"), 30, "the second run elsewhere")
    assert time.monotonic() - killed < 30


def test_a_job_that_kills_its_worker_ends_alone_among_the_dead(start: Start, resources: Resources) -> None:
    others = list(range(100, 106))
    ask(resources, POISON, *others)
    for _ in range(5):
        worker = start(script=STRANGE)
        assert worker.wait(30) == -signal.SIGKILL
        # What matters here is how it ends; that the dead are found in time others test.
        resources.database["workers"].update_many({}, {"$set": {"lease_until": datetime(2026, 1, 1, tzinfo=UTC)}})
    start(script=STRANGE)
    until(lambda: not rows(resources, "queued") and not rows(resources, "running"), 30, "the end of all")
    [dead] = rows(resources, "dead")
    assert (dead["payload"]["row"], dead["error"]["code"], dead["alone_crashes"]) == (POISON, "worker_died", 3)
    assert counts(resources) == dict.fromkeys(others, 1)


@pytest.mark.parametrize("group", [False, True])
def test_a_worker_or_its_whole_group_told_to_stop_finishes_what_runs(start: Start, resources: Resources,
                                                                     group: bool) -> None:
    worker = start(script=STRANGE)
    [job_id] = ask(resources, SLOW)
    until(lambda: rows(resources, "running"), 20, "the run")
    if group:
        os.killpg(worker.pid, signal.SIGTERM)
    else:
        worker.terminate()
    assert worker.wait(30) == 0
    [row] = rows(resources, "done")
    assert (row["_id"], row["attempt"], row["failures"], row["crashes"]) == (job_id, 1, 0, 0)
    assert resources.gate.run(lambda client: client.keys("rq:job:*")) == []


def test_what_outlasts_the_stop_limit_is_given_back_and_done_by_the_next(start: Start, resources: Resources) -> None:
    worker = start(script=STRANGE, worker_stop_seconds=1.0)
    ask(resources, ENDLESS)
    until(lambda: rows(resources, "running"), 20, "the run")
    worker.terminate()
    assert worker.wait(30) == 0
    [row] = rows(resources, "queued")
    assert (row["failures"], row["crashes"]) == (0, 0)
    start("audit")
    until(lambda: rows(resources, "done"), 20, "the second run")
    assert counts(resources) == {ENDLESS: 1}


def test_a_run_over_its_time_is_ended_and_tried_again(start: Start, resources: Resources, own: Settings) -> None:
    hurried = {**own.queues, "audit": replace(own.queues["audit"], time_limit=1.0, first_pause=0.1)}
    start(script=STRANGE, queues=hurried)
    ask(resources, ENDLESS)
    row = until(lambda: [one for one in rows(resources) if one["failures"] >= 2], 30, "two failures")[0]
    assert row["error"]["code"] == "time_limit"
    assert row["crashes"] == 0
