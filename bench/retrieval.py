"""`python -m bench retrieval`: does a question find the passage that answers it, by meaning, by words, and by both.

Texts are cut, embedded and kept as the product does it, on an embedding host and a vector store of the bench's own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.corpus import Question, Text, held_out_questions, manuals, own_documents
from bench.machine import describe_processor
from dashify.domain.passages import cut
from dashify.domain.terms import document_terms, query_terms
from dashify.errors import DashifyError
from dashify.local.servers import running_models, running_qdrant, running_redis
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.vectors import Hit, Point, Sparse, TenantVectors
from tools.steps import StepFailed

TENANT = "bench"
AT_ONCE = 64
TOP, DEPTH = 5, 10
MANUALS = 160
Search = Callable[[list[float], Sparse], list[Hit]]


@dataclass(slots=True)
class Seconds:
    """How long each step of indexing took."""

    cutting: float = 0.0
    terms: float = 0.0
    embedding: float = 0.0
    keeping: float = 0.0
    passages: int = 0
    characters: int = 0

    @contextmanager
    def spent_on(self, step: str) -> Iterator[None]:
        """Add the time that a `with` block takes to a step."""
        started = time.perf_counter()
        yield
        setattr(self, step, getattr(self, step) + time.perf_counter() - started)

    def lines(self) -> list[str]:
        """Give what the report says of indexing."""
        whole = self.cutting + self.terms + self.embedding + self.keeping
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in (
            ("cutting", self.cutting), ("terms", self.terms), ("embedding", self.embedding), ("keeping", self.keeping)))
        return [f"indexing: {self.passages / whole:,.1f} passages a second, {self.characters / whole:,.0f} characters "
                f"a second; seconds of {whole:.1f}: {steps}",
                f"cutting alone: {self.characters / self.cutting / 1e6:,.1f} million characters a second; "
                f"terms alone: {self.passages / self.terms:,.0f} passages a second"]


@dataclass(slots=True)
class Score:
    """How one way of searching did on some questions."""

    ranks: list[int] = field(default_factory=list)  # of the first passage that answers, 0 where there is none in ten
    seconds: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The share of questions whose answer is among the first five."""
        return sum(0 < rank <= TOP for rank in self.ranks) / len(self.ranks)

    @property
    def reciprocal(self) -> float:
        """The mean of one over the rank of the first answer among ten."""
        return sum(1 / rank for rank in self.ranks if rank) / len(self.ranks)


def main(arguments: list[str]) -> int:
    """Measure as `arguments` say; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench retrieval", description=__doc__.partition("\n")[0])
    parser.add_argument("--manuals", type=int, default=MANUALS, help="how many manual pages are among the texts: "
                        f"{MANUALS}, or as many as there are")
    parser.add_argument("--quick", action="store_true", help="one text: to see that it works, not to learn a figure")
    options = parser.parse_args(arguments)
    try:
        measure(options.manuals, quick=options.quick)
    except (StepFailed, DashifyError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def measure(most: int, *, quick: bool) -> None:
    """Index the texts, ask every question in every way, and print what came of it."""
    own = own_documents()
    by_hand = held_out_questions(own)
    if quick:
        own, most = own[:1], 0
    pages, generated = manuals(most)
    questions = {"by hand, held out": [one for one in by_hand if one.name in {text.name for text in own}],
                 "summaries of manual pages": generated}
    with tempfile.TemporaryDirectory(prefix="dashify-bench-") as name, running(Path(name)) as resources:
        vectors = resources.vectors_of(TENANT, resources.collections.active().name)
        seconds = index([*own, *pages], vectors, resources.models.embed)
        scores = {title: ask(some, vectors, resources.models.embed) for title, some in questions.items() if some}
    print(f"Retrieval: {len(own)} documents of ours and {len(pages)} manual pages, {seconds.passages:,} passages",
          f"{describe_processor()}, qdrant-edge-py {version('qdrant-edge-py')} in place of Qdrant, all-MiniLM-L6-v2",
          "", *seconds.lines(), "", *table(scores, judged=not quick), sep="\n", flush=True)


@contextmanager
def running(folder: Path) -> Iterator[Resources]:
    """Run the servers that are needed; give a process's connections to them."""
    with running_redis(folder / "redis") as redis, running_qdrant(folder / "qdrant") as qdrant, \
            running_models(folder) as models:
        resources = Resources(Settings(
            secret_key="of no use to anybody after the bench", redis_url=redis.url, qdrant_url=qdrant.url,
            embedding_url=models.url))
        try:
            yield resources
        finally:
            resources.close()


