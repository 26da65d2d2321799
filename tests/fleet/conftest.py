"""One fleet for all tests of several hosts: booted once, built by site.yml once, thrown away at the end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from dashify.local import probes
from tests.conftest import guard_connections
from tests.fleet import data
from tests.fleet.checks import releases_served
from tests.fleet.hosts import Fleet, elsewhere, is_ours, on_a_visitors_network
from tests.fleet.inventory import ADDRESSES, BALANCER, BUILT, Inventory
from tests.fleet.releases import never_ready, remake, with_other_assets
from tests.fleet.roots import CACHE, bare_root
from tests.fleet.tally import MOST_SECONDS, posts_per_second, table
from tests.system.kit import until
from tools.fleet import VENV
from tools.release import ROOT, build_release

LOGS = CACHE / "last-logs"
PLAYBOOK_SECONDS = 900
# Ansible's share of the processor, in hosts of the usual one; and where no socket moves, when all else can bear it.
POWER, MORE_POWER = 2.0, 8.0


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Fail any test that would talk to something but this machine and the hosts it made itself."""
    with guard_connections(is_ours):
        yield


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """All hosts, bare, and data1 with its stand-ins answering."""
    with Fleet() as hosts:
        data.add_data_host(hosts)
        for name in BUILT:
            hosts.add(name, ADDRESSES[name], (bare_root(),))
        for host in hosts.hosts.values():
            host.wait()
        until(lambda: probes.mongodb_answers(data.MONGODB_URL) and probes.http_answers(f"{data.QDRANT_URL}/readyz")
              and probes.http_answers(f"{data.MODELS_URL}/api/version"), 60, "the stand-ins")
        yield hosts
        _keep_logs(hosts)


