"""Processes on a database that is not, or not any more, as their release knows it; and `dashify migrate` itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import websocket
from pymongo.database import Database

from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Job
from dashify.domain.names import new_id
from dashify.local.servers import running_mongodb
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.migrations import NEEDED, SCHEMA
from dashify.stores.mongo import Document
from dashify.stores.schema import Schema
from tests.system.kit import PASSWORD, ROOT, Instance, Person, kill_group, migrate_for, until

TOO_OLD = f"This release (schema {SCHEMA}) is too old for the database"
WORKER = [sys.executable, "worker.py"]
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
MIGRATE = [sys.executable, "-m", "dashify.migrate"]
SIGN_UP = {"organization": "Acme", "name": "Alice", "email": "alice@acme.test", "password": PASSWORD}


@pytest.fixture
def own(settings: Settings) -> Settings:
    return replace(settings, mongodb_database=f"dashify_{new_id()}", drain_accept_seconds=0.5)


@pytest.fixture
def opened(own: Settings) -> Iterator[Resources]:
    resources = Resources(own)
    yield resources
    # The database stays: where a killed process left a transaction open, dropping it would wait for up to a minute.
    resources.close()


@pytest.fixture
def database(opened: Resources) -> Database[Document]:
    return opened.database


Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def spawn(own: Settings) -> Iterator[Spawn]:
    """Give a function that starts a process on `own`, its output kept; whatever it started ends with the test."""
    started: list[subprocess.Popen[str]] = []
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHIFY_")}

    def run(*command: str) -> subprocess.Popen[str]:
        environment = {**clean, **own.to_env(), "DASHIFY_BIND": "127.0.0.1:0", "PYTHONPATH": str(ROOT)}
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.STDOUT, start_new_session=True))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            kill_group(process)


def said(process: subprocess.Popen[str], seconds: float = 40) -> tuple[int, str]:
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


def status_of(instance: Instance, path: str) -> tuple[int, list[str]]:
    answer = requests.get(instance.url + path, timeout=5)
    return answer.status_code, answer.json().get("reasons", [])


def listens(instance: Instance) -> bool:
    try:
        return requests.get(instance.url + "/healthz", timeout=2).status_code == 200
    except requests.RequestException:
        assert instance.process.poll() is None, instance.log.read_text()
        return False


def test_the_command_lists_does_and_lists_nothing_more(spawn: Spawn, database: Database[Document]) -> None:
    code, text = said(spawn(*MIGRATE, "--check"))
    assert code == 3
    assert f"The database is at schema 0; this release needs {NEEDED}." in text
    assert "pending: 1 (expand) make the indexes of the first release" in text
    assert "pending: indexes of users: email_1," in text
    assert database.list_collection_names() == []
    code, text = said(spawn(*MIGRATE))
    assert code == 0
    assert "    users: building email_1," in text
    assert text.endswith(f"The database is at schema {NEEDED}, 0 before; this release needs {NEEDED}.\n")
    assert said(spawn(*MIGRATE, "--check")) == (
        0, f"The database is at schema {NEEDED}; this release needs {NEEDED}.\nNothing is pending.\n")


def test_two_commands_at_once_both_succeed(spawn: Spawn, database: Database[Document]) -> None:
    both = [spawn(*MIGRATE), spawn(*MIGRATE)]
    texts = [text for code, text in map(said, both) if code == 0]
    assert len(texts) == 2
    assert sum("building" in text for text in texts) == 1
    assert Schema(database).read().schema == NEEDED


def test_a_new_release_is_not_ready_until_the_command_was_run(
        own: Settings, opened: Resources, spawn: Spawn, tmp_path: Path) -> None:
    instance = Instance(own, "api-1", tmp_path, migrated=False)
    worker = spawn(*WORKER, "audit")
    try:
        until(lambda: listens(instance), 30, "the listener")
        code, reasons = status_of(instance, "/readyz")
        assert (code, {"preparing", "schema"} - set(reasons)) == (503, set())
        assert status_of(instance, "/readyz?lb")[0] == 404
        refused = Person(instance.url).call("POST", "/auth/signup", SIGN_UP)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "schema_behind")
        assert "run `dashify migrate`" in refused.json()["error"]["message"]
        assert opened.database["users"].count_documents({}) == 0
        with pytest.raises(websocket.WebSocketBadStatusException) as upgrade:
            websocket.create_connection(instance.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket",
                                        timeout=5, http_no_proxy=["127.0.0.1"])
        assert upgrade.value.status_code == 503
        job = Platform(opened).unit(INSTALLATION, "operator",
                                    lambda unit: unit.jobs.add(Job.SELF_CHECK, {"row": 1}))
        assert said(spawn(*MIGRATE))[0] == 0
        until(instance.ready, 3, "the instance")
        Person(instance.url).ok("POST", "/auth/signup", SIGN_UP)
        until(lambda: (opened.database["jobs"].find_one({"_id": job}) or {})["status"] == "done", 15, "the job")
        assert (instance.process.poll(), worker.poll()) == (None, None)
    finally:
        instance.end()


def test_what_is_too_old_refuses_to_start_in_one_sentence(
        own: Settings, database: Database[Document], spawn: Spawn) -> None:
    migrate_for(own)
    Schema(database).forbid_below(SCHEMA + 1)
    commands = [[*WORKER, "audit"], [*WORKER, "reports"], [*WORKER, "audit", "emails"], [*WORKER, "--scheduler"],
                GUNICORN, MIGRATE, [*MIGRATE, "--check"],
                [sys.executable, "-c", "from dashify.cli import main; main()", "queues"]]
    for process in [spawn(*command) for command in commands]:
        code, text = said(process, 90)
        assert code == 3, (process.args, text)
        assert TOO_OLD in text
        assert "Traceback" not in text
    assert database["processes"].find_one({}) is None


def test_what_runs_ends_when_a_newer_release_has_taken_over(
        own: Settings, database: Database[Document], spawn: Spawn, tmp_path: Path) -> None:
    instance = Instance(own, "api-1", tmp_path)
    workers = [spawn(*WORKER, "audit"), spawn(*WORKER, "reports"), spawn(*WORKER, "--scheduler")]
    try:
        until(instance.ready, 30, "the instance")
        until(lambda: sorted(row["kind"] for row in database["processes"].find()) == [
            "api", "scheduler", "worker audit", "worker reports"], 20, "all processes")
        alice = Person(instance.url).sign_up("Alice", "Acme")
        socket = alice.connect()
        socket.wait_for("hello")
        Schema(database).forbid_below(SCHEMA + 1)
        assert instance.process.wait(60) == 3
        assert socket.closed
        assert TOO_OLD in instance.log.read_text()
        for worker in workers:
            code, text = said(worker)
            assert (code, TOO_OLD in text) == (3, True), text
        assert database["processes"].find_one({"kind": {"$ne": "api"}}) is None
    finally:
        instance.end()


def test_an_instance_that_started_without_mongodb_finds_out_later(own: Settings, tmp_path: Path) -> None:
    with running_mongodb(tmp_path) as mongodb:
        there = replace(own, mongodb_url=mongodb.url)
        migrate_for(there)
        resources = Resources(there)
        Schema(resources.database).forbid_below(SCHEMA + 1)
        resources.close()
        mongodb.stop()
        instance = Instance(there, "api-1", tmp_path, migrated=False)
        try:
            until(lambda: listens(instance), 30, "the listener")
            mongodb.start()
            assert instance.process.wait(60) == 3
            assert TOO_OLD in instance.log.read_text()
        finally:
            instance.end()


def test_processes_that_end_are_forgotten_at_once(own: Settings, database: Database[Document], tmp_path: Path) -> None:
    instance = Instance(own, "api-1", tmp_path)
    until(instance.ready, 30, "the instance")
    [row] = database["processes"].find()
    assert (row["kind"], row["name"], row["schema"]) == ("api", "api-1", SCHEMA)
    instance.stop()
    assert instance.process.returncode == 0
    assert database["processes"].find_one({}) is None
