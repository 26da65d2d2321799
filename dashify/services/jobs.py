"""My background jobs: how far they are, ending them, and fetching what they made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashify.context import Context, Platform
from dashify.domain import names
from dashify.domain.audit import Action
from dashify.domain.jobs import WATCHED, JobStatus, Queue
from dashify.domain.names import is_id
from dashify.errors import NotAllowedNow, NotFound
from dashify.services.sessions import load_actor
from dashify.stores.files import StoredFile
from dashify.units import Unit

Json = dict[str, Any]
Row = Mapping[str, Any]


def get_job(ctx: Context, job_id: str) -> Json:
    """Show one job that I asked for.

    Raises:
        NotFound: there is none, or somebody else asked for it.
    """
    return describe_job(_own(ctx, job_id))


def cancel_job(ctx: Context, job_id: str) -> Json:
    """End one of my jobs; one that is cancelled already stays so. What it would have made is not kept.

    Raises:
        NotFound: there is none, or somebody else asked for it.
        NotAllowedNow: it is over.
    """
    before = _own(ctx, job_id)

    def work(unit: Unit) -> Row:
        row = unit.store.jobs.cancel(job_id, ctx.actor.user_id, now=unit.now)
        if row is None:
            return unit.store.jobs.get_own(job_id, ctx.actor.user_id)
        unit.jobs.withdraw(job_id, Queue(row["queue"]))
        return row

    row = ctx.unit(work)
    if row["status"] != JobStatus.CANCELLED:
        raise NotAllowedNow("This job is over, so it cannot be cancelled.")
    if before["status"] != JobStatus.CANCELLED:
        announce(ctx, ctx.actor.tenant_id, row)
    return describe_job(row)


def open_result(ctx: Context, job_id: str) -> StoredFile:
    """Open the file that one of my jobs made.

    That I did so is on record before the first byte is given.

    Raises:
        NotFound: there is no such job of mine, it made no file, or the file is gone.
        NotAllowedNow: it is not done.
    """
    row = _own(ctx, job_id)
    if row["status"] != JobStatus.DONE:
        raise NotAllowedNow("This job is not done, so it has no result yet.")
    if not _has_file(row):
        raise NotFound("This job made no file.")
    file = ctx.files.open(row["result"]["file_id"])
    ctx.unit(lambda unit: unit.audit.record(
        Action.REPORT_DOWNLOADED, subject=("job", job_id), details={"kind": row["kind"]}))
    return file


def describe_job(row: Row) -> Json:
    """Show a job's row as the API does."""
    shown: Json = {"id": row["_id"], "kind": row["kind"], "progress": row["progress"],
                   "status": "failed" if row["status"] == JobStatus.DEAD else row["status"]}
    if row["status"] == JobStatus.DONE and _has_file(row):
        shown["result_url"] = f"/api/v1/jobs/{row['_id']}/result"
    if row["status"] == JobStatus.DEAD:
        shown["error"] = {"code": row["error"]["code"], "message": row["error"]["message"]}
    return shown


def announce(reach: Context | Platform, tenant_id: str, row: Row) -> None:
    """Tell who may know that a job's state has changed: whoever asked for it, where its kind is one that people watch,
    and those who look after its queue.
    """
    if row["kind"] in WATCHED:
        room = names.user_room(tenant_id, row["actor_id"])
        reach.publisher.emit(room, "job:progress", {"job": describe_job(row)})
    announce_queue(reach, tenant_id, row["queue"])


def announce_queue(reach: Context | Platform, tenant_id: str, queue: str) -> None:
    """Tell those who look after a tenant's queues that one changed: by each process at most once a second.

    A job that is asked for is not told; its run is, and pages ask by themselves every 10 s.
    """
    room = names.admins_room(tenant_id)
    reach.throttle.run((room, queue), lambda: reach.publisher.emit(room, "queues:changed", {"queue": queue}))


def act_for(platform: Platform, user_id: str) -> Context:
    """Give the context of somebody in whose name a job runs, with the rights they have now.

    Raises:
        NotFound: they are not active any more.
    """
    actor = load_actor(platform, user_id)
    if actor is None:
        raise NotFound("Whoever asked for this is not active any more.")
    return platform.context(actor)


def _own(ctx: Context, job_id: str) -> Row:
    if not is_id(job_id):
        raise NotFound("You have no such job.")
    return ctx.store.jobs.get_own(job_id, ctx.actor.user_id)


def _has_file(row: Row) -> bool:
    return bool(row["result"]) and "file_id" in row["result"]
