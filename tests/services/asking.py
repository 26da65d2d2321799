"""What tests of the assistant ask with: passages found by their words alone, and models that say what they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dashify.clients.models import ChatPiece
from dashify.context import Context
from dashify.domain.evidence import meaning
from dashify.domain.knowledge import Passage, Visibility
from dashify.domain.passages import cut
from dashify.errors import Unavailable
from dashify.jobs.runner import Runner
from dashify.services import documents
from dashify.services.documents import Place
from dashify.services.knowledge import channel_readers, principals_of

Json = dict[str, Any]
SHARED = Place(Visibility.ORGANIZATION)
OFFICE = ("The office opens at nine. Guests of the office ring at the second door. The office closes at six. "
          "The office has a red sofa.")


def find_by_words(ctx: Context, query: str, principals: frozenset[str], *, limit: int = 8,
                  kinds: Sequence[str] = ("document", "message")) -> list[Passage]:
    """Find passages as the index does, but by common words, and without an index."""
    mine = principals & principals_of(ctx)
    found: list[Passage] = []
    for row in ctx.store.documents.list_readable(mine, before=None, limit=100):
        text = ctx.store.versions.get(row["_id"], row["version"])["text"]
        found += [Passage("document", row["_id"], row["version"], row["title"], one.heading, one.start, one.end,
                          text[one.start:one.end], 0.0, row["channel_id"]) for one in cut(text)]
    for channel in ctx.store.channels.list_all(after=None, limit=100):
        if not mine.isdisjoint(channel_readers(channel["_id"], channel["private"])):
            found += [Passage("message", row["_id"], row["changed_seq"], f"#{channel['name']}", "", 0, len(row["text"]),
                              row["text"], 0.0, channel["_id"])
                      for row in ctx.store.messages.list_before(channel["_id"], channel["head"] + 1, 100)
                      if not row["deleted_at"] and row["author_id"] != "assistant"]
    said = meaning(query)
    ranked = sorted(found, key=lambda one: -len(said & meaning(f"{one.title} {one.heading} {one.text}")))
    return ranked[:limit]


def write(ctx: Context, text: str = OFFICE, title: str = "Office", place: Place = SHARED) -> str:
    return str(documents.create_document(ctx, title, text, place)["id"])


class Models:
    """A pool of one model that writes `script`, a token at a time; a function in it is called when it is its turn."""

    def __init__(self, *script: str | Callable[[], None], names: Sequence[str] = ("tiny", "large")) -> None:
        self.script: list[str | Callable[[], None]] = list(script)
        self.names = list(names)
        self.asked: list[list[Json]] = []
        self.most: list[int] = []
        self.used_model = ""
        self.refusal: Unavailable | None = None
        self.positions: list[int] = []

    def chat_models(self) -> list[str]:
        return self.names

    def has_chat(self) -> bool:
        return bool(self.names)

    def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        raise Unavailable("There are no models in this test.", code="models_unavailable")

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def turn(self, tenant_id: str, ticket: str, *, model: str, on_position: Callable[[int], None],
             stopped: Callable[[], bool]) -> Iterator[Models]:
        self.used_model = model
        for position in self.positions:
            on_position(position)
        if self.refusal is not None:
            raise self.refusal
        yield self

    def chat(self, messages: Sequence[Json], *, max_tokens: int, stopped: Callable[[], bool]) -> Iterator[ChatPiece]:
        self.asked.append(list(messages))
        self.most.append(max_tokens)
        tokens = 0
        for part in self.script:
            if callable(part):
                part()
                continue
            for word in part.split(" "):
                if stopped():
                    return
                tokens += 1
                yield ChatPiece(f"{word} ", 100, tokens)


class Death(BaseException):
    """The end of a worker in the middle of a run."""


def die() -> None:
    raise Death


def run_job(ctx: Context, runner: Runner, answer_id: str) -> str:
    """Do the job of an answer here and now; give how it ended."""
    return runner.run(ctx.store.answers.get(answer_id)["job_id"])


def die_in(ctx: Context, runner: Runner, answer_id: str, claim: Callable[..., Any]) -> Any:
    """Begin the job of an answer as a worker that dies of what it meets, and have it put back; give that run."""
    job_id = ctx.store.answers.get(answer_id)["job_id"]
    run = claim(runner, job_id)
    try:
        runner.perform(run)
    except Death:
        runner.book.put_back([job_id], "somebody who died")
        return run
    raise AssertionError("it lives")
