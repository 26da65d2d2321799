"""What must hold after whatever was done to the fleet, and how the tests look into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from pymongo import MongoClient

from tests.fleet import data
from tests.fleet.hosts import Fleet
from tests.fleet.inventory import BALANCER
from tests.system.kit import until

JOBS = 300
AWAY_SECONDS = 2.0


def assert_nothing_is_lost(found: dict[str, Any]) -> None:
    """Whatever was acknowledged is there once, every page has seen it, and all work was done."""
    assert found["acknowledged"] > 0
    assert [found[name] for name in ("lost", "doubled", "gaps", "unseen")] == [[], [], [], []]
    assert (found["not_back"], found["sent_away"]) == (0, 0)
    assert found["jobs"]["done"] == found["jobs"]["asked"] > 0, found["jobs"]


def assert_nobody_noticed(found: dict[str, Any]) -> None:
    """Nothing is lost, no request failed, and no page was long without its socket, not one."""
    assert found["failures"] == []
    assert_nothing_is_lost(found)
    assert found["away_most"] < AWAY_SECONDS
    if "browser" in found:
        assert found["browser"]["failures"] == []
        assert found["browser"]["pages"] > 1


def assert_nothing_but_later(found: dict[str, Any]) -> None:
    """What failed was told to try again in a moment, over HTTP or by a socket's ack."""
    assert [why for _, _, why in found["failures"] if not re.match(r"503 |\{'code': '\w*unavailable'", why)] == []


def releases_served(tries: int = 20) -> set[str]:
    """Ask the balancer which releases answer."""
    return {requests.get(f"{BALANCER}/healthz", timeout=10).json()["release"] for _ in range(tries)}


def ask_for_jobs(fleet: Fleet, host: str) -> None:
    """Ask for jobs of which each must run exactly once."""
    with open_database() as database:
        database["self_checks"].delete_many({})
    fleet.hosts[host].run(f"dashify enqueue self_check --count {JOBS}")


def wait_for_jobs(seconds: float) -> None:
    """Wait until every job has run, then see that each ran once."""
    with open_database() as database:
        rows = database["self_checks"]
        until(lambda: rows.count_documents({}) >= JOBS, seconds, f"{JOBS} jobs done")
        counts = [row["count"] for row in rows.find()]
    assert counts == [1] * JOBS


def ready(fleet: Fleet, host: str) -> bool:
    """Tell whether the API of a host is ready, in whichever slot it runs."""
    ports = " ".join(f"http://127.0.0.1:{port}/readyz" for port in (8000, 8001))
    check = ("import sys, urllib.request as r\nfor url in sys.argv[1:]:\n try: r.urlopen(url, timeout=3); sys.exit(0)\n"
             " except OSError: pass\nsys.exit(1)")
    return fleet.hosts[host].try_run(f"python3 -c '{check}' {ports}").returncode == 0


@contextmanager
def open_database() -> Iterator[Any]:
    """Open the workspace's database, as nobody but the tests does."""
    client: MongoClient[Any] = MongoClient(data.MONGODB_URL, serverSelectionTimeoutMS=10_000, connectTimeoutMS=5_000,
                                           socketTimeoutMS=20_000)
    with client:
        yield client["dashify"]
