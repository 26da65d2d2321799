"""The nightly indexer: every tenant's documents and messages compared with the index, by all indexer workers together.

Each part of a tenant is a job, so one worker has it at a time, and another takes it over if that one dies. A part ends
by asking for the next one at the end of the queue: tenants take turns however large some are, and what people have just
written goes before all of it.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from dashify.context import Platform
from dashify.domain.jobs import Job
from dashify.jobs.running import Run
from dashify.services.reconciling import Place, Reconciliation
from dashify.units import Part, Unit

TENANTS_AT_ONCE = 100
ROWS_A_PART = 500
Row = dict[str, Any]


def nightly_tick(platform: Platform, payload: Row, run: Run) -> None:
    """Ask for the first part of every tenant, once for each tick, however often this runs."""
    last: str | None = None
    asked = 0
    while tenants := platform.directory.list_tenants(after=last, limit=TENANTS_AT_ONCE):
        run.check()
        platform.units([Part(tenant_id, run.actor_id, partial(_ask, payload["tick"], 0, Place()))
                        for tenant_id in tenants])
        last, asked = tenants[-1], asked + len(tenants)
    run.finish(lambda unit: {"tenants": asked})


def reconcile_tenant(platform: Platform, payload: Row, run: Run) -> None:
    """Do one part of a tenant, and ask for the next one where there is more."""
    done = Reconciliation(platform, run.tenant_id, payload["run"], run.check).do_part(
        Place(**payload["place"]), ROWS_A_PART)

    def finish(unit: Unit) -> Row:
        for repair in done.repairs:
            repair(unit)
        if done.following is not None:
            _ask(payload["run"], payload["part"] + 1, done.following, unit)
        return {"last": done.following is None, **done.counts}

    run.finish(finish)


def _ask(run: str, part: int, place: Place, unit: Unit) -> None:
    unit.jobs.add(Job.RECONCILE_TENANT, {"run": run, "part": part, "place": asdict(place)},
                  unique_key=f"reconcile-{run}-{part}")
