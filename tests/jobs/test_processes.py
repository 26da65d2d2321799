from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from dashify.context import Context, Platform
from dashify.domain.accounts import Role
from dashify.domain.jobs import Queue
from dashify.jobs.runner import Runner
from dashify.jobs.sweeper import Sweeper
from dashify.local.probes import free_port
from dashify.local.servers import running_redis
from dashify.resources import Resources
from dashify.services import people
from dashify.settings import Settings
from tests.jobs.conftest import ROOT, Start, ask
from tests.system.kit import until


@pytest.fixture
def silent_mail_host() -> Iterator[str]:
    """A mail host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"smtp://127.0.0.1:{server.getsockname()[1]}"
        for connection in held:
            connection.close()


def invite(alice: Context, resources: Resources) -> str:
    people.invite(alice, "fred@example.test", Role.MEMBER)
    row = resources.database["jobs"].find_one({"kind": "send_invitation"})
    assert row is not None
    return str(row["_id"])


def row_of(resources: Resources, job_id: str) -> dict[str, Any]:
    return resources.database["jobs"].find_one({"_id": job_id}) or {}


def running(resources: Resources, job_id: str) -> bool:
    return row_of(resources, job_id).get("status") == "running"


def done(resources: Resources, job_id: str) -> bool:
    return row_of(resources, job_id).get("status") == "done"


def test_a_job_whose_worker_was_killed_begins_again_within_30_seconds(
        start: Start, alice: Context, resources: Resources, settings: Settings, silent_mail_host: str) -> None:
    start("--scheduler")
    first = start("emails", own=replace(settings, mail_url=silent_mail_host))
    job_id = invite(alice, resources)
    until(lambda: running(resources, job_id), 15, "the first run")
    first.kill()
    killed = time.monotonic()
    start("emails")
    until(lambda: done(resources, job_id), 30, "the second run")
    assert time.monotonic() - killed < 30
    row = row_of(resources, job_id)
    assert (row["attempt"], row["crashes"]) == (2, 1)
    folder = Path(settings.mail_url.removeprefix("file://"))
    assert [file.name for file in folder.glob(f"{job_id}*")] == [f"{job_id}.eml"]


def test_what_a_killed_worker_had_locked_is_free_when_its_jobs_are_taken_from_it(
        runner: Runner, resources: Resources, settings: Settings) -> None:
    job_id = ask(runner.platform, row=40)
    program = (
        "import sys, time; from dashify.settings import from_env; from dashify.jobs.runner import Runner\n"
        "from dashify.clients.rq_lists import Claim; from dashify.stores.mongo import transact\n"
        "runner = Runner(from_env()); runner.resources.standing.check()\n"
        "runner.workers.register('killed', {'queue': 'audit', 'host': '', 'pid': 1, 'slots': 1})\n"
        "[run], _ = runner.claim([Claim(sys.argv[1], '')], 'killed')\n"
        "def hang(unit):\n    print('inside', flush=True)\n    time.sleep(600)\n"
        "run.finish(lambda unit: (unit.store.jobs.note_progress(run.job_id, 1, 0.5), hang(unit)))\n")
    process = subprocess.Popen([sys.executable, "-c", program, job_id], cwd=ROOT, stdout=subprocess.PIPE,
                               env={**os.environ, **settings.to_env()}, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"inside\n"
    process.kill()
    process.wait()
    resources.database["workers"].update_one({"_id": "killed"}, {"$set": {"lease_until": datetime(2026, 1, 1)}})
    resources.database["processes"].update_one({"pid": process.pid}, {"$set": {"until": datetime(2026, 1, 1)}})
    assert Sweeper(runner, list(Queue), lambda queue: True).reap() == 1
    assert runner.run(job_id) == "done"


def test_a_paused_worker_that_wakes_late_changes_nothing(
        start: Start, alice: Context, resources: Resources, settings: Settings, silent_mail_host: str) -> None:
    start("--scheduler")
    sleeper = start("emails", own=replace(settings, mail_url=silent_mail_host))
    job_id = invite(alice, resources)
    until(lambda: running(resources, job_id), 15, "the first run")
    sleeper.send_signal(signal.SIGSTOP)
    start("emails")
    until(lambda: done(resources, job_id), 30, "the second run")
    ended = row_of(resources, job_id)
    sleeper.send_signal(signal.SIGCONT)
    sleeper.send_signal(signal.SIGTERM)
    assert sleeper.wait(30) == 0
    assert row_of(resources, job_id) == ended


def test_jobs_asked_for_while_redis_is_down_run_once_it_is_back(
        start: Start, settings: Settings, tmp_path: Path) -> None:
    with running_redis(tmp_path) as redis:
        own = replace(settings, redis_url=redis.url)
        resources = Resources(own)
        worker = start("audit", own=own)
        start("--scheduler", own=own)
        first = ask(Platform(resources), row=1)
        until(lambda: done(resources, first), 20, "a job with Redis there")
        redis.kill()
        waiting = [ask(Platform(resources), row=row) for row in range(2, 6)]
        assert all(row_of(resources, job_id)["status"] == "queued" for job_id in waiting)
        redis.start()
        until(lambda: all(done(resources, job_id) for job_id in waiting), 30, "the jobs that waited")
        assert worker.poll() is None
        counts = [row["count"] for row in resources.database["self_checks"].find()]
        assert counts == [1] * 5
        resources.close()


def test_a_worker_told_to_stop_gives_back_what_takes_too_long(
        start: Start, alice: Context, resources: Resources, settings: Settings, silent_mail_host: str) -> None:
    worker = start("emails", own=replace(settings, mail_url=silent_mail_host, worker_stop_seconds=1.0))
    job_id = invite(alice, resources)
    until(lambda: running(resources, job_id), 15, "the run")
    worker.terminate()
    assert worker.wait(8) == 0
    row = row_of(resources, job_id)
    assert (row["status"], row["failures"], row["crashes"]) == ("queued", 0, 0)


def test_an_idle_worker_and_scheduler_stop_at_once_and_show_metrics(start: Start, settings: Settings) -> None:
    ports = [free_port(), free_port()]
    processes = [start("audit", own=replace(settings, metrics_port=ports[0])),
                 start("--scheduler", own=replace(settings, metrics_port=ports[1]))]
    for port in ports:
        text = until(lambda port=port: metrics(port), 15, "the metrics")
        assert "dashify_jobs_finished_total" in text
    for process in processes:
        process.terminate()
    assert [process.wait(5) for process in processes] == [0, 0]


def test_a_lease_given_up_leaves_no_monitors_of_its_connection(settings: Settings) -> None:
    program = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import threading; from dashify.domain.jobs import Queue; from dashify.jobs.leases import WorkerLease\n"
        "from dashify.resources import Resources; from dashify.settings import from_env\n"
        "settings = from_env(); ours = Resources(settings); lease = WorkerLease(Queue.AUDIT, settings)\n"
        "def monitors(): return {thread for thread in threading.enumerate() if thread.name.startswith('pymongo')}\n"
        "assert ours.workers.list_live() == [] and monitors()\n"
        "before = monitors(); lease.begin(ours.workers)\n"
        "lease.release(ours.workers); print(len(monitors() - before))")
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **settings.to_env()},
                           capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("0\n", "")


def metrics(port: int) -> str:
    try:
        return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=2).text
    except requests.ConnectionError:
        return ""


def test_several_names_serve_several_queues_and_stop_together(
        start: Start, platform: Platform, resources: Resources, alice: Context) -> None:
    parent = start("audit", "emails")
    jobs = [ask(platform, row=20), invite(alice, resources)]
    until(lambda: all(done(resources, job_id) for job_id in jobs), 20, "both jobs")
    parent.terminate()
    assert parent.wait(10) == 0


@pytest.mark.parametrize("arguments", [["nope"], [], ["--scheduler", "emails"], ["audit", "nope"]])
def test_an_unknown_name_is_refused_in_one_sentence(arguments: list[str]) -> None:
    ended = subprocess.run([sys.executable, str(ROOT / "worker.py"), *arguments], cwd=ROOT, capture_output=True,
                           text=True, check=False)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "Traceback" not in ended.stderr
