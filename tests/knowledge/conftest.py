"""Documents, messages and their index on real servers; meaning is told by a stand-in that is quick and counts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dashify.context import Context
from dashify.domain.jobs import Queue
from dashify.domain.knowledge import Visibility
from dashify.domain.terms import words
from dashify.errors import Unavailable
from dashify.jobs.runner import Runner
from dashify.local.servers import Server
from dashify.resources import Resources
from dashify.services import documents
from dashify.services.documents import Place
from dashify.settings import Settings
from dashify.stores.migrating import migrate

DIMENSIONS = 32
SHARED = Place(Visibility.ORGANIZATION)
Row = dict[str, Any]


class Meanings:
    """In the model hosts' place: texts with words in common are near each other. Counts what it embeds."""

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.away = False

    def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        if self.away:
            raise Unavailable("The model hosts are away.", code="models_unavailable")
        self.embedded += texts
        return [_vector(text) for text in texts]

    def has_chat(self) -> bool:
        return False

    def chat_models(self) -> list[str]:
        return []

    def close(self) -> None:
        pass


def _vector(text: str) -> list[float]:
    values = [0.01] * DIMENSIONS
    for word in words(text):
        values[hashlib.blake2b(word.encode(), digest_size=2).digest()[0] % DIMENSIONS] += 1
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


@pytest.fixture(scope="session")
def settings(settings: Settings, qdrant_server: Server) -> Settings:
    return replace(settings, mongodb_database="dashify_knowledge_tests", qdrant_url=qdrant_server.url)


@pytest.fixture(scope="session")
def resources(settings: Settings) -> Iterator[Resources]:
    opened = Resources(settings)
    migrate(opened.database)
    vars(opened)["models"] = Meanings()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def runner(settings: Settings, resources: Resources) -> Iterator[Runner]:
    opened = Runner(settings)
    vars(opened.resources)["models"] = resources.models
    yield opened
    opened.resources.close()


@pytest.fixture
def meanings(resources: Resources) -> Iterator[Meanings]:
    """The stand-in, having embedded nothing yet."""
    held: Meanings = vars(resources)["models"]
    held.embedded, held.away = [], False
    yield held
    held.away = False


Work = Callable[[Context], list[str]]


@pytest.fixture
def work(runner: Runner, meanings: Meanings) -> Work:
    """Give a function that does all that waits in the indexer's queue of somebody's organization, now and later."""
    jobs = runner.resources.database["jobs"]

    def do(ctx: Context) -> list[str]:
        done: list[str] = []
        tenant_id = ctx.actor.tenant_id
        where = {"$or": [{"tenant_id": tenant_id}, {"payload.tenants": tenant_id}], "queue": Queue.INDEXER.value,
                 "status": "queued"}
        while waiting := list(jobs.find(where)):
            for row in waiting:
                jobs.update_one({"_id": row["_id"]}, {"$set": {"due_at": row["created_at"]}})
                done.append(f"{row['kind']} {runner.run(row['_id'])}")
            assert len(done) < 500
        return done

    return do


Answered = Callable[[Context], None]


@pytest.fixture
def answered(runner: Runner, resources: Resources) -> Answered:
    """Give a function that does all that waits for the assistant in somebody's organization."""
    def do(ctx: Context) -> None:
        where = {"tenant_id": ctx.actor.tenant_id, "queue": Queue.ASSISTANT.value, "status": "queued"}
        for row in list(resources.database["jobs"].find(where)):
            assert runner.run(row["_id"]) == "done"

    return do


def write(ctx: Context, title: str, text: str, place: Place = SHARED) -> str:
    return str(documents.create_document(ctx, title, text, place)["id"])


def points(resources: Resources, ctx: Context, **where: Any) -> list[Row]:
    vectors = ctx.vectors(ctx.collections.active().name)
    return [hit.payload for hit in vectors.scroll(limit=1_000, where=where)[0]]
