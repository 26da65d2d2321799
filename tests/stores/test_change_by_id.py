"""A row that is named by `_id` and more, changed inside a transaction."""

from __future__ import annotations

from typing import Any

from pymongo.errors import AutoReconnect

from dashify.domain.names import new_id
from dashify.resources import Resources
from dashify.stores.mongo import change_by_id, transact


class BreaksOnce:
    """A collection whose first answer is lost with the connection, as when a primary steps down."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def aggregate(self, *args: Any, **options: Any) -> Any:
        if not self.broken:
            self.broken = True
            lost = AutoReconnect("the connection broke")
            lost._add_error_label("TransientTransactionError")
            raise lost
        return self._collection.aggregate(*args, **options)


def test_a_transaction_whose_connection_broke_is_run_again(resources: Resources) -> None:
    rows, row_id = resources.database["change_by_id_tests"], new_id()
    rows.insert_one({"_id": row_id, "status": "queued", "attempt": 0})
    breaking: Any = BreaksOnce(rows)
    where, change = {"_id": row_id, "status": "queued"}, {"$set": {"status": "running"}, "$inc": {"attempt": 1}}
    changed = transact(resources.mongo, lambda tx: change_by_id(breaking, where, change, tx))
    assert changed == [{"_id": row_id, "status": "running", "attempt": 1}] == list(rows.find({"_id": row_id}))
    assert breaking.broken


def test_a_row_that_is_not_as_it_should_be_stays_as_it_is(resources: Resources) -> None:
    rows, row_id = resources.database["change_by_id_tests"], new_id()
    rows.insert_one({"_id": row_id, "status": "done"})
    where, change = {"_id": row_id, "status": "queued"}, {"$set": {"status": "running"}}
    assert transact(resources.mongo, lambda tx: change_by_id(rows, where, change, tx)) == []
    assert rows.find_one({"_id": row_id}) == {"_id": row_id, "status": "done"}
