"""The embedded MongoDB, where it needs to be asked in a certain way, or keeps what it was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from dashify.local.servers import Server, running_mongodb
from dashify.stores.mongo import Document, in_parts, together
from tests.system.kit import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of this test's own, which may be left in any state."""
    with running_mongodb(tmp_path) as running:
        yield running


@pytest.fixture
def rows(server: Server) -> Iterator[Collection[Document]]:
    opened: MongoClient[Document] = MongoClient(server.url, socketTimeoutMS=20_000)
    yield opened["test"]["rows"]
    opened.close()


def test_many_rows_are_changed_together_although_transactions_hold_some_of_them(rows: Collection[Document]) -> None:
    rows.insert_many([{"_id": number, "n": 0} for number in (1, 2, 3)])

    def change_all() -> None:
        together(rows, lambda tx: rows.update_many({}, {"$inc": {"n": 1}}, session=tx))

    def delete_third() -> None:
        in_parts(rows, {"_id": 3}, lambda part, tx: rows.delete_many(part, session=tx))

    def change_second() -> None:
        with rows.database.client.start_session() as session:
            session.with_transaction(lambda inner: rows.update_one({"_id": 2}, {"$inc": {"n": 1}}, session=inner))

    with rows.database.client.start_session() as session:
        session.start_transaction()
        rows.update_many({"_id": {"$in": [1, 3]}}, {"$inc": {"n": 1}}, session=session)
        waiting = [threading.Thread(target=what, daemon=True)
                   for what in (change_all, delete_third, change_second, change_second)]
        for one in waiting:
            one.start()
            time.sleep(0.5)
        session.commit_transaction()
    for one in waiting:
        one.join(20)
    assert {row["_id"]: row["n"] for row in rows.find()} == {1: 2, 2: 3}


def test_a_change_of_many_rows_that_fails_changes_none(rows: Collection[Document]) -> None:
    rows.insert_many([{"_id": number, "n": 0} for number in range(5)])

    def fail(tx: ClientSession) -> None:
        rows.update_many({}, {"$inc": {"n": 1}}, session=tx)
        raise LookupError

    with pytest.raises(LookupError):
        together(rows, fail)
    assert {row["n"] for row in rows.find()} == {0}


def test_more_rows_than_a_part_holds_are_all_changed(rows: Collection[Document]) -> None:
    rows.insert_many([{"_id": number, "old": number < 2_300} for number in range(2_500)])
    seen: list[int] = []

    def change(part: Document, tx: ClientSession) -> Any:
        seen.append(rows.update_many(part, {"$set": {"old": False}}, session=tx).modified_count)

    assert in_parts(rows, {"old": True}, change) == 2_300
    assert seen == [1_000, 1_000, 300]
    assert rows.count_documents({"old": True}) == 0


def test_it_keeps_no_more_of_its_log_than_since_the_last_minutes(server: Server, rows: Collection[Document],
                                                                 tmp_path: Path) -> None:
    def logs() -> set[str]:
        return {path.name for path in tmp_path.glob("data/WiredTigerLog.*")}

    first = logs()
    for start in range(0, 160_000, 2_000):
        rows.insert_many([{"_id": start + number, "text": f"{start + number}" * 80} for number in range(2_000)])
    assert len(logs()) > 1
    until(lambda: not first & logs(), 150, "a checkpoint, after which the first log is of no more use")
    server.kill()
    server.start()
    assert rows.count_documents({}) == 160_000
