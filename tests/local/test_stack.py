"""The table: what is started for which options, and what the environment replaces."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dashify.local.folder import Folder
from dashify.local.stack import QUEUES, Options, describe
from dashify.settings import chosen, from_env


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    for name in ("redis_url", "mongodb_url", "qdrant_url", "embedding_url", "mail_url", "secret_key"):
        if chosen(name) is not None:
            monkeypatch.delenv("DASHIFY_" + name.upper())
    return Folder(tmp_path / "data", "http://127.0.0.1:9000")


def test_everything_is_started_for_the_instances_asked_for(folder: Folder) -> None:
    stack = describe(Options(port=9000, instances=3, data=folder.path), folder)
    names = [child.name for child in stack.children]
    assert names[:4] == ["redis", "mongodb", "qdrant", "models"]
    assert names[4:8] == ["schema", "api-1", "api-2", "api-3"]
    assert names[8:] == [*(f"worker-{queue}" for queue in QUEUES), "scheduler"]


def test_data_servers_stop_last_and_redis_last_of_all(folder: Folder) -> None:
    children = describe(Options(data=folder.path), folder).children
    names = [child.name for child in sorted(children, key=lambda child: child.stop_wave)]
    assert names[:3] == ["schema", "api-1", "api-2"]
    assert names[-5:] == ["scheduler", "models", "qdrant", "mongodb", "redis"]


def test_a_childs_environment_reads_as_settings(folder: Folder) -> None:
    stack = describe(Options(port=9000, data=folder.path), folder)
    children = {child.name: child for child in stack.children}
    settings = from_env(children["api-2"].environment)
    assert (settings.bind, settings.instance) == ("127.0.0.1:9001", "api-2")
    assert settings.redis_url == stack.servers["redis"]
    assert settings.mail_url == (folder.path / "mails").as_uri()
    worker = from_env(children["worker-audit"].environment)
    assert worker.metrics_port == stack.metrics["worker-audit"] > 0
    assert worker.secret_key == settings.secret_key == folder.secret_key()
    assert (folder.path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_chosen_server_replaces_ours_and_is_recorded_without_a_pid(
    folder: Folder, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHIFY_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DASHIFY_EMBEDDING_URL", "http://127.0.0.1:2")
    stack = describe(Options(data=folder.path), folder)
    assert not {"redis", "models"} & {child.name for child in stack.children}
    record = stack.record(lambda _name: 7, None)
    assert record["redis"] == {"url": "redis://127.0.0.1:1/0"}
    assert record["models"] == {"url": "http://127.0.0.1:2"}
    assert record["mongodb"]["pid"] == 7


def test_a_port_that_was_taken_meanwhile_is_replaced(folder: Folder) -> None:
    (folder.path / "ports.json").write_text('{"redis": "torn')
    first = folder.ports(["redis", "qdrant"])
    assert folder.ports(["qdrant", "redis"]) == first
    with socket.create_server(("127.0.0.1", first["redis"])):
        second = folder.ports(["redis", "qdrant"])
    assert second["redis"] != first["redis"]
    assert second["qdrant"] == first["qdrant"]
