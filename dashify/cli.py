"""`dashify …`: the operators' commands."""

from __future__ import annotations

import json
from typing import Any

import click

from dashify import __version__, logs
from dashify.context import Platform, Unit
from dashify.domain.jobs import INSTALLATION, Job, Queue
from dashify.errors import DashifyError, Unavailable
from dashify.resources import Resources
from dashify.settings import from_env
from dashify.stores.job_book import JobBook
from dashify.stores.workers import Clock, Workers

OPERATOR = "operator"
_BATCH = 100


@click.group()
def main() -> None:
    """Look after a Dashify installation. Settings come from DASHIFY_… variables."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def queues(as_json: bool) -> None:
    """Show what waits, runs and has failed in each queue.

    The counts are MongoDB's; `rq_depth` is how many deliveries wait in Redis, null while it does not answer.
    """
    resources = _open()
    try:
        rows = describe_queues(resources)
    except DashifyError as error:
        raise click.ClickException(error.message) from error
    finally:
        resources.close()
    if as_json:
        click.echo(json.dumps({"queues": rows}))
        return
    columns = ("queue", "queued", "delayed", "running", "dead", "oldest_seconds", "workers", "slots", "rq_depth")
    click.echo("".join(f"{column:>15}" for column in columns))
    for row in rows:
        click.echo("".join(f"{'-' if row[column] is None else row[column]:>15}" for column in columns))


@main.command()
@click.argument("kind", type=click.Choice(["self_check"]))
@click.option("--count", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="How many jobs.")
def enqueue(kind: str, count: int) -> None:
    """Ask for COUNT jobs; job i of `self_check` adds one to row i, exactly once."""
    resources = _open()
    platform = Platform(resources)

    def add(start: int, unit: Unit) -> None:
        for row in range(start, min(start + _BATCH, count)):
            unit.jobs.add(Job.SELF_CHECK, {"row": row})

    try:
        for start in range(0, count, _BATCH):
            platform.unit(INSTALLATION, OPERATOR, lambda unit, start=start: add(start, unit))  # type: ignore[misc]
    except DashifyError as error:
        raise click.ClickException(error.message) from error
    finally:
        resources.close()
    click.echo(f"Asked for {count} jobs of kind {kind}.")


def _open() -> Resources:
    try:
        settings = from_env()
    except DashifyError as error:
        raise click.ClickException(error.message) from error
    logs.set_up("warning", process="cli")
    return Resources(settings)


def describe_queues(resources: Resources) -> list[dict[str, Any]]:
    """Describe every queue: `queued` is due now, `dead` is the dead-letter list, `slots` what all workers do at once.

    Raises:
        Unavailable: MongoDB is away.
    """
    clock = Clock(resources.database)
    book, live = JobBook(resources.database, clock), Workers(resources.database, clock).list_live()
    rows = []
    for queue in Queue:
        slots = [row["slots"] for row in live if row["queue"] == queue.value]
        try:
            depth: int | None = resources.dispatcher.depth(queue)
        except Unavailable:
            depth = None
        rows.append({"queue": queue.value, **book.census(queue), "workers": len(slots), "slots": sum(slots),
                     "rq_depth": depth})
    return rows
