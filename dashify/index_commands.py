"""`dashify index …`: the operators' commands about what is found by meaning and words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import click

from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, OPERATOR, Job
from dashify.stores.job_book import JobBook

_RUNS = 5
Open = Callable[[], AbstractContextManager[Platform]]


def index_group(open_platform: Open) -> click.Group:
    """Make the group of commands; `open_platform` gives what one command works with."""
    @click.group("index")
    def group() -> None:
        """Look after the index of documents and messages."""

    def command(name: str, *parameters: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
        def declare(work: Callable[..., None]) -> Callable[..., None]:
            def run(**given: Any) -> None:
                with open_platform() as platform:
                    work(platform, **given)

            run.__doc__ = work.__doc__
            for parameter in reversed(parameters):
                run = parameter(run)
            group.command(name)(run)
            return work

        return declare

    command("status")(show_status)
    command("check")(check)
    command("build", click.argument("model"))(build)
    command("switch", click.option("--force", is_flag=True, help="Although passages are missing."))(switch)
    command("drop", click.argument("name"))(drop)
    return group


def show_status(platform: Platform) -> None:
    """Show which collections there are, and what the last comparisons with the database found."""
    ours, counts = platform.collections, platform.collections.counts()
    roles = dict(zip((name for name, _ in ours.targets()), ("searched", "being built"), strict=False))
    for name, count in counts.items():
        click.echo(f"{name:<40} {count:>10} passages  {roles.get(name, 'not in use')}")
    book = JobBook(platform.resources.database, platform.resources.clock)
    for tick in book.list_latest(Job.NIGHTLY_TICK, _RUNS):
        run, asked = tick["payload"]["tick"], (tick["result"] or {}).get("tenants", "?")
        found = book.sum_up(Job.RECONCILE_TENANTS, run) + book.sum_up(Job.RECONCILE_TENANT, run)
        click.echo(f"{run}: {found['last']} of {asked} organizations done, {found['looked_at']} looked at, "
                   f"{found['missing']} missing, {found['stale']} stale, {found['orphaned']} orphaned, "
                   f"{found['dead']} parts failed")


def check(platform: Platform) -> None:
    """Compare the index with the database now, as is done every night; `status` tells what comes of it."""
    run = _ask(platform, "check")
    click.echo(f"Asked for the comparison {run}.")


def build(platform: Platform, model: str) -> None:
    """Build the index of the embedding MODEL beside the one that is searched; doing it again goes on."""
    made = platform.collections.begin(model)
    run = _ask(platform, "build")
    click.echo(f"{made.name} is being built by the comparison {run}. `dashify index status` tells how far it is; then "
               "`dashify index switch`.")


def switch(platform: Platform, force: bool) -> None:
    """Search the index that was built; refused while it has fewer passages than the present one."""
    counts, targets = platform.collections.counts(), [name for name, _ in platform.collections.targets()]
    if len(targets) > 1 and counts[targets[1]] < counts[targets[0]] and not force:
        raise click.ClickException(
            f"{targets[1]} has {counts[targets[1]]} passages, {targets[0]} {counts[targets[0]]}.")
    now = platform.collections.switch()
    click.echo(f"{now.name} is searched now. The other one stays until `dashify index drop`.")


def drop(platform: Platform, name: str) -> None:
    """Remove the collection NAME, which is not in use any more."""
    platform.collections.drop(name)
    click.echo(f"{name} is gone.")


def _ask(platform: Platform, what: str) -> str:
    run = f"{what}-{platform.now:%Y-%m-%dT%H:%M:%S}"
    platform.unit(INSTALLATION, OPERATOR, lambda unit: unit.jobs.add(Job.NIGHTLY_TICK, {"tick": run}))
    return run
