"""The rounds: each part's program in turn, each beginning on an empty Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench import bullmq
from bench.empty_jobs import BULK, CONCURRENCY, SAMPLES, enqueue
from bench.product import ROOT, Product
from bench.table import Row, describe_memory, judge_speed, render
from dashify.gate import connect
from dashify.settings import Settings

PARTS = ("empty", "peer", "rq", "product", "memory")
LONGEST_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many jobs each measure takes."""

    empty: int = 20_000
    singles: int = 500
    rq: int = 500
    product_singles: int = 200
    product: int = 1_000
    memory: int = 200_000

    @classmethod
    def quick(cls) -> Sizes:
        """Give sizes that show that everything works."""
        return cls(empty=1_000, singles=50, rq=20, product_singles=20, product=40, memory=2_000)


class Rounds:
    """The measures so far. Use it in a `with` block: it holds connections and a worker's log."""

    def __init__(self, redis_url: str, mongodb_url: str, folder: Path, sizes: Sizes) -> None:
        self._redis_url, self._sizes = redis_url, sizes
        self._client = connect(redis_url, decode=False, timeout=30.0, pool_size=4)
        settings = Settings(secret_key="of no use to anybody after the bench", redis_url=redis_url,
                            mongodb_url=mongodb_url, mongodb_database="dashify_bench", mail_url=f"file://{folder}")
        self._product = Product(settings, folder / "worker.log")
        self._run = Row(f"run empty jobs, {CONCURRENCY} at once, no database")
        self._bulk = Row(f"hand over to Redis, {BULK:,} in a call, no database")
        self._single = Row("hand over to Redis, one by one, no database")
        self._rq = Row(f"run empty jobs, {CONCURRENCY} at once against one at a time")
        self._whole = {"ask": Row("the whole product: ask one by one"),
                       "row_ms": Row("  of that the row and its transaction, ms"),
                       "dispatch_ms": Row("  of that handing over to Redis, ms"),
                       "run": Row(f"the whole product: run, {CONCURRENCY} at once, with effects")}
        self._memory: list[float] = []

    def __enter__(self) -> Rounds:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._product.close()
        self._client.connection_pool.disconnect()

    def go_once(self, parts: list[str], *, backwards: bool, title: str) -> None:
        """Measure each of `parts` but the memory once."""
        steps = {"empty": self._measure_empty, "peer": self._measure_peer, "rq": self._measure_rq,
                 "product": self._measure_product}
        chosen = [part for part in steps if part in parts]
        for part in reversed(chosen) if backwards else chosen:
            print(f"{title}: {part} …", file=sys.stderr, flush=True)
            self._client.flushall()
            steps[part]()

    def measure_memory(self) -> None:
        """Follow the memory of one worker's process over many jobs."""
        print(f"memory over {self._sizes.memory:,} jobs …", file=sys.stderr, flush=True)
        self._client.flushall()
        enqueue(self._client, self._sizes.memory)
        self._memory = self._ours(self._sizes.memory, 0, "--filled")["memory"]

    def report(self, *, judged: bool) -> list[str]:
        """Give the lines of the table, and of the targets where `judged`."""
        if self._rq.theirs:
            self._rq.ours = self._run.ours
        lines = render([self._run, self._bulk, self._single, self._rq, *self._whole.values()])
        memory: list[str] = []
        if self._memory:
            memory = describe_memory([self._sizes.memory * part // SAMPLES for part in range(1, SAMPLES + 1)],
                                     self._memory)
        verdicts = [judge_speed(self._run)] if self._run.ours else []
        lines += ["", *memory[:1]] if memory else []
        return [*lines, *verdicts, *memory[1:]] if judged else [*lines, "a quick run: no figure counts"]

    def _measure_empty(self) -> None:
        found = self._ours(self._sizes.empty, self._sizes.singles)
        self._run.ours.append(found["run"])
        self._bulk.ours.append(found["bulk"])
        self._single.ours.append(found["single"])

    def _measure_peer(self) -> None:
        command = bullmq.command(self._redis_url, self._sizes.empty, self._sizes.singles, CONCURRENCY)
        found = _output(command, bullmq.install())
        for row, key in ((self._run, "run"), (self._bulk, "bulk"), (self._single, "single")):
            row.theirs.append(found[key])
            row.peer = f"BullMQ {found['version']}, Node {found['node']}"

    def _measure_rq(self) -> None:
        found = _output([sys.executable, "-m", "bench.simple_worker", self._redis_url, str(self._sizes.rq)])
        self._rq.theirs.append(found["run"])
        self._rq.peer = f"RQ {found['version']}, SimpleWorker"

    def _measure_product(self) -> None:
        found = self._product.measure(self._sizes.product_singles, self._sizes.product)
        for key, row in self._whole.items():
            row.ours.append(found[key])

    def _ours(self, jobs: int, singles: int, *options: str) -> dict[str, Any]:
        return _output([sys.executable, "-m", "bench.empty_jobs", self._redis_url, str(jobs), str(singles), *options])


def _output(command: list[str], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a program that prints one line of JSON, and give that."""
    done = subprocess.run(command, cwd=ROOT, env=environment or dict(os.environ), capture_output=True, text=True,
                          timeout=LONGEST_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
