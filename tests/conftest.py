"""The servers that tests stand on, and the cast: Alice (owner) and Bob at Acme, Carol at Globex, who sees nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dashify.context import Context, Platform
from dashify.domain.accounts import Client, Role
from dashify.domain.names import new_id
from dashify.local.servers import Server, running_mongodb, running_qdrant, running_redis
from dashify.resources import Resources
from dashify.services import accounts, people
from dashify.settings import Limits, Settings
from dashify.stores.migrating import migrate

PASSWORD = "correct horse battery"
HERE = Client(device="Firefox on Linux", address="127.0.0.1")


@contextmanager
def guard_connections(allowed: Callable[[str], bool] = lambda address: False) -> Iterator[None]:
    """Fail whoever connects to an address that is neither loopback nor `allowed`."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not (
                address[0] in ("127.0.0.1", "::1", "localhost") or allowed(address[0])):
            raise AssertionError(f"a test wanted to connect to {address}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Fail any test that would talk to something that is not on this machine."""
    with guard_connections():
        yield


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Redis with its append-only file, for all tests of this worker."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server of MongoDB's protocol, for all tests of this worker."""
    with running_mongodb(tmp_path_factory.mktemp("mongodb")) as server:
        yield server


@dataclass(frozen=True)
class Named:
    """A server that somebody else runs."""

    url: str


@pytest.fixture(scope="session")
def qdrant_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | Named]:
    """A server of Qdrant's protocol, for all tests of this worker that ask for it: ours, or the Qdrant that is named.

    What the tests keep in one that is named stays there, so it is one for tests only.
    """
    named = os.environ.get("DASHIFY_QDRANT_URL")
    if named:
        yield Named(named)
        return
    with running_qdrant(tmp_path_factory.mktemp("qdrant")) as server:
        yield server


@pytest.fixture(scope="session")
def settings(redis_server: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a process on the test servers, with limits that no test reaches by accident."""
    return Settings(
        secret_key="a secret key for the tests alone, 48 characters", redis_url=redis_server.url,
        mongodb_url=mongodb_server.url, mongodb_database="dashify_tests",
        mail_url=f"file://{tmp_path_factory.mktemp('mails')}",
        limits=replace(Limits(), sign_in_per_minute=1_000, sign_in_address_per_minute=100_000,
                       sign_ups_per_hour=100_000, invitations_per_hour=100_000, sockets_per_user=2_000,
                       sockets_per_address=10_000))


@pytest.fixture(scope="session")
def resources(settings: Settings) -> Iterator[Resources]:
    """One process's connections to the test servers."""
    opened = Resources(settings)
    migrate(opened.database)
    yield opened
    opened.close()


@pytest.fixture
def platform(resources: Resources) -> Platform:
    """What stands above tenants."""
    return Platform(resources)


SignUp = Callable[..., Context]


@pytest.fixture
def sign_up(platform: Platform) -> SignUp:
    """Give a function that makes a new organization and gives its owner's context."""

    def make(name: str, organization: str) -> Context:
        email = f"{name.lower()}.{new_id()}@{organization.lower()}.test"
        return platform.context(accounts.sign_up(platform, organization, name, email, PASSWORD, HERE).actor)

    return make


@pytest.fixture
def join(platform: Platform) -> Callable[..., Context]:
    """Give a function that invites somebody into an organization and gives their context."""

    def make(inviter: Context, name: str, role: Role = Role.MEMBER) -> Context:
        email = f"{name.lower()}.{new_id()}@joined.test"
        token = people.invite(inviter, email, role)["token"]
        return platform.context(accounts.accept_invitation(platform, token, name, PASSWORD, HERE).actor)

    return make


@pytest.fixture
def alice(sign_up: SignUp) -> Context:
    """Alice, owner of Acme."""
    return sign_up("Alice", "Acme")


@pytest.fixture
def bob(alice: Context, join: Callable[..., Context]) -> Context:
    """Bob, member at Acme."""
    return join(alice, "Bob")


@pytest.fixture
def carol(sign_up: SignUp) -> Context:
    """Carol, owner of Globex, who must see nothing of Acme's."""
    return sign_up("Carol", "Globex")


@pytest.fixture
def refreshed(platform: Platform) -> Callable[[Context], Context]:
    """Give a function that gives somebody's context as it is now, after their channels or role changed."""
    from dashify.services.sessions import identify

    return lambda ctx: platform.context(identify(platform, ctx.actor))
