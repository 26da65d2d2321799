"""What goes out about queues: a model for every answer of `queues`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dashify.blueprints.answers import JobFailure, Moment, Outgoing


class QueueCensus(Outgoing):
    """One queue: `queued` is due, `failed` can be put back. `workers` and `slots` are the whole installation's."""

    queue: str
    queued: int
    delayed: int
    running: int
    failed: int
    oldest_seconds: float
    workers: int
    slots: int


class QueuesAnswer(Outgoing):
    """Every queue, with my organization's jobs."""

    queues: list[QueueCensus]


class QueuedJob(Outgoing):
    """A job to those who look after its queue. `error` is that of the last failure, also while it waits again."""

    id: str
    kind: str
    queue: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    attempt: int
    failures: int
    crashes: int
    progress: float = Field(ge=0, le=1)
    error: JobFailure | None
    actor_id: str
    created_at: Moment
    due_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class QueuedJobAnswer(Outgoing):
    """One job of a queue."""

    job: QueuedJob


class QueuedJobsAnswer(Outgoing):
    """A page of a queue's jobs, newest first."""

    jobs: list[QueuedJob]
    next: str | None


class CountAnswer(Outgoing):
    """How many it concerned."""

    count: int