class Releases:
    """Archives to deploy, made as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def first(self) -> Path:
        """The present files."""
        return build_release(self._folder, "r1")

    @cached_property
    def second(self) -> Path:
        """The same, with assets of other names."""
        return remake(self.first, "r2", with_other_assets("X2"))

    @cached_property
    def broken(self) -> Path:
        """One whose instances start, and never become ready."""
        return remake(self.first, "r3", never_ready)

    def running(self) -> str:
        """The one that the fleet runs."""
        return str(self.first if releases_served() == {"r1"} else self.second)

    def other(self) -> str:
        """Another good one than the fleet runs."""
        return str(self.second if releases_served() == {"r1"} else self.first)


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """The archives that the tests deploy."""
    return Releases(tmp_path_factory.mktemp("releases"))


@dataclass
class Play:
    """How a run of a playbook went."""

    status: int
    output: str
    seconds: float
    changed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        recap = self.output.rpartition("PLAY RECAP")[2]
        self.changed = {host: int(count) for host, count in re.findall(r"^(\w+)\s+: .*?changed=(\d+)", recap, re.M)}


Playbook = Callable[..., Play]


@pytest.fixture(scope="session")
def inventory(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    """The inventories of this fleet."""
    return Inventory(tmp_path_factory.mktemp("inventory"), fleet)


@pytest.fixture(scope="session")
def playbook(inventory: Inventory) -> Playbook:
    """Give a function that runs a playbook with variables, and gives how it went; it must succeed unless told else.

    `groups` are the inventory's groups that have other hosts than usual; `power` is Ansible's share of the processor.
    """
    LOGS.mkdir(parents=True, exist_ok=True)

    def run(name: str, *options: str, succeeds: bool = True, groups: dict[str, list[str]] | None = None,
            power: float = POWER, **variables: Any) -> Play:
        began = time.monotonic()
        log = LOGS / f"{name}-{int(time.time())}.log"
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible" / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_HOME": str(inventory.folder / "home"), "LC_ALL": "C.UTF-8",
                       "ANSIBLE_LOG_PATH": str(log.with_suffix(".times"))}
        command = [str(VENV / "bin" / "ansible-playbook"), "-i", str(inventory.write(**groups or {})),
                   f"{name}.yml", *options, "-e", json.dumps(variables)]
        with log.open("wb") as output:
            status = subprocess.run(elsewhere("controller", power, command), cwd=ROOT / "ansible", env=environment,
                                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                    timeout=PLAYBOOK_SECONDS).returncode
        play = Play(status, log.read_text(), time.monotonic() - began)
        print(f"\n  {name}.yml took {play.seconds:.0f} s; its output is in {log}")
        assert (status == 0) is succeeds, play.output[-6000:]
        return play

    return run


@pytest.fixture(scope="session")
def site(fleet: Fleet, playbook: Playbook, releases: Releases) -> Fleet:
    """The fleet with the first release on it, all hosts built from bare ones."""
    playbook("site", dashify_release_archive=str(releases.first))
    return fleet


class Load:
    """What goes on while the fleet changes; `stop` ends it and gives what came of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, power: float, *options: str) -> None:
        """Start a program of this folder with a share of the processor, and wait until it says that it runs."""
        command = [sys.executable, "-m", f"tests.fleet.{name}", "--url", BALANCER,
                   "--to", str(self._folder / f"{name}.json"), *options]
        if name == "browser":
            command = on_a_visitors_network(command)
        process = subprocess.Popen(elsewhere(name, power, command), cwd=ROOT, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        self._programs[name] = process
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first == "running\n", first + process.stdout.read()

    def stop(self) -> dict[str, Any]:
        """End all of it, let it settle and compare, and show the table."""
        for name, process in reversed(self._programs.items()):
            process.send_signal(signal.SIGTERM)
            output = process.communicate(timeout=300)[0]
            assert process.returncode == 0, f"{name}: {output}"
        found: dict[str, Any] = json.loads((self._folder / "load.json").read_text())
        if "browser" in self._programs:
            found["browser"] = json.loads((self._folder / "browser.json").read_text())
        print(f"\n{table(found)}")
        assert found["seconds"] < MOST_SECONDS, "the load ended by itself, and did not see the end of the change"
        for failure in (found["failures"] + found.get("browser", {}).get("failures", []))[:20]:
            print(f"  failed: {failure}")
        for call in found["slow"][:20]:
            print(f"  slow: {call}")
        for since, gap in found["longest"]:
            print(f"  without a socket from {since} s on: {gap} s")
        return found

    def kill(self) -> None:
        """End what still runs; nobody asks what came of it."""
        for process in self._programs.values():
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def load(site: Fleet, tmp_path: Path) -> Callable[..., Any]:
    """Give a context in which the load runs, and a real browser if asked for; leaving it ends both.

    `power` is the browser's share of the processor, `every` the seconds after which it opens another page.
    """

    @contextmanager
    def run(*, browser: bool = False, power: float = 3.0, every: float = 15.0) -> Iterator[Load]:
        running = Load(tmp_path)
        try:
            # Who measures must not wait for what is measured.
            running.start("load", 12.0, "--posts", str(posts_per_second()))
            if browser:
                running.start("browser", power, "--every", str(every))
            yield running
        finally:
            running.kill()

    return run


ORDER = ("test_files", "test_vendors", "test_site", "test_deploy", "test_changes", "test_faults", "test_backup",
         "test_extras", "test_single")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look at the fleet as it was built before anything is done to it; wipe it, and build it otherwise, last."""
    items.sort(key=lambda item: ORDER.index(item.path.stem))


def _keep_logs(fleet: Fleet) -> None:
    """Keep every host's journal of this run, for whoever asks why a test failed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for name, host in fleet.hosts.items():
        try:
            (LOGS / f"{name}.log").write_text(host.run("journalctl --no-pager -o short-iso-precise", timeout=60))
        except (AssertionError, subprocess.TimeoutExpired) as error:
            (LOGS / f"{name}.log").write_text(str(error))
