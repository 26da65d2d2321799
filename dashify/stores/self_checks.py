"""The counters that `dashify enqueue self_check` makes rise, to prove that each job's effect comes once."""

from __future__ import annotations

from pymongo.client_session import ClientSession
from pymongo.database import Database

from dashify.errors import NotFound
from dashify.stores.mongo import Document, translated


class SelfChecks:
    """The counters of `dashify enqueue self_check`: `{_id: row, count}`. They belong to the installation."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["self_checks"]

    def add_one(self, row: int, tx: ClientSession) -> None:
        """Add one to a row's counter, inside the transaction that ends its job."""
        with translated():
            self._rows.update_one({"_id": row}, {"$inc": {"count": 1}}, upsert=True, session=tx)

    def get(self, row: int) -> int:
        """Give a row's counter, or raise `NotFound`."""
        with translated():
            found = self._rows.find_one({"_id": row})
        if found is None:
            raise NotFound("There is no such row.")
        return int(found["count"])
