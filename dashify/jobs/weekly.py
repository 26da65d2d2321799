"""The weekly report: summed up once for each organization, then mailed to its owners and admins."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from dashify.context import Platform
from dashify.domain.jobs import Job
from dashify.jobs.running import Run
from dashify.services.weekly import sum_up
from dashify.units import Unit, UnitJobs

BATCH = 200


def weekly_tick(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Ask for the summary of every organization, once for each week, however often this runs."""
    tick = _moment(payload["tick"])
    last: str | None = None
    while tenants := platform.directory.list_tenants(after=last, limit=BATCH):
        run.check()
        for tenant_id in tenants:
            platform.unit(tenant_id, run.actor_id, partial(_ask, tick))
        last = tenants[-1]


def sum_up_week(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Sum up the seven days before `payload["tick"]`, and ask for one mail to each owner and admin."""
    until = _moment(payload["tick"])
    store = platform.store_of(run.tenant_id)
    sections = sum_up(store, until)
    readers = [row["_id"] for row in store.people.list_administrators()] if sections else []

    def finish(unit: Unit) -> dict[str, Any]:
        for user_id in readers:
            UnitJobs(unit, user_id).add(Job.SEND_WEEK, {"job_id": run.job_id},
                                        unique_key=f"week-{user_id}-{until:%G-%V}")
        return {"week": f"{until:%G-%V}", "sections": [[heading, lines] for heading, lines in sections]}

    run.finish(finish)


def _ask(tick: datetime, unit: Unit) -> None:
    unit.jobs.add(Job.SUM_UP_WEEK, {"tick": tick.isoformat()}, unique_key=f"week-{tick:%G-%V}")


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
