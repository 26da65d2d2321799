"""The nightly indexer: every tenant's documents and messages compared with the index, by all indexer workers together.

Tenants are shared out among jobs, so one worker has each, and another takes it over if that one dies. What a small
tenant needs is done on the spot; a large one goes on in a job of its own, a part at a time. Every run is short and asks
for what is left at the end of the queue: tenants take turns however large some are, and what people have just written
goes before all of it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Job
from dashify.jobs.running import Run
from dashify.services.reconciling import Part, Place, Reconciliation
from dashify.units import Unit

TENANTS_A_JOB = 50
SECONDS_A_RUN = 1.0  # a text that somebody has just saved waits for no longer than that
ROWS_A_PART = 500
Row = dict[str, Any]


def nightly_tick(platform: Platform, payload: Row, run: Run) -> None:
    """Share every tenant out among jobs, once for each tick, however often this runs."""
    last: str | None = None
    asked = 0
    while tenants := platform.directory.list_tenants(after=last, limit=TENANTS_A_JOB):
        run.check()
        platform.unit(INSTALLATION, run.actor_id, partial(ask_for_tenants, payload["tick"], tenants))
        last, asked = tenants[-1], asked + len(tenants)
    run.finish(lambda unit: {"tenants": asked})


def reconcile_tenants(platform: Platform, payload: Row, run: Run) -> None:
    """Compare some tenants, for a second; what is left of them, and the rest of a large one, is asked for again."""
    counts: Counter[str] = Counter()
    until, left = time.monotonic() + SECONDS_A_RUN, list(payload["tenants"])
    for tenant_id in payload["tenants"]:
        done = Reconciliation(platform, tenant_id, payload["run"], run.check).do_part(Place(), ROWS_A_PART)
        if done.repairs or done.following is not None:
            platform.unit(tenant_id, run.actor_id, partial(_mend, payload["run"], 0, done))
        counts.update({"last": int(done.following is None), **done.counts})
        left.remove(tenant_id)
        if time.monotonic() >= until:
            break

    def finish(unit: Unit) -> Row:
        if left:
            ask_for_tenants(payload["run"], left, unit)
        return dict(counts)

    run.finish(finish)


def reconcile_tenant(platform: Platform, payload: Row, run: Run) -> None:
    """Do one part of a tenant, and ask for the next one where there is more."""
    done = Reconciliation(platform, run.tenant_id, payload["run"], run.check).do_part(
        Place(**payload["place"]), ROWS_A_PART)

    def finish(unit: Unit) -> Row:
        _mend(payload["run"], payload["part"], done, unit)
        return {"last": int(done.following is None), **done.counts}

    run.finish(finish)


def ask_for_tenants(run: str, tenants: Sequence[str], unit: Unit) -> None:
    """Ask for some tenants to be compared, once in a night."""
    unit.jobs.add(Job.RECONCILE_TENANTS, {"run": run, "tenants": list(tenants)},
                  unique_key=f"reconcile-{run}-from-{tenants[0]}-{len(tenants)}")


def _mend(run: str, number: int, part: Part, unit: Unit) -> None:
    """Ask for what a part found to be wrong, and for the next part. Safe to do twice."""
    for repair in part.repairs:
        repair(unit)
    if part.following is not None:
        unit.jobs.add(Job.RECONCILE_TENANT, {"run": run, "part": number + 1, "place": asdict(part.following)},
                      unique_key=f"reconcile-{run}-{number + 1}")
