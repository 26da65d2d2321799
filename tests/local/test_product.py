"""The whole product as a person starts it: `app.py` on free ports, with its demo, stopped, killed and started again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dashify.local.probes import free_port, http_answers, is_free
from dashify.local.processes import ROOT, session_members, start_time

START_SECONDS = 120


class Product:
    """`app.py` with its data in one folder, over several runs."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = next(port for port in iter(free_port, None) if is_free(port + 1))
        self.out = data.parent / "out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        with self.out.open("wb") as out:
            process = self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py"), "--port", str(self.port), "--data", str(self.data)],
                stdout=out, stderr=subprocess.STDOUT, cwd=self.data.parent,
                env={name: value for name, value in os.environ.items() if not name.startswith("DASHIFY_")},
            )
        deadline = time.monotonic() + START_SECONDS
        while "\n  password:" not in self.said:
            assert process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)
        answer: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return answer

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(90)

    @property
    def said(self) -> str:
        return self.out.read_text()


def pids(record: dict[str, Any]) -> list[int]:
    named = [*record["api"], *record["workers"], record["scheduler"]]
    named += [record[name] for name in ("redis", "mongodb", "qdrant", "models")]
    return [part["pid"] for part in named]


def all_gone(leaders: list[int]) -> bool:
    return not any(session_members(leader) for leader in leaders)


def wait_until_gone(leaders: list[int]) -> None:
    deadline = time.monotonic() + 15
    while not all_gone(leaders):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def signed_in(record: dict[str, Any], instance: int) -> requests.Session:
    session = requests.Session()
    answer = session.post(record["api"][instance]["url"] + "/api/v1/auth/login", json=record["demo"], timeout=20)
    assert answer.status_code == 200, answer.text
    return session


def texts(record: dict[str, Any], instance: int) -> list[str]:
    session, api = signed_in(record, instance), record["api"][instance]["url"] + "/api/v1"
    channels = session.get(api + "/channels", timeout=20).json()["channels"]
    general = next(channel for channel in channels if channel["name"] == "general")
    messages = session.get(f"{api}/channels/{general['id']}/messages", timeout=20).json()["messages"]
    return [message["text"] for message in messages]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    one = Product(tmp_path / "data")
    yield one
    if one.process and one.process.poll() is None:
        one.process.kill()
        one.process.wait()


def test_the_product_starts_stops_and_keeps_its_data(product: Product) -> None:
    record = product.start()
    assert (product.data / "run.json").stat().st_mode & 0o777 == 0o600
    assert all(start_time(pid) for pid in pids(record))
    for part in [*record["workers"], record["scheduler"]]:
        assert http_answers(f"http://127.0.0.1:{part['metrics_port']}/metrics")
    ready = re.search(r"Dashify is ready: (\S+)\n +email: +(\S+)\n +password: +(\S+)", product.said)
    assert ready
    assert ready.groups() == (record["api"][0]["url"], record["demo"]["email"], record["demo"]["password"])
    first = texts(record, 0)
    assert len(first) >= 5
    assert texts(record, 1) == first

    leaders = pids(record)
    assert product.stop() == 0, product.said
    assert all_gone(leaders)
    assert not (product.data / "run.json").exists()

    again = product.start()
    assert again["demo"] == record["demo"]
    assert texts(again, 1) == first
    assert product.process
    product.process.kill()
    product.process.wait()
    wait_until_gone(pids(again))

    third = product.start()
    assert texts(third, 0) == first
    assert product.stop(signal.SIGTERM) == 0
    assert all_gone(pids(third))


def test_every_killed_part_comes_back(product: Product) -> None:
    record = product.start()
    for pid in pids(record):
        # One that could not start its work without those killed before it may have ended by itself.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not all(http_answers(api["url"] + "/readyz") for api in record["api"]):
        assert time.monotonic() < deadline, product.said
        time.sleep(0.2)
    after = json.loads((product.data / "run.json").read_text())
    assert not set(pids(after)) & set(pids(record))
    assert len(texts(after, 0)) >= 5
