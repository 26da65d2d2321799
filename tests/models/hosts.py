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
    """Two hosts: in one process, or `apart`, so that one of them can be killed."""

    def __init__(self, *, apart: bool = False) -> None:
        ports = [free_port(), free_port()]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self._processes = [subprocess.Popen(
            [sys.executable, "-m", "tests.models.chat_host", *map(str, served)], cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for served in ([[port] for port in ports] if apart else [ports])]
        eventually(lambda: all(http_answers(url + "/api/version") for url in self.urls), 30)

    def behave(self, index: int, **mode: Any) -> None:
        requests.put(self.urls[index] + "/test/mode", json=mode, timeout=5).raise_for_status()

    def state(self, index: int) -> dict[str, int]:
        state: dict[str, int] = requests.get(self.urls[index] + "/test/state", timeout=5).json()
        return state

    def idle(self) -> None:
        eventually(lambda: not any(self.state(index)["running"] for index in range(len(self.urls))), 20)

    def kill(self, index: int) -> None:
        self._processes[index].kill()
        self._processes[index].wait()

    def close(self) -> None:
        for index in range(len(self._processes)):
            self.kill(index)


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)
