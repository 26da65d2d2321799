"""`dashify migrate`: the database is brought to what a release needs, once, before the release's processes start."""

from __future__ import annotations

import sys

import click

from dashify import logs
from dashify.errors import EXIT_OUTDATED, DashifyError, Outdated
from dashify.settings import Settings, from_env
from dashify.stores.indexes import name_of
from dashify.stores.migrating import Migrator
from dashify.stores.migrations import Phase
from dashify.stores.mongo import open_client, open_database
from dashify.stores.schema import judge

EXIT_PENDING = 3
# A dead host is found by the connection's keep-alive long before.
_LONGEST_INDEX_SECONDS = 24 * 3600.0


@click.command("migrate")
@click.option("--check", is_flag=True, help="Only list what is pending; exit code 3 where something is.")
@click.option("--contract", is_flag=True, help="Also take away what only older releases needed, for good: none may "
                                               "run any more, and none can be gone back to.")
def command(check: bool, contract: bool) -> None:
    """Bring the database to what this release needs. Doing it again is safe, and so is killing it.

    The release that runs goes on meanwhile. Run it once per release, before the first new process starts.
    """
    try:
        settings = from_env()
        logs.set_up("warning", process="migrate")
        sys.exit(migrate(settings, check, contract))
    except DashifyError as error:
        click.echo(f"Error: {error.message}", err=True)
        sys.exit(EXIT_OUTDATED if isinstance(error, Outdated) else 1)


def migrate(settings: Settings, check: bool, contract: bool) -> int:
    """Do what the command says, with connections of its own; give the exit code."""
    client, patient = open_client(settings.mongodb_url), open_client(settings.mongodb_url, _LONGEST_INDEX_SECONDS)
    database, builder = (open_database(one, settings.mongodb_database) for one in (client, patient))
    try:
        migrator = Migrator(database, builder=builder, say=click.echo)
        return show(migrator, contract) if check else run(migrator, contract)
    finally:
        patient.close()
        client.close()


def run(migrator: Migrator, contract: bool) -> int:
    """Migrate, and say what is left; give the exit code."""
    before = migrator.reached()
    migrator.run(contract=contract)
    reached = migrator.reached()
    was = f", {before.schema} before" if before.schema != reached.schema else ""
    click.echo(f"The database is at schema {reached.schema}{was}; this release needs {migrator.needed}.")
    for left in migrator.pending(Phase.CONTRACT):
        click.echo(f"Left for `dashify migrate --contract`: {left.number} {left.name}")
    return 0


def show(migrator: Migrator, contract: bool) -> int:
    """List what the same command without --check would do; give the exit code."""
    reached = migrator.reached()
    failure = judge(reached, migrator.ours, 0)
    if failure is not None:
        raise failure
    click.echo(f"The database is at schema {reached.schema}; this release needs {migrator.needed}.")
    lines = []
    for phase in (Phase.EXPAND, Phase.CONTRACT):
        for one in migrator.pending(phase):
            if phase is Phase.EXPAND or contract:
                lines.append(f"{one.number} ({phase}) {one.name}")
            else:
                click.echo(f"Left for `dashify migrate --contract`: {one.number} {one.name}")
    lines += [f"indexes of {collection}: {', '.join(map(name_of, indexes))}"
              for collection, indexes in migrator.missing().items()]
    lines += [f"index {name}, which is not as this release has it" for name in migrator.differing()]
    click.echo("\n".join(f"pending: {line}" for line in lines) or "Nothing is pending.")
    return EXIT_PENDING if lines else 0


if __name__ == "__main__":
    command(prog_name="dashify migrate")
