"""`dashify capacity` reads what instances, a worker and a scheduler really publish."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from dashify.cli import main
from dashify.local.probes import free_port
from dashify.settings import Settings
from tests.system.kit import Instance, Person, until

Pair = tuple[Instance, Instance]


@pytest.fixture
def targets(pair: Pair, settings: Settings, tmp_path: Path,
            start_worker: Callable[..., subprocess.Popen[bytes]]) -> list[str]:
    """Two instances, a worker of notifications and a scheduler, all of which publish."""
    ports = [free_port(), free_port()]
    start_worker("notifications", own=replace(settings, metrics_port=ports[0]))
    start_worker("--scheduler", own=replace(settings, metrics_port=ports[1]))
    urls = [f"{instance.url}/metrics" for instance in pair] + [f"http://127.0.0.1:{port}/metrics" for port in ports]

    def published(url: str, words: str) -> bool:
        try:
            return words in requests.get(url, timeout=2).text
        except requests.RequestException:
            return False

    until(lambda: published(urls[2], 'dashify_process_slots{queue="notifications",role="worker"} 50.0'), 30)
    until(lambda: published(urls[3], 'dashify_queue_oldest_seconds{queue="notifications"}'), 30)
    (tmp_path / "targets").write_text("\n".join(urls))
    return urls


@pytest.fixture
def posting(alice: Person, bob: Person) -> Iterator[None]:
    """Messages to everybody at Acme, all the time, and three sockets that get them."""
    clients = [alice.connect(), bob.connect(), bob.connect()]
    general, done = alice.general(), threading.Event()

    def post() -> None:
        while not done.is_set():
            alice.ok("POST", f"/channels/{general}/messages", {"text": f"Look, <@{bob.user['id']}>"})

    poster = threading.Thread(target=post, daemon=True)
    poster.start()
    yield
    done.set()
    poster.join(20)
    for client in clients:
        client.close()


def capacity(tmp_path: Path, *arguments: str) -> str:
    ended = CliRunner().invoke(main, ["capacity", "--targets", str(tmp_path / "targets"), *arguments])
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_a_running_fleet_is_read_and_judged(targets: list[str], posting: None, tmp_path: Path) -> None:
    found = json.loads(capacity(tmp_path, "--seconds", "5", "--json"))
    groups = {one["name"]: one for one in found["groups"]}
    assert (groups["api"]["running"], groups["notifications"]["running"], groups["emails"]["running"]) == (2, 1, 0)
    assert groups["api"]["needed"] >= 2
    assert "emails: none was found" in found["warnings"]
    by_target = {f"http://{one['target']}/metrics": one for one in found["processes"]}
    first, second, worker, scheduler = (by_target[url] for url in targets)
    assert first["sockets"] + second["sockets"] >= 3
    for one, kind in ((first, "requests"), (first, "deliveries"), (second, "heard"), (first, "cores")):
        assert one[kind] > 0, kind
    assert (worker["role"], worker["queue"], worker["slots"]) == ("worker", "notifications", 50)
    assert scheduler["role"] == "scheduler"
    assert found["bottleneck"]["pressure"] > 0
    assert 4 < found["seconds"] < 15


def test_people_see_the_arithmetic(targets: list[str], posting: None, tmp_path: Path) -> None:
    output = capacity(tmp_path, "--seconds", "1")
    for words in ("API instances", "/ (1 x 0.6) =", "/ (10,000 x 0.7) =", "Full first:", "emails: none was found."):
        assert words in output
