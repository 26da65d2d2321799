"""Two API instances as production runs them, on the test servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashify.settings import Settings
from tests.system.kit import Instance, Person, until

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
        instance.stop()


@pytest.fixture(scope="module")
def pair(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Instance]]:
    """Two instances for all tests of a module that leave them running."""
    folder = tmp_path_factory.mktemp("instances")
    instances = Instance(settings, "api-1", folder), Instance(settings, "api-2", folder)
    for instance in instances:
        until(instance.ready, 30, f"{instance.url} ready")
    yield instances
    for instance in instances:
        instance.stop()


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
