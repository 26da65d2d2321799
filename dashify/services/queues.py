"""Looking after my organization's queues: what waits, runs and has failed, putting jobs back, and discarding them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashify.context import Context, Platform
from dashify.domain.audit import Action
from dashify.domain.jobs import JobStatus, Queue
from dashify.domain.names import is_id
from dashify.errors import Forbidden, NotAllowedNow, NotFound
from dashify.services import views
from dashify.services.jobs import announce
from dashify.units import Unit

MOST_AT_ONCE = 1_000
Json = dict[str, Any]
Row = Mapping[str, Any]

_NOTHING = {"queued": 0, "delayed": 0, "running": 0, "dead": 0, "oldest": None}


def list_queues(ctx: Context, platform: Platform) -> list[Json]:
    """Count my organization's jobs in each queue, and the workers that the whole installation has for it.

    Raises:
        Forbidden: I am no admin.
    """
    _require(ctx, "queue.view")
    now, live = ctx.now, platform.workers.list_live()
    found = ctx.store.queues.census(now=now)
    shown = []
    for queue in Queue:
        counts = found.get(queue.value, _NOTHING)
        slots = [row["slots"] for row in live if row["queue"] == queue.value]
        waited = (now - counts["oldest"]).total_seconds() if counts["oldest"] else 0.0
        shown.append({
            "queue": queue.value, "queued": counts["queued"], "delayed": counts["delayed"],
            "running": counts["running"], "failed": counts["dead"], "oldest_seconds": round(waited, 1),
            "workers": len(slots), "slots": sum(slots)})
    return shown


def list_jobs(ctx: Context, queue: str, status: str, cursor: str | None, limit: int) -> Json:
    """List my organization's jobs in a queue that are `queued`, `running` or `failed`, newest first.

    Raises:
        Forbidden: I am no admin.
        NotFound: there is no such queue.
    """
    _require(ctx, "queue.view")
    wanted = JobStatus.DEAD if status == "failed" else JobStatus(status)
    rows = ctx.store.queues.list_jobs(_queue(queue), wanted, before=cursor, limit=limit + 1)
    return views.page("jobs", [_shown(row) for row in rows], limit)


def retry_job(ctx: Context, job_id: str) -> Json:
    """Put a failed job back as if it had never failed; give its new state.

    Raises:
        Forbidden: I am no admin.
        NotFound: my organization has no such job.
        NotAllowedNow: it has not failed.
    """
    _require(ctx, "queue.manage")

    def work(unit: Unit) -> Row:
        row = unit.store.queues.put_back(_known(unit, job_id), now=unit.now)
        if row is None:
            raise NotAllowedNow("Only a job that has failed can be put back.")
        unit.jobs.send(job_id, Queue(row["queue"]))
        _record(unit, Action.JOB_RETRIED, row)
        return row

    row = ctx.unit(work)
    announce(ctx, ctx.actor.tenant_id, row)
    return _shown(row)


def retry_queue(ctx: Context, queue: str) -> int:
    """Put a queue's failed jobs back, at most 1,000 at once, the oldest first; give their number.

    Raises:
        Forbidden: I am no admin.
        NotFound: there is no such queue.
    """
    _require(ctx, "queue.manage")
    wanted = _queue(queue)

    def work(unit: Unit) -> list[Json]:
        rows = unit.store.queues.put_back_all(wanted, now=unit.now, limit=MOST_AT_ONCE)
        for row in rows:
            unit.jobs.send(row["_id"], wanted)
        if rows:
            unit.audit.record(Action.JOB_RETRIED, subject=("queue", wanted.value),
                              details={"queue": wanted.value, "count": len(rows)})
        return rows

    rows = ctx.unit(work)
    for row in rows:
        announce(ctx, ctx.actor.tenant_id, row)
    return len(rows)


def discard_job(ctx: Context, job_id: str) -> None:
    """Cancel a job that has failed or waits.

    Raises:
        Forbidden: I am no admin.
        NotFound: my organization has no such job.
        NotAllowedNow: it runs, or is over.
    """
    _require(ctx, "queue.manage")

    def work(unit: Unit) -> Row:
        row = unit.store.queues.discard(_known(unit, job_id), now=unit.now)
        if row is None:
            raise NotAllowedNow("Only a job that has failed or waits can be discarded.")
        unit.jobs.withdraw(job_id, Queue(row["queue"]))
        _record(unit, Action.JOB_DISCARDED, row)
        return row

    announce(ctx, ctx.actor.tenant_id, ctx.unit(work))


def _record(unit: Unit, action: Action, row: Row) -> None:
    unit.audit.record(action, subject=("job", row["_id"]), details={"kind": row["kind"], "queue": row["queue"]})


def _require(ctx: Context, permission: str) -> None:
    if not ctx.actor.may(permission):
        raise Forbidden("Only owners and admins can look after queues.")


def _queue(name: str) -> Queue:
    try:
        return Queue(name)
    except ValueError:
        raise NotFound("There is no such queue.") from None


def _known(unit: Unit, job_id: str) -> str:
    """Give the id of a job that this tenant has, or raise `NotFound`."""
    if not is_id(job_id):
        raise NotFound("There is no such job.")
    return str(unit.store.jobs.get(job_id)["_id"])


def _shown(row: Row) -> Json:
    """Show a job to those who look after its queue: without what it works on, which may be private to others."""
    error = row["error"]
    return {
        "id": row["_id"], "kind": row["kind"], "queue": row["queue"],
        "status": "failed" if row["status"] == JobStatus.DEAD else row["status"],
        "attempt": row["attempt"], "failures": row["failures"], "crashes": row["crashes"], "progress": row["progress"],
        "error": {"code": error["code"], "message": error["message"]} if error else None, "actor_id": row["actor_id"],
        "created_at": views.moment(row["created_at"]), "due_at": views.moment(row["due_at"]),
        "started_at": views.moment(row["started_at"]), "finished_at": views.moment(row["finished_at"]),
    }
