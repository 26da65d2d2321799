"""The schema that the database has reached, the oldest release that may run on it, and the processes that do."""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from pymongo.database import Database

from dashify import __version__
from dashify.domain.names import new_id
from dashify.errors import DashifyError, Outdated, Unavailable
from dashify.stores.migrations import NEEDED, SCHEMA
from dashify.stores.mongo import Document, kill_sessions, transaction_sessions, translated
from dashify.stores.workers import Clock

BEAT_SECONDS = 5.0
# Who has not been heard for so long is likely dead. Where not, ending its transactions only has it run them again.
_SILENT_SECONDS = 15.0
# Longer than a loop may hang without its process being given up.
HOLDS_SECONDS = 60.0
_AGAIN_SECONDS = 0.5
_KEY = {"_id": "installation"}


@dataclass(frozen=True, slots=True)
class Reached:
    """What the database says of itself; zeros where nobody has ever migrated it."""

    schema: int
    oldest: int


class Schema:
    """The record in `installation`: `schema` and `oldest`, beside the epoch. Both only ever rise."""

    def __init__(self, database: Database[Document]) -> None:
        self._installation = database["installation"]

    def read(self) -> Reached:
        """Read the record.

        Raises:
            Unavailable: MongoDB is away.
        """
        with translated():
            row = self._installation.find_one(_KEY) or {}
        return Reached(int(row.get("schema", 0)), int(row.get("oldest", 0)))

    def reach(self, schema: int) -> None:
        """Record that the database has reached a schema."""
        self._raise("schema", schema)

    def forbid_below(self, oldest: int) -> None:
        """Record the oldest schema whose releases may run."""
        self._raise("oldest", oldest)

    def _raise(self, field: str, number: int) -> None:
        with translated():
            self._installation.update_one(_KEY, {"$max": {field: number}, "$setOnInsert": {"epoch": new_id()}},
                                          upsert=True)


class Processes:
    """The processes that run: `_id kind name host pid schema release sessions until`.

    One that ends takes its row along. `sessions` are those in which it runs transactions, for whoever ends them after
    its death.
    """

    def __init__(self, database: Database[Document], clock: Clock) -> None:
        self._client = database.client
        self._processes = database["processes"]
        self._clock = clock

    def tell(self, key: str, about: Document) -> None:
        """Say that a process runs, for another minute. It is ours: from now on its row names our new sessions too."""
        sessions = transaction_sessions(self._client)
        sessions.announce = partial(self._note_session, key)
        row = {**about, "sessions": list(sessions.ids), "until": self._clock.now() + timedelta(seconds=HOLDS_SECONDS)}
        with translated():
            self._processes.update_one({"_id": key}, {"$set": row}, upsert=True)

    def end_transactions(self) -> None:
        """End what those left open who were not heard for 15 s, so that what they wrote is not locked for a minute."""
        unheard = self._clock.now() + timedelta(seconds=HOLDS_SECONDS - _SILENT_SECONDS)
        where: Document = {"until": {"$lte": unheard}, "sessions.0": {"$exists": True}}
        with translated():
            for row in self._processes.find(where, {"sessions": 1}):
                kill_sessions(self._client, row["sessions"])
                self._processes.update_one({"_id": row["_id"], **where}, {"$set": {"sessions": []}})

    def remove(self, key: str) -> None:
        """Say that a process has ended."""
        with translated():
            self._processes.delete_one({"_id": key})

    def list_below(self, schema: int) -> list[Document]:
        """List the processes that run a release with a lower schema number."""
        where: Document = {"schema": {"$lt": schema}, "until": {"$gt": self._clock.now()}}
        with translated():
            return list(self._processes.find(where).sort("_id", 1))

    def _note_session(self, key: str, session_id: Any) -> None:
        with translated():
            self._processes.update_one({"_id": key}, {"$addToSet": {"sessions": session_id}})


class Standing:
    """Whether one process may work on the database as it is. It says that it is there before it looks.

    So whoever raises `oldest` and looks at the processes afterwards sees every one that did not see it raised.
    """

    def __init__(self, database: Database[Document], clock: Clock, instance: str, *, schema: int = SCHEMA,
                 needed: int = NEEDED) -> None:
        self.kind = "process"
        self._schema, self._processes = Schema(database), Processes(database, clock)
        self._ours, self._needed, self._instance = schema, needed, instance
        self._key, self.left = "", False
        self._failure: DashifyError | None = Unavailable("This process is still starting.", code="preparing")
        self._looked_at = float("-inf")

    @property
    def behind(self) -> bool:
        """Tell whether the last look found the database behind what this release needs, or beyond it."""
        return self._failure is not None and self._failure.code in ("schema_behind", "release_outdated")

    def check(self) -> None:
        """Say that this process runs, and look whether it may.

        Raises:
            Outdated: the database has left this release behind.
            Unavailable: `schema_behind`, `dashify migrate` has not been run; or MongoDB is away.
        """
        # A process of its own after a fork, so that parent and child do not pass for one.
        self._key = self._key or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._looked_at = time.monotonic()
        self._processes.tell(self._key, {
            "kind": self.kind, "name": self._instance, "host": socket.gethostname(), "pid": os.getpid(),
            "schema": self._ours, "release": __version__})
        self._failure = judge(self._schema.read(), self._ours, self._needed)
        if self._failure is not None:
            raise self._failure

    def require(self) -> None:
        """Do nothing where the last look found all in order; else look again, at most twice a second.

        Raises:
            Outdated, Unavailable: see `check`.
        """
        failure = self._failure
        if failure is None:
            return
        if time.monotonic() - self._looked_at >= _AGAIN_SECONDS:
            self.check()
            return
        raise type(failure)(failure.message, code=failure.code)

    @property
    def holds(self) -> bool:
        """Tell whether `require` has nothing to say."""
        try:
            self.require()
        except DashifyError:
            return False
        return True

    def leave(self) -> None:
        """Say that this process has ended, if it ever said that it runs."""
        self.left = True
        if self._key:
            try:
                self._processes.remove(self._key)
            except Unavailable:
                return  # its row ends by itself


def judge(reached: Reached, schema: int, needed: int) -> DashifyError | None:
    """Give what keeps a release with the number `schema`, which needs `needed`, from running; None where nothing does.

    >>> judge(Reached(3, 2), 2, 2)
    """
    if schema < reached.oldest:
        return Outdated(f"This release (schema {schema}) is too old for the database, on which only releases with "
                        f"schema {reached.oldest} or later may run: start a newer release.")
    if reached.schema < needed:
        return Unavailable(f"The database is at schema {reached.schema} and this release needs {needed}: "
                           "run `dashify migrate`.", code="schema_behind")
    return None
