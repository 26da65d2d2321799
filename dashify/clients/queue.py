"""The way of job ids to workers, on RQ's data model. RQ only carries ids: the truth about a job is its row in MongoDB.

What goes to Redis is JSON and holds no person's text: the id, the queue's name and nothing else.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TypeVar

from dashify.clients.rq_lists import RqLists
from dashify.domain.jobs import Delivery, Queue
from dashify.errors import Unavailable
from dashify.gate import RedisGate

T = TypeVar("T")
log = logging.getLogger(__name__)


class Dispatcher:
    """Hands job ids to RQ. Opens its connections on first use."""

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate
        self._client = gate.client(decode=False, pool_size=16)

    def follow(self, deliveries: Sequence[Delivery], withdrawals: Sequence[tuple[str, Queue]]) -> None:
        """Hand jobs to workers, and take others out of RQ's lists, after the commit that says so. Never raises.

        While Redis is away nothing is sent: the sweeper finds the rows.
        """
        if not deliveries and not withdrawals:
            return
        try:
            self.dispatch(deliveries)
            self.withdraw(withdrawals)
        except Unavailable:
            log.info("Redis is away; %d jobs wait in MongoDB", len(deliveries))
        except Exception:  # the commit has succeeded, and the sweeper mends what failed here
            log.exception("Jobs could not be handed over; the sweeper will")

    def dispatch(self, deliveries: Iterable[Delivery]) -> None:
        """Hand jobs over. Handing one over that RQ holds already changes nothing.

        Raises:
            Unavailable: `redis_unavailable`; some may have been handed over.
        """
        by_queue: dict[Queue, list[Delivery]] = defaultdict(list)
        for one in deliveries:
            by_queue[one.queue].append(one)
        for queue, jobs in by_queue.items():
            self.on(queue, lambda lists, jobs=jobs: lists.enqueue(jobs))  # type: ignore[misc]

    def withdraw(self, jobs: Iterable[tuple[str, Queue]]) -> None:
        """Take jobs that are over out of RQ's lists.

        Raises:
            Unavailable: `redis_unavailable`; some may still be there, and no worker will run them.
        """
        by_queue: dict[Queue, list[str]] = defaultdict(list)
        for job_id, queue in jobs:
            by_queue[queue].append(job_id)
        for queue, job_ids in by_queue.items():
            self.on(queue, lambda lists, job_ids=job_ids: lists.withdraw(job_ids))  # type: ignore[misc]

    def depth(self, queue: Queue) -> int:
        """Count what waits in RQ's list of `queue`.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        return self.on(queue, lambda lists: lists.depth())

    def on(self, queue: Queue, work: Callable[[RqLists], T]) -> T:
        """Do `work` with RQ's lists of `queue`.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        # RQ must read bytes, so its lists have a client of their own; the gate still sees every failure of it.
        return self._gate.run(lambda _: work(self._lists[queue]))

    def close(self) -> None:
        """Give every connection back."""
        self._client.connection_pool.disconnect()

    @cached_property
    def _lists(self) -> dict[Queue, RqLists]:
        return {queue: RqLists(self._client, queue) for queue in Queue}
