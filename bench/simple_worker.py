"""RQ's own `SimpleWorker` on empty jobs, one at a time: what we would have without a worker of ours.

`python -m bench.simple_worker REDIS_URL JOBS` prints one line of JSON, in jobs a second.
"""

from __future__ import annotations

import json
import logging
import sys

import rq
from rq.serializers import JSONSerializer

from bench.timing import rate
from dashify.gate import connect

NOTHING = "bench.simple_worker.nothing"


def nothing() -> None:
    """Do nothing."""


def main(redis_url: str, jobs: int) -> None:
    """Hand the jobs over in bulk, and measure how fast they run."""
    logging.getLogger("rq").setLevel(logging.ERROR)
    client = connect(redis_url, decode=False, timeout=30.0, pool_size=4)
    queue = rq.Queue("bench", connection=client, serializer=JSONSerializer)
    queue.enqueue_many([rq.Queue.prepare_data(NOTHING, result_ttl=0) for _ in range(jobs)])
    worker = rq.SimpleWorker([queue], connection=client, serializer=JSONSerializer)
    run = rate(jobs, lambda: worker.work(burst=True, logging_level="ERROR"))
    if queue.count or queue.failed_job_registry.count:
        raise SystemExit("Jobs did not run, so the figure would be wrong.")
    print(json.dumps({"run": run, "version": rq.__version__}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
