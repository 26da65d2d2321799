"""Jobs while their workers are killed: `python -m tests.system.killing --jobs 10000 --seconds 60` is the full measure.

Four workers, a random one killed with -9 every second and started again; `rq info` and RQ's own cleaning among the
kills; one job that kills whatever runs it.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rq import Queue as RqQueue
from rq.registry import clean_registries
from rq.serializers import JSONSerializer

from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Job
from dashify.gate import connect
from dashify.local.servers import running_mongodb, running_redis
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.migrating import migrate
from dashify.units import Unit

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 4
_BATCH = 200


@dataclass
class Outcome:
    """What came of it: counters by row, ids of dead jobs' rows, what is left, and how long the rest took."""

    kills: int
    counts: dict[int, int]
    dead: list[int]
    left: int
    seconds: float


class Fleet:
    """Workers that are started again when they end, as a supervisor would."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHIFY_")}
        self._environment = {**clean, **settings.to_env(), "PYTHONPATH": str(ROOT)}
        self._log = (folder / "workers.log").open("ab")
        self._workers = [self._start(ROOT / "tests" / "system" / "strange_worker.py") for _ in range(WORKERS)]
        self._scheduler = self._start(ROOT / "worker.py", "--scheduler")

    def kill_one(self) -> None:
        victim = random.choice(self._workers)
        victim.kill()
        victim.wait()

    def revive(self) -> None:
        for number, process in enumerate(self._workers):
            if process.poll() is not None:
                self._workers[number] = self._start(ROOT / "tests" / "system" / "strange_worker.py")

    def stop(self) -> None:
        for process in [*self._workers, self._scheduler]:
            process.kill()
            process.wait()
        self._log.close()

    def _start(self, script: Path, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), *arguments], cwd=ROOT, env=self._environment,
                                stderr=self._log, start_new_session=True)


def kill_workers(settings: Settings, folder: Path, *, rows: range, seconds: float, patience: float = 240.0) -> Outcome:
    """Ask for a self-check of each of `rows`, kill workers for `seconds`, then wait until nothing is left."""
    resources = Resources(settings)
    migrate(resources.database)
    client = connect(settings.redis_url, decode=False, timeout=5.0)
    theirs = RqQueue("audit", connection=client, serializer=JSONSerializer)
    for start in range(0, len(rows), _BATCH):
        Platform(resources).unit(INSTALLATION, "operator", partial(_ask, rows[start:start + _BATCH]))
    fleet = Fleet(settings, folder)
    kept = resources.database["jobs"]
    looking = [str(Path(sys.executable).parent / "rq"), "info", "--url", settings.redis_url, "--raw"]
    look = subprocess.Popen(looking, stdout=subprocess.DEVNULL)
    try:
        began, kills = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            time.sleep(max(0.0, began + kills + 1 - time.monotonic()))
            fleet.kill_one()
            kills += 1
            fleet.revive()
            clean_registries(theirs)
            if look.poll() is not None:
                assert look.returncode == 0
                look = subprocess.Popen(looking, stdout=subprocess.DEVNULL)
        look.wait()
        ended = time.monotonic()
        # The scheduler may have asked for jobs of its own meanwhile, which nobody here works on.
        waiting = {"kind": Job.SELF_CHECK.kind, "status": {"$in": ["queued", "running"]}}
        while (left := kept.count_documents(waiting)) and \
                time.monotonic() - ended < patience:
            fleet.revive()
            time.sleep(0.2)
        counts = {row["_id"]: row["count"] for row in resources.database["self_checks"].find()}
        dead = sorted(row["payload"]["row"] for row in kept.find({"status": "dead"}))
        return Outcome(kills, counts, dead, left, time.monotonic() - ended)
    finally:
        fleet.stop()
        client.connection_pool.disconnect()
        resources.close()


def _ask(rows: range, unit: Unit) -> None:
    for row in rows:
        unit.jobs.add(Job.SELF_CHECK, {"row": row})


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_redis(Path(name) / "r") as redis, \
            running_mongodb(Path(name) / "m") as mongodb:
        settings = Settings(secret_key="only for killing workers, 40 characters long", redis_url=redis.url,
                            mongodb_url=mongodb.url)
        outcome = kill_workers(settings, Path(name), rows=range(asked.jobs), seconds=asked.seconds)
        wrong = {row: count for row, count in outcome.counts.items() if count != 1}
        missing = asked.jobs - 1 - len(outcome.counts)
        print(f"{asked.jobs} jobs, {outcome.kills} kills: {len(outcome.counts)} effects, {len(wrong)} not exactly once,"
              f" {missing} missing, {outcome.left} left, dead rows {outcome.dead}; rest in {outcome.seconds:.0f} s")
        log = (Path(name) / "workers.log").read_text()
        texts = ("run again", "once more", "too often", "Traceback", "no list", "forgotten", "contention")
        print({text: log.count(text) for text in texts})
        return 1 if wrong or missing or outcome.left or outcome.dead != [13] else 0


if __name__ == "__main__":
    sys.exit(main())
