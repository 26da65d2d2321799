"""`dashify …`: the operators' commands."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from dashify import logs, migrate
from dashify.blueprints.schemas import Email, NewPassword
from dashify.capacity_command import capacity
from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, OPERATOR, Job, Queue
from dashify.errors import EXIT_OUTDATED, DashifyError, Outdated, Unavailable
from dashify.index_commands import index_group
from dashify.release import read_release
from dashify.resources import Resources
from dashify.services import organizations, superadmins
from dashify.settings import from_env
from dashify.stores.job_book import JobBook
from dashify.units import Unit

_BATCH = 100


class TooOld(click.ClickException):
    """Ends a command whose release the database has left behind."""

    exit_code = EXIT_OUTDATED


@click.group()
def main() -> None:
    """Look after a Dashify installation. Settings come from DASHIFY_… variables."""


@main.command()
def version() -> None:
    """Print the release's name, or a working tree's version."""
    click.echo(read_release())


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def queues(as_json: bool) -> None:
    """Show what waits, runs and has failed in each queue.

    The counts are MongoDB's; `rq_depth` is how many deliveries wait in Redis, null while it does not answer.
    """
    with _platform() as platform:
        rows = describe_queues(platform.resources)
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
    def add(start: int, unit: Unit) -> None:
        for row in range(start, min(start + _BATCH, count)):
            unit.jobs.add(Job.SELF_CHECK, {"row": row})

    with _platform() as platform:
        for start in range(0, count, _BATCH):
            platform.unit(INSTALLATION, OPERATOR, lambda unit, start=start: add(start, unit))  # type: ignore[misc]
    click.echo(f"Asked for {count} jobs of kind {kind}.")


@main.command("create-admin")
@click.argument("email")
@click.option("--revoke", is_flag=True, help="Make the account an ordinary one again.")
@click.option("--ask", is_flag=True, help="Ask for a new account's password instead of making one.")
def create_admin(email: str, revoke: bool, ask: bool) -> None:
    """Make EMAIL a SuperAdmin: somebody who sees every queue of the installation at /platform/rq.

    An account that exists keeps its password and organization. A new one gets an organization of its own, and a
    password that is shown this once. Doing it again is safe.
    """
    address = _checked(Email, email, "This is no email address.")
    with _platform() as platform:
        if revoke or superadmins.has_account(platform, address):
            superadmins.set_superadmin(platform, address, not revoke)
            click.echo(f"{address} is {'no SuperAdmin any more' if revoke else 'a SuperAdmin'}.")
            return
        password = _ask_password() if ask else secrets.token_urlsafe(15)
        superadmins.create_superadmin(platform, address, password)
        click.echo(f"{address} is a SuperAdmin, with a new account.")
        if not ask:
            click.echo(f"Password, shown this once: {password}")


@main.command("delete-organization")
@click.argument("organization_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_organization(organization_id: str, yes: bool) -> None:
    """Delete an organization with all its people, messages, documents and files. There is no way back.

    Everybody is signed out at once; a job of the queue `indexer` removes the rest. Doing it again is safe.
    """
    with _platform() as platform:
        name = organizations.find_organization(platform, organization_id)
        if not yes:
            click.confirm(f"Delete {name} for good?", abort=True)
        organizations.close_organization(platform, organization_id)
    click.echo(f"{name} is closed; its data is being removed.")


@main.command("new-epoch")
def new_epoch() -> None:
    """Say that the data is another than it was: the last step of a restore, before anything starts again.

    Numbers of changes that pages remember mean nothing then, so every page drops what it holds and loads it again.
    Everybody is signed out: who was signed out since the backup would be signed in again otherwise. Processes that run
    notice within 10 s. Doing it again is safe.
    """
    with _platform() as platform:
        platform.sessions.revoke_all(platform.now)
        epoch = platform.directory.renew_epoch()
    click.echo(f"The epoch is {epoch}; everybody is signed out.")


def _ask_password() -> str:
    given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return str(_checked(NewPassword, given, "A password has 8 to 1,000 characters."))


def _checked(kind: Any, value: str, otherwise: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        raise click.ClickException(otherwise) from None


@contextmanager
def _platform() -> Iterator[Platform]:
    """Give a command what it works with; what fails is told in a sentence, and every connection given back."""
    resources = _open()
    try:
        yield Platform(resources)
    except DashifyError as error:
        raise click.ClickException(error.message) from error
    finally:
        resources.close()


def _open() -> Resources:
    """Open this process's connections, to a database on which this release may work."""
    try:
        resources = Resources(from_env())
    except DashifyError as error:
        raise click.ClickException(error.message) from error
    logs.set_up("warning", process="cli")
    resources.standing.kind = "command"
    try:
        resources.standing.check()
    except DashifyError as error:
        resources.close()
        raise (TooOld if isinstance(error, Outdated) else click.ClickException)(error.message) from error
    return resources


main.add_command(index_group(_platform))
main.add_command(migrate.command)
main.add_command(capacity)


def describe_queues(resources: Resources) -> list[dict[str, Any]]:
    """Describe every queue: `queued` is due now, `dead` is the dead-letter list, `slots` what all workers do at once.

    Raises:
        Unavailable: MongoDB is away.
    """
    book, live = JobBook(resources.database, resources.clock), resources.workers.list_live()
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
