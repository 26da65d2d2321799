"""The way of job ids to workers, on RQ's data model. RQ only carries ids: the truth about a job is its row in MongoDB.

What goes to Redis is JSON and holds no person's text: the id, the queue's name and nothing else.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import redis
from rq import Queue as RqQueue
from rq.serializers import JSONSerializer

from dashify.domain.jobs import Delivery, Queue
from dashify.errors import Unavailable
from dashify.gate import RedisGate, connect

log = logging.getLogger(__name__)

RUN = "dashify.jobs.runner.run"
_BATCH = 500
_FAILURE_SECONDS = 24 * 3600


def rq_queue(queue: Queue, client: redis.Redis) -> RqQueue:
    """Give RQ's view of `queue`; `client` must not decode answers. RQ limits no job's time: the lease does."""
    return RqQueue(queue.value, connection=client, serializer=JSONSerializer, default_timeout=-1)


def delivery_id(job_id: str, attempt: int) -> str:
    """Name the delivery of a job's `attempt` (from 1). Handing one over twice names the same RQ job."""
    return f"{job_id}-{attempt}"


class Dispatcher:
    """Hands job ids to RQ. Opens its connections on first use."""

    def __init__(self, gate: RedisGate, redis_url: str) -> None:
        self._gate = gate
        self._client = connect(redis_url, decode=False, pool_size=16)

    def follow(self, deliveries: list[Delivery], withdrawals: list[tuple[str, Queue]]) -> None:
        """Hand new jobs to workers, and take others out of RQ's lists, after the commit that says so. Never raises.

        While Redis is away nothing is sent: the sweeper finds the rows.
        """
        if not deliveries and not withdrawals:
            return
        try:
            self.dispatch([(one.job_id, one.queue, 1) for one in deliveries])
        except Unavailable:
            log.info("Redis is away; %d jobs wait in MongoDB", len(deliveries))
        except Exception:  # the commit has succeeded, and the sweeper mends what failed here
            log.exception("Jobs could not be handed over; the sweeper will")

    def dispatch(self, deliveries: Iterable[tuple[str, Queue, int]]) -> None:
        """Hand over `(job_id, queue, attempt)`, attempts counted from 1. Handing one over twice is harmless.

        Raises:
            Unavailable: `redis_unavailable`; some may have been handed over.
        """
        by_queue: dict[Queue, list[tuple[str, int]]] = defaultdict(list)
        for job_id, queue, attempt in deliveries:
            by_queue[queue].append((job_id, attempt))
        for queue, jobs in by_queue.items():
            for start in range(0, len(jobs), _BATCH):
                self._send(queue, jobs[start:start + _BATCH])

    def waiting(self, queue: Queue) -> set[str]:
        """Give the delivery ids that wait in RQ's list of `queue`.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        return set(self._gate.run(lambda _: rq_queue(queue, self._client).get_job_ids()))

    def depth(self, queue: Queue) -> int:
        """Count what waits in RQ's list of `queue`; raises `Unavailable` as `waiting` does."""
        return int(self._gate.run(lambda _: rq_queue(queue, self._client).count))

    def close(self) -> None:
        """Give every connection back."""
        self._client.connection_pool.disconnect()

    def _send(self, queue: Queue, jobs: list[tuple[str, int]]) -> None:
        # RQ must read bytes, so it has a client of its own; the gate still sees every failure of it.
        def work(_: redis.Redis) -> Any:
            datas = [RqQueue.prepare_data(
                RUN, args=(job_id,), job_id=delivery_id(job_id, attempt), timeout=-1, result_ttl=0,
                failure_ttl=_FAILURE_SECONDS, description=f"{queue.value} {job_id}") for job_id, attempt in jobs]
            return rq_queue(queue, self._client).enqueue_many(datas)

        self._gate.run(work)
