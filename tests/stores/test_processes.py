"""What a process had locked when it died is free as soon as it was not heard for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from dashify.domain.names import new_id
from dashify.resources import Resources
from dashify.stores.mongo import Document, open_client, open_database, transact, transaction_sessions
from dashify.stores.schema import Processes
from dashify.stores.workers import Clock


class Later(Clock):
    """The database's clock, some seconds later."""

    seconds = 0.0

    def now(self) -> datetime:
        """Give the database's time, moved."""
        return super().now() + timedelta(seconds=self.seconds)


@pytest.fixture
def theirs(resources: Resources) -> Iterator[MongoClient[Document]]:
    """Another process's client."""
    client = open_client(resources.settings.mongodb_url)
    yield client
    client.close()


@pytest.mark.parametrize("early", [True, False])
def test_what_a_silent_process_had_locked_is_free_after_fifteen_seconds(
        resources: Resources, theirs: MongoClient[Document], early: bool) -> None:
    ours, key = resources.database, new_id()
    rows = open_database(theirs, ours.name)["locked"]
    rows.insert_one({"_id": key, "n": 0})
    told = Processes(rows.database, Clock(rows.database))
    if early:
        told.tell(key, {"kind": "api"})
    with transaction_sessions(theirs).one() as session:
        if not early:
            told.tell(key, {"kind": "api"})
        session.start_transaction()
        rows.update_one({"_id": key}, {"$inc": {"n": 1}}, session=session)
        clock = Later(ours)
        processes = Processes(ours, clock)
        clock.seconds = 10.0
        processes.end_transactions()
        with pytest.raises(OperationFailure), ours.client.start_session() as other, other.start_transaction():
            ours["locked"].update_one({"_id": key}, {"$inc": {"n": 10}}, session=other)
        clock.seconds = 15.5
        processes.end_transactions()
        transact(ours.client, lambda tx: ours["locked"].update_one({"_id": key}, {"$inc": {"n": 10}}, session=tx))
        with pytest.raises(OperationFailure):
            session.commit_transaction()
    found = ours["locked"].find_one({"_id": key})
    assert found is not None
    assert found["n"] == 10
    told.remove(key)


def test_a_process_that_was_merely_slow_runs_its_transaction_again(resources: Resources,
                                                                   theirs: MongoClient[Document]) -> None:
    ours, key = resources.database, new_id()
    rows = open_database(theirs, ours.name)["locked"]
    rows.insert_one({"_id": key, "n": 0})
    told = Processes(rows.database, Clock(rows.database))
    told.tell(key, {"kind": "api"})
    clock = Later(ours)
    clock.seconds = 20.0
    tries = []

    def work(tx: object) -> None:
        rows.update_one({"_id": key}, {"$inc": {"n": 1}}, session=tx)  # type: ignore[arg-type]
        tries.append(1)
        if len(tries) == 1:
            Processes(ours, clock).end_transactions()

    transact(theirs, work)
    assert len(tries) == 2
    found = ours["locked"].find_one({"_id": key})
    assert found is not None
    assert found["n"] == 1
    told.remove(key)
