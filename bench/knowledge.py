"""What is written and found: `python -m bench nightly`, `indexing` and `question`, each on an installation of its own.

Absolute figures are those of a machine and of the stand-ins for MongoDB, Qdrant and the model host; what counts is how
they change: with the number of workers, and from the first time to the second.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.machine import describe_machine
from bench.product import ROOT
from dashify.context import Context, Platform
from dashify.domain.accounts import Client
from dashify.domain.jobs import INSTALLATION, Job, JobStatus, Queue
from dashify.domain.knowledge import Visibility
from dashify.domain.names import new_id
from dashify.local.processes import spawn
from dashify.local.servers import running_models, running_mongodb, running_qdrant, running_redis
from dashify.resources import Resources
from dashify.services import accounts, documents
from dashify.services.documents import Place
from dashify.services.knowledge import principals_of
from dashify.services.retrieval import find_passages
from dashify.settings import Settings
from dashify.stores.migrating import migrate

PARTS = ("nightly", "indexing", "question")
WORKERS = (1, 2, 4)
TENANTS, QUICK_TENANTS = 5_000, 50
DOCUMENTS, QUICK_DOCUMENTS = 100, 5
LONGEST_SECONDS = 1_800.0
_LOOK_SECONDS = 0.5
_SHARED = Place(Visibility.ORGANIZATION)


class Installation:
    """Servers, and as many indexer workers as are asked for."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self._folder = settings, folder
        self.resources = Resources(settings)
        self.platform = Platform(self.resources)
        migrate(self.resources.database)

    def owner(self) -> Context:
        """Sign somebody up and give their context."""
        signed = accounts.sign_up(self.platform, "Bench", "Bench", f"{new_id()}@bench.test", "correct horse battery",
                                  Client("bench", "127.0.0.1"))
        return self.platform.context(signed.actor)

    @contextmanager
    def workers(self, count: int) -> Iterator[None]:
        """Run `count` indexer workers for the length of the block."""
        running: list[subprocess.Popen[bytes]] = []
        with (self._folder / "workers.log").open("ab") as log:
            try:
                for _ in range(count):
                    running.append(spawn([sys.executable, str(ROOT / "worker.py"), Queue.INDEXER.value],
                                         output=log.fileno(), environment=self.settings.to_env()))
                yield
            finally:
                for process in running:
                    process.terminate()
                for process in running:
                    process.wait()

    def wait(self) -> float:
        """Wait until no job is open; give the seconds from the first one's start to the last one's end."""
        jobs, deadline = self.resources.database["jobs"], time.monotonic() + LONGEST_SECONDS
        open_ones = {"queue": Queue.INDEXER.value, "status": {"$in": [JobStatus.QUEUED, JobStatus.RUNNING]}}
        while jobs.find_one(open_ones, {"_id": 1}) is not None:
            if time.monotonic() > deadline:
                raise SystemExit("The workers did not finish.")
            time.sleep(_LOOK_SECONDS)
        # Only now: reading all rows over and over would be what the database is busy with.
        rows = list(jobs.find({"queue": Queue.INDEXER.value}, {"started_at": 1, "finished_at": 1, "status": 1}))
        if any(row["status"] != JobStatus.DONE for row in rows):
            raise SystemExit("Not every job was done: no figure counts.")
        took = max(row["finished_at"] for row in rows) - min(row["started_at"] for row in rows)
        jobs.delete_many({})
        return float(took.total_seconds())


@contextmanager
def installed() -> Iterator[Installation]:
    """Run an installation for the length of the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dashify-bench-")))
        (folder / "models").mkdir()  # where the one that keeps no data leaves its log
        redis, mongodb, qdrant, models = (stack.enter_context(running(folder / name)) for name, running in (
            ("redis", running_redis), ("mongodb", running_mongodb), ("qdrant", running_qdrant),
            ("models", running_models)))
        settings = Settings(secret_key="of no use to anybody after the bench", redis_url=redis.url,
                            mongodb_url=mongodb.url, qdrant_url=qdrant.url, embedding_url=models.url,
                            mail_url=folder.as_uri(), worker_stop_seconds=5.0)
        print(describe_machine(redis.url), flush=True)
        made = Installation(settings, folder)
        yield made
        made.resources.close()


def measure_nightly(here: Installation, tenants: int) -> Iterator[str]:
    """Compare every tenant's texts with the index, by 1, 2 and 4 workers; nothing is missing, as in most nights."""
    here.platform.collections.active()
    here.resources.database["tenants"].insert_many(
        [{"_id": new_id(), "name": f"Tenant {number}", "created_at": here.platform.now} for number in range(tenants)])
    first = 0.0
    for count in WORKERS:
        run = f"bench-{count}"
        here.platform.unit(INSTALLATION, "bench", lambda unit, run=run: unit.jobs.add(  # type: ignore[misc]
            Job.NIGHTLY_TICK, {"tick": run}))
        with here.workers(count):
            took = here.wait()
        first = first or took
        yield f"{tenants:,} tenants, {count} workers: {took:.1f} s, {first / took:.2f} times as fast as one"


def measure_indexing(here: Installation, count: int) -> Iterator[str]:
    """Index texts by one worker, then all of them again."""
    ctx = here.owner()
    ids = [str(documents.create_document(ctx, f"Text {number}", text, _SHARED)["id"])
           for number, text in enumerate(texts(count))]
    with here.workers(1):
        took = here.wait()
        passages = ctx.vectors(ctx.collections.active().name).count({"kind": "document"})
        yield f"{count} documents, {passages} passages: {took:.1f} s, {passages / took:.1f} passages a second"
        for document_id in ids:
            documents.change_document(ctx, document_id, {"visibility": "private"}, None)
        again = here.wait()
        yield f"indexed again, embedding nothing: {again:.1f} s, {took / again:.1f} times as fast"


def measure_question(here: Installation, count: int) -> Iterator[str]:
    """Find passages among the texts of one organization, twenty times."""
    ctx = here.owner()
    for number, text in enumerate(texts(count)):
        documents.create_document(ctx, f"Text {number}", text, _SHARED)
    with here.workers(1):
        here.wait()
    took = []
    for number in range(20):
        began = time.perf_counter()
        find_passages(ctx, f"How does it deal with part {number} of the system?", principals_of(ctx))
        took.append(time.perf_counter() - began)
    took.sort()
    yield f"a question over {count} documents: median {took[10] * 1000:.0f} ms, most {took[-1] * 1000:.0f} ms"


def texts(count: int) -> list[str]:
    """Give texts of about 2,000 characters out of the repository's own documents, one after the other, again."""
    whole = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md")))
    size = 2_000
    return [f"Part {number}.\n\n{whole[at:at + size]}" for number in range(count)
            for at in [number * size % max(1, len(whole) - size)]]


def main(parts: Sequence[str], *, quick: bool) -> None:
    """Measure some of the parts and print a line for each figure."""
    steps = {"nightly": (measure_nightly, QUICK_TENANTS if quick else TENANTS),
             "indexing": (measure_indexing, QUICK_DOCUMENTS if quick else DOCUMENTS),
             "question": (measure_question, QUICK_DOCUMENTS if quick else DOCUMENTS)}
    for part in parts:
        measure, size = steps[part]
        print(f"{part} …", file=sys.stderr, flush=True)
        with installed() as here:
            for line in measure(here, size):
                print(line, flush=True)


__all__ = ["PARTS", "main"]
