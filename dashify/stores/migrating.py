"""Running migrations: one runner at a time in the whole fleet, going on where one that was killed has stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, OperationFailure

from dashify import __version__
from dashify.errors import Outdated
from dashify.stores.indexes import INDEXES, is_as_wanted, name_of
from dashify.stores.migrations import MIGRATIONS, Migration, MigrationFailed, Phase, needed, newest
from dashify.stores.mongo import Document, translated
from dashify.stores.schema import HOLDS_SECONDS, Processes, Reached, Schema, judge
from dashify.stores.turn import Say, Turn
from dashify.stores.workers import Clock

_POLL_SECONDS = 0.5
_TELL_SECONDS = 10.0
Indexes = dict[str, list[IndexModel]]


class Work:
    """What one migration works with: see `migrations.Step`. Where it has got to is in its row of `migrations`."""

    def __init__(self, runner: Migrator, migration: Migration, places: Document) -> None:
        self.database = runner.database
        self._runner, self._migration, self._places = runner, migration, places

    def batches(self, collection: str, where: Document, size: int = 500) -> Iterator[list[Document]]:
        """Give the documents that match, `size` at a time; a batch is noted when the next one is asked for."""
        key = collection.replace(".", "/")  # a dot in a field's name would be a path
        place: Document = self._places.get(key) or {"after": None, "done": 0}
        told = time.monotonic()
        while True:
            self._runner.turn.prove()
            after: Document = {} if place["after"] is None else {"_id": {"$gt": place["after"]}}
            with translated():
                rows = list(self.database[collection].find({"$and": [where, after]}).sort("_id", 1).limit(size))
            if not rows:
                break
            yield rows
            place = {"after": rows[-1]["_id"], "done": place["done"] + len(rows)}
            self._runner.note(self._migration, {f"places.{key}": place})
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                self._runner.say(f"    {collection}: {place['done']} documents so far")
        self._runner.say(f"    {collection}: {place['done']} documents")

    def build(self, collection: str, *names: str) -> None:
        """Build indexes of INDEXES now."""
        missing = self._runner.missing().get(collection, [])
        self._runner.build(collection, [index for index in missing if name_of(index) in names])

    def expire(self, collection: str, name: str) -> None:
        """Have an index forget documents after the time that INDEXES says."""
        wanted = next(one for one in self._runner.indexes[collection] if name_of(one) == name)
        seconds = wanted.document["expireAfterSeconds"]
        with translated():
            self.database.command("collMod", collection, index={"name": name, "expireAfterSeconds": seconds})

    def drop(self, collection: str, *names: str) -> None:
        """Drop indexes that INDEXES does not have any more, those that are there."""
        kept = {name_of(index) for index in self._runner.indexes.get(collection, [])}
        if self._migration.phase is not Phase.CONTRACT or kept & set(names):
            raise MigrationFailed("Only a contract migration drops an index, and only one that INDEXES does not have.")
        with translated():
            there = self.database[collection].index_information()
            for name in (name for name in names if name in there):
                self.database[collection].drop_index(name)


class Migrator:
    """Runs what is pending. `builder` is the same database by a client that waits long enough for an index."""

    def __init__(self, database: Database[Document], *, say: Say = lambda line: None,
                 builder: Database[Document] | None = None, migrations: Sequence[Migration] = MIGRATIONS,
                 indexes: Indexes = INDEXES) -> None:
        self.database, self.say, self.indexes = database, say, indexes
        clock = Clock(database)
        self.turn = Turn(database, clock)
        self._builder = database if builder is None else builder
        self._clock, self._schema, self._processes = clock, Schema(database), Processes(database, clock)
        self._migrations = tuple(migrations)
        self.ours, self.needed = newest(self._migrations), needed(self._migrations)

    def reached(self) -> Reached:
        """Read how far the database is.

        Raises:
            Unavailable: MongoDB is away.
        """
        return self._schema.read()

    def pending(self, phase: Phase) -> list[Migration]:
        """List the migrations of a phase that have not been done, in order."""
        with translated():
            rows = self.database["migrations"].find({"finished_at": {"$ne": None}}, {"_id": 1})
            done = {row["_id"] for row in rows}
        return [one for one in self._migrations if one.phase is phase and one.number not in done]

    def missing(self) -> Indexes:
        """Give the indexes of INDEXES that are not there, by collection."""
        found: Indexes = {}
        with translated():
            for collection, indexes in self.indexes.items():
                there = set(self.database[collection].index_information())
                absent = [index for index in indexes if name_of(index) not in there]
                if absent:
                    found[collection] = absent
        return found

    def differing(self) -> list[str]:
        """List the indexes that are there under a name of INDEXES and do something else."""
        found = []
        with translated():
            for collection, indexes in self.indexes.items():
                there = self.database[collection].index_information()
                found += [f"{collection}.{name_of(one)}" for one in indexes
                          if name_of(one) in there and not is_as_wanted(one, there[name_of(one)])]
        return found

    def run(self, *, contract: bool = False) -> None:
        """Bring the database to what this release needs, and with `contract` take away what older ones needed.

        Raises:
            Outdated: this release is too old for the database.
            MigrationFailed: a migration failed, or an older release runs that must not.
            Unavailable: MongoDB is away; running it again goes on.
        """
        with self.turn.held(self.say):
            self._refuse()
            for migration in self.pending(Phase.EXPAND):
                self._do(migration)
            for collection, indexes in self.missing().items():
                self.build(collection, indexes)
            if differing := self.differing():
                raise MigrationFailed(f"These indexes are not as this release has them, and no migration of it has "
                                      f"changed them: {', '.join(differing)}.")
            self._schema.reach(self.needed)
            for migration in self.pending(Phase.CONTRACT) if contract else ():
                self._contract(migration)

    def note(self, migration: Migration, fields: Document) -> None:
        """Note how far a migration is."""
        self.turn.prove()
        with translated():
            self.database["migrations"].update_one({"_id": migration.number}, {"$set": fields})

    def build(self, collection: str, indexes: Sequence[IndexModel]) -> None:
        """Build indexes of one collection, in one pass over it; the release that runs goes on meanwhile.

        Raises:
            MigrationFailed: documents or an index that are there stand against it.
        """
        if not indexes:
            return
        self.turn.prove()
        names = ", ".join(map(name_of, indexes))
        self.say(f"    {collection}: building {names}")
        began = time.monotonic()
        try:
            with translated():
                self._builder[collection].create_indexes(list(indexes))
        except DuplicateKeyError as error:
            raise MigrationFailed(f"An index of {collection} is to be unique, and documents are not: {names}. Remove "
                                  "the doubles and run it again.") from error
        except OperationFailure as error:
            raise MigrationFailed(f"MongoDB refused to build indexes of {collection} ({names}): "
                                  f"{_reason(error)}.") from error
        if time.monotonic() - began > 1:
            self.say(f"    {collection}: built in {time.monotonic() - began:.0f} s")

    def _refuse(self) -> None:
        """Raise where this release must not change the database as it is, or as who runs needs it to stay."""
        reached = self.reached()
        failure = judge(reached, self.ours, 0)
        if isinstance(failure, Outdated):
            raise failure
        expands = [one.number for one in self.pending(Phase.EXPAND)]
        skipped = [one.number for one in self.pending(Phase.CONTRACT) if expands and one.number > min(expands)]
        if skipped and not self._is_new(reached):
            # This release does not do for releases before that contract's expansion what the one between did.
            oldest = max(skipped) - 1
            self._refuse_below(oldest, "and a release was left out: upgrade to the one between first, or stop")
            self._schema.forbid_below(oldest)
            self._wait_for_those_below(oldest)

    def _is_new(self, reached: Reached) -> bool:
        with translated():
            return reached.schema == 0 and self.database["tenants"].find_one({}, {"_id": 1}) is None

    def _contract(self, migration: Migration) -> None:
        """Make sure that no older release runs, or will, and take away what only those needed."""
        self._refuse_below(migration.number, f"which migration {migration.number} would break: replace")
        self._schema.forbid_below(migration.number)
        self._wait_for_those_below(migration.number)
        self._do(migration)

    def _refuse_below(self, schema: int, why: str) -> None:
        running = self._processes.list_below(schema)
        if running:
            names = ", ".join(sorted(f"{one['name']} ({one['kind']} on {one['host']}, schema {one['schema']})"
                                     for one in running))
            raise MigrationFailed(f"Processes of an older release run, {why} them: {names}. One that was killed counts "
                                  f"for {HOLDS_SECONDS:.0f} s.")

    def _wait_for_those_below(self, schema: int) -> None:
        """Wait for whoever came in between: they find out within 10 s that they may not run, and end."""
        told = False
        while self._processes.list_below(schema):
            if not told:
                self.say("    waiting for processes of an older release to end")
            told = True
            self.turn.prove()
            time.sleep(_POLL_SECONDS)

    def _do(self, migration: Migration) -> None:
        """Do one migration, or the rest of it."""
        rows, key = self.database["migrations"], {"_id": migration.number}
        with translated():
            rows.update_one(key, {"$setOnInsert": {"places": {}, "started_at": self._clock.now(), "finished_at": None},
                                  "$set": {"name": migration.name, "phase": migration.phase.value,
                                           "release": __version__, "by": self.turn.name}}, upsert=True)
            places: dict[str, Any] = (rows.find_one(key) or {}).get("places") or {}
        self.say(f"{migration.number} ({migration.phase}) {migration.name}{', going on' if places else ''}")
        try:
            with translated():
                migration.work(Work(self, migration, places))
        except MigrationFailed:
            # What stands against it may be behind the place that was kept.
            self.note(migration, {"places": {}})
            raise
        except OperationFailure as error:
            raise MigrationFailed(f"Migration {migration.number} failed: {_reason(error)}. What it did stays; running "
                                  "it again goes on.") from error
        self.note(migration, {"finished_at": self._clock.now(), "places": {}})


def migrate(database: Database[Document]) -> None:
    """Bring a database to what this release needs, saying nothing; for whoever has it to themselves.

    Raises:
        Outdated, MigrationFailed, Unavailable: see `Migrator.run`.
    """
    Migrator(database).run()


def _reason(error: OperationFailure) -> str:
    """Say what MongoDB objects to without the values of anybody's documents."""
    details = error.details or {}
    return str(details.get("codeName") or f"error {error.code}")
