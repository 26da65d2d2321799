"""The embedded MongoDB goes on where it used to stop for good."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from dashify.local.servers import running_mongodb
from tests.system.kit import until


@pytest.fixture
def client(tmp_path: Path) -> Iterator[MongoClient[Any]]:
    """A server of this test's own, which may be left in any state."""
    with running_mongodb(tmp_path) as server:
        opened: MongoClient[Any] = MongoClient(server.url, socketTimeoutMS=20_000)
        yield opened
        opened.close()


def test_a_transaction_ends_although_a_write_and_another_transaction_wait_for_its_row(
        client: MongoClient[Any]) -> None:
    rows = client["test"]["rows"]
    rows.insert_many([{"_id": number, "n": 0} for number in (1, 2)])

    def change_all() -> None:
        rows.update_many({}, {"$inc": {"n": 1}})

    def in_a_transaction() -> None:
        with client.start_session() as session:
            session.with_transaction(lambda inner: rows.update_one({"_id": 2}, {"$inc": {"n": 1}}, session=inner))

    with client.start_session() as session:
        session.start_transaction()
        rows.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
        waiting = [threading.Thread(target=what, daemon=True) for what in (change_all, *[in_a_transaction] * 2)]
        for one in waiting:
            one.start()
            time.sleep(0.5)
        session.commit_transaction()
    for one in waiting:
        one.join(20)
    assert {row["_id"]: row["n"] for row in rows.find()} == {1: 2, 2: 3}


def test_what_a_dead_process_had_locked_is_free_again_in_a_quarter_of_a_minute(client: MongoClient[Any]) -> None:
    rows = client["test"]["rows"]
    rows.insert_one({"_id": 1, "n": 0})

    def add_ten() -> bool:
        try:
            with client.start_session() as session, session.start_transaction():
                rows.update_one({"_id": 1}, {"$inc": {"n": 10}}, session=session)
            return True
        except OperationFailure as conflict:
            if not conflict.has_error_label("TransientTransactionError"):
                raise
            return False

    # A session that is let go of as a process does that lost its power: nobody says that its transaction is over.
    abandoned = client.start_session()
    abandoned.start_transaction()
    rows.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=abandoned)
    began = time.monotonic()
    until(add_ten, 40, "the row")
    assert time.monotonic() - began > 10, "one that is merely slow may go on"
    found = rows.find_one({"_id": 1})
    assert found is not None
    assert found["n"] == 10
    with pytest.raises(OperationFailure):
        abandoned.commit_transaction()
