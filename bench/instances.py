"""An installation to measure: servers, instances of the API as production runs them, and organizations on it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import requests

from bench.product import ROOT
from dashify.context import Platform
from dashify.domain.accounts import Client, Role, SignedIn
from dashify.local.probes import free_port
from dashify.local.processes import session_members, spawn
from dashify.local.servers import Server, running_mongodb, running_redis
from dashify.resources import Resources
from dashify.services import accounts, people
from dashify.settings import Limits, Settings
from dashify.stores.migrating import migrate

_HERE, _PASSWORD = Client("bench", "127.0.0.1"), "correct horse battery"
_TICK = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60.0


@contextmanager
def installed() -> Iterator[tuple[Server, Settings, Path]]:
    """Start a Redis and a MongoDB, ready for the present release; give that Redis, settings, and a folder for files."""
    with tempfile.TemporaryDirectory(prefix="dashify-bench-") as name, \
            running_redis(Path(name) / "redis") as redis, running_mongodb(Path(name) / "mongodb") as mongodb:
        settings = Settings(
            secret_key="of no use to anybody after the bench", redis_url=redis.url, mongodb_url=mongodb.url,
            mongodb_database="dashify_bench", mail_url=Path(name).as_uri(), drain_accept_seconds=1.0,
            limits=replace(Limits(), sockets_per_address=100_000))
        with closing(Resources(settings)) as resources:
            migrate(resources.database)
        yield redis, settings, Path(name)


@contextmanager
def running_instances(settings: Settings, count: int, folder: Path
                      ) -> Iterator[list[tuple[str, subprocess.Popen[bytes]]]]:
    """Start `count` instances that write their log into `folder`; give the address and the process of each."""
    running: list[tuple[str, subprocess.Popen[bytes]]] = []
    with (folder / "instances.log").open("ab") as log:
        try:
            for number in range(count):
                port = free_port()
                own = replace(settings, bind=f"127.0.0.1:{port}", instance=f"api-{number + 1}")
                command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
                running.append((f"http://127.0.0.1:{port}",
                                spawn(command, output=log.fileno(), environment=own.to_env())))
            for url, process in running:
                _wait_until_ready(url, process)
            yield running
        finally:
            for _, process in running:
                process.terminate()
            for _, process in running:
                process.wait()


def organization(platform: Platform, number: int, members: int) -> list[SignedIn]:
    """Make one of `members` people, signed in; the first is its owner."""
    signed = [accounts.sign_up(platform, f"Bench {number}", "Olga", f"o{number}@bench.test", _PASSWORD, _HERE)]
    owner = platform.context(signed[0].actor)
    for other in range(1, members):
        token = people.invite(owner, f"m{number}-{other}@bench.test", Role.MEMBER)["token"]
        signed.append(accounts.accept_invitation(platform, token, f"Max {other}", _PASSWORD, _HERE))
    return signed


def processor_seconds(*leaders: int) -> float:
    """Give the processor seconds that the processes of some sessions have used (proc(5), utime and stime)."""
    ticks = 0
    for pid in itertools.chain.from_iterable(map(session_members, leaders)):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if requests.get(url + "/readyz", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("An instance did not start.")
        time.sleep(0.1)