def index(texts: Sequence[Text], vectors: TenantVectors, embed: Callable[[list[str]], list[list[float]]]) -> Seconds:
    """Cut, embed and keep `texts`."""
    seconds, waiting = Seconds(characters=sum(len(text.text) for text in texts)), []
    for text in texts:
        with seconds.spent_on("cutting"):
            cuts = cut(text.text)
        for one in cuts:
            said = "\n".join(filter(None, (text.title, one.heading, text.text[one.start:one.end])))
            waiting.append((f"{text.name}:{one.ordinal}", said, {
                "kind": "document", "source_id": text.name, "version": 1, "revision": 1, "readers": ["organization"],
                "start": one.start, "end": one.end}))
    seconds.passages = len(waiting)
    for start in range(0, len(waiting), AT_ONCE):
        batch = waiting[start:start + AT_ONCE]
        print(f"indexing: {start:,} of {len(waiting):,} passages …", file=sys.stderr, flush=True)
        with seconds.spent_on("embedding"):
            dense = embed([said for _, said, _ in batch])
        with seconds.spent_on("terms"):
            sparse = [Sparse(*document_terms(said)) for _, said, _ in batch]
        with seconds.spent_on("keeping"):
            vectors.upsert([Point(key, one, words, payload) for (key, _, payload), one, words in zip(
                batch, dense, sparse, strict=True)], revision=1)
    return seconds


def ask(questions: Sequence[Question], vectors: TenantVectors,
        embed: Callable[[list[str]], list[list[float]]]) -> dict[str, Score]:
    """Ask every question by meaning, by words, and by both."""
    where = {"readers": ["organization"], "kind": ["document"]}
    ways: dict[str, Search] = {
        "meaning": lambda dense, sparse: vectors.dense(dense, limit=DEPTH, where=where),
        "words": lambda dense, sparse: vectors.sparse(sparse, limit=DEPTH, where=where),
        "both": lambda dense, sparse: vectors.hybrid(dense, sparse, limit=DEPTH, where=where),
    }
    scores = {way: Score() for way in ways}
    for question in questions:
        [dense] = embed([question.asked])
        sparse = Sparse(*query_terms(question.asked))
        for way, search in ways.items():
            started = time.perf_counter()
            hits = search(dense, sparse)
            scores[way].seconds.append(time.perf_counter() - started)
            scores[way].ranks.append(rank(question, hits))
    return scores


def rank(question: Question, hits: Sequence[Hit]) -> int:
    """Give the place of the first hit that answers, from 1; 0 where none does."""
    for place, hit in enumerate(hits, 1):
        about = hit.payload
        if about["source_id"] == question.name and (
                not question.end or (about["start"] < question.end and question.start < about["end"])):
            return place
    return 0


def table(scores: dict[str, dict[str, Score]], *, judged: bool) -> list[str]:
    """Give the table's lines, and whether both together are as good as each alone where `judged`."""
    lines = [f"{'':44}{'recall@5':>10}{'MRR@10':>10}{'search ms':>12}"]
    for title, ways in scores.items():
        for way, score in ways.items():
            lines.append(f"{f'{title} ({len(score.ranks)}): {way}':44}{score.recall:>10.3f}{score.reciprocal:>10.3f}"
                         f"{median(score.seconds) * 1000:>12.1f}")
    for title, ways in scores.items() if judged else ():
        both = ways["both"]
        holds = all(both.recall >= one.recall and both.reciprocal >= one.reciprocal for one in ways.values())
        lines.append(f"target: {title}: both together no worse than either: {'holds' if holds else 'MISSED'}")
    return lines
