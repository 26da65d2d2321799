"""The chat hosts of `chat_host`, started once for a worker's tests, and what tests ask of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import requests

from dashify.local.probes import free_port, http_answers
from dashify.local.processes import ROOT


class ChatHosts:
    """Two hosts in one process."""

    def __init__(self) -> None:
        ports = [free_port(), free_port()]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.models.chat_host", *map(str, ports)], cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: all(http_answers(url + "/api/version") for url in self.urls), 30)

    def behave(self, index: int, **mode: Any) -> None:
        requests.put(self.urls[index] + "/test/mode", json=mode, timeout=5).raise_for_status()

    def state(self, index: int) -> dict[str, int]:
        state: dict[str, int] = requests.get(self.urls[index] + "/test/state", timeout=5).json()
        return state

    def idle(self) -> None:
        eventually(lambda: not any(self.state(index)["running"] for index in range(len(self.urls))), 20)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)
