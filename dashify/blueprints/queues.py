"""The queues of my organization, for its owners and admins."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.guards import guarded, signed_in, the_platform
from dashify.blueprints.queue_answers import CountAnswer, QueuedJobAnswer, QueuedJobsAnswer, QueuesAnswer
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import Nothing, QueuePage
from dashify.context import Context
from dashify.services import queues

blueprint = guarded("queues", signed_in)


@endpoint(blueprint, "GET", "/queues", answers={200: QueuesAnswer}, errors=(403,))
def list_queues(ctx: Context) -> dict[str, Any]:
    """Count what waits, runs and has failed in each queue."""
    return {"queues": queues.list_queues(ctx, the_platform())}


@endpoint(blueprint, "GET", "/queues/<queue>/jobs", answers={200: QueuedJobsAnswer}, errors=(403, 404))
def list_queued_jobs(ctx: Context, queue: str, query: QueuePage) -> dict[str, Any]:
    """List a queue's jobs in one state, newest first."""
    return queues.list_jobs(ctx, queue, query.status, query.cursor, query.limit)


@endpoint(blueprint, "POST", "/queues/jobs/<job_id>/retry", answers={200: QueuedJobAnswer}, errors=(404, 422))
def retry_job(ctx: Context, job_id: str, body: Nothing) -> dict[str, Any]:
    """Put a failed job back."""
    return {"job": queues.retry_job(ctx, job_id)}


@endpoint(blueprint, "POST", "/queues/<queue>/retry", answers={200: CountAnswer}, errors=(404,))
def retry_queue(ctx: Context, queue: str, body: Nothing) -> dict[str, Any]:
    """Put all failed jobs of a queue back, at most 1,000 at once."""
    return {"count": queues.retry_queue(ctx, queue)}


@endpoint(blueprint, "DELETE", "/queues/jobs/<job_id>", answers={204: None}, errors=(404, 422))
def discard_job(ctx: Context, job_id: str) -> None:
    """Discard a job that has failed or waits."""
    queues.discard_job(ctx, job_id)
