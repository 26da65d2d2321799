"""Model hosts: two small real ones, or a real Ollama where the environment names one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from dashify.clients.models import ModelPool
from dashify.gate import RedisGate
from dashify.local.servers import Server
from dashify.settings import Settings, chosen
from tests.models import MODEL
from tests.models.hosts import ChatHosts


@pytest.fixture(scope="session")
def chat_hosts() -> Iterator[ChatHosts]:
    hosts = ChatHosts()
    yield hosts
    hosts.close()


@pytest.fixture
def two_hosts(chat_hosts: ChatHosts) -> Iterator[ChatHosts]:
    """The two hosts, well-behaved and idle."""
    for index in range(2):
        chat_hosts.behave(index)
    yield chat_hosts
    for index in range(2):
        chat_hosts.behave(index)
    chat_hosts.idle()


@pytest.fixture(scope="session")
def gate(redis_server: Server) -> Iterator[RedisGate]:
    opened = RedisGate(redis_server.url)
    yield opened
    opened.close()


Pool = Callable[..., ModelPool]


@pytest.fixture
def pool(settings: Settings, gate: RedisGate) -> Pool:
    """Give a function that makes one process's pool; each call stands for another process."""
    gate.run(lambda client: client.delete(*(client.keys("dashify:models:*") or ["none"])))

    def make(*urls: str, **changes: object) -> ModelPool:
        wanted = {"model_hosts": ",".join(urls), "chat_models": MODEL, **changes}
        return ModelPool(replace(settings, **wanted), gate)  # type: ignore[arg-type]

    return make


@pytest.fixture(params=["a small host", *(["the chosen host"] if chosen("model_hosts") else [])])
def contract_pool(request: pytest.FixtureRequest, pool: Pool) -> ModelPool:
    """A pool on hosts that must keep what is promised of every host, small or chosen by the environment."""
    if request.param == "the chosen host":
        return pool(chosen("model_hosts"), chat_models=chosen("chat_models") or "", model_context=2048)
    return pool(*request.getfixturevalue("two_hosts").urls)
