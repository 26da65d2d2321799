"""Two API instances as production runs them, on the test servers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashify.settings import Settings
from tests.system.kit import ROOT, Instance, Person, kill_group, migrate_for, until

Start = Callable[..., Instance]


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts one more instance and gives it when it is ready."""
    started: list[Instance] = []

    def run(name: str | None = None, **environment: str) -> Instance:
        instance = Instance(settings, name or f"api-{len(started) + 1}", tmp_path, **environment)
        started.append(instance)
        until(instance.ready, 30, f"{instance.url} ready")
        return instance

    yield run
    for instance in started:
        instance.end()


@pytest.fixture(scope="module")
def pair(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Instance]]:
    """Two instances for all tests of a module that leave them running."""
    folder = tmp_path_factory.mktemp("instances")
    instances = Instance(settings, "api-1", folder), Instance(settings, "api-2", folder)
    for instance in instances:
        until(instance.ready, 30, f"{instance.url} ready")
    yield instances
    for instance in instances:
        instance.end()


@pytest.fixture
def alice(pair: tuple[Instance, Instance]) -> Person:
    """Alice, owner of Acme, on the first instance."""
    return Person(pair[0].url).sign_up("Alice", "Acme")


@pytest.fixture
def bob(alice: Person, pair: tuple[Instance, Instance]) -> Person:
    """Bob, member at Acme, on the second instance."""
    return alice.invite("Bob", pair[1].url)


@pytest.fixture
def carol(pair: tuple[Instance, Instance]) -> Person:
    """Carol, owner of Globex, on the second instance."""
    return Person(pair[1].url).sign_up("Carol", "Globex")


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Give a function that starts `worker.py` in a process group of its own; whatever it started ends with the test."""
    started: list[subprocess.Popen[bytes]] = []
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHIFY_")}

    def run(*arguments: str, own: Settings, script: str = "worker.py") -> subprocess.Popen[bytes]:
        migrate_for(own)
        environment = {**clean, **own.to_env(), "PYTHONPATH": str(ROOT)}
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            started.append(subprocess.Popen([sys.executable, str(ROOT / script), *arguments], cwd=ROOT,
                                            env=environment, stderr=log, start_new_session=True))
        return started[-1]

    yield run
    for process in started:
        kill_group(process)
