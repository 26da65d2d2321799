"""The end of an organization: every row and file that carries its tenant, counted and removed. Stands above tenants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

from dashify.stores.mongo import Document, in_parts, translated
from dashify.stores.tenant import TENANT

_FILES, _CHUNKS, _TENANTS = "files.files", "files.chunks", "tenants"


class Erasure:
    """What MongoDB holds of one tenant. It asks the database which collections there are, so that none is forgotten."""

    def __init__(self, database: Database[Document], tenant_id: str) -> None:
        self._database = database
        self._tenant_id = tenant_id

    def close(self, now: datetime, tx: ClientSession) -> bool:
        """Mark the organization as closed; tell whether there is one."""
        return self._database[_TENANTS].update_one({"_id": self._tenant_id}, {"$set": {"deleted_at": now}},
                                                   session=tx).matched_count == 1

    def is_closed(self) -> bool:
        """Tell whether the organization was closed, or is gone already."""
        with translated():
            row = self._database[_TENANTS].find_one({"_id": self._tenant_id}, {"deleted_at": 1})
        return row is None or row.get("deleted_at") is not None

    def count(self) -> dict[str, int]:
        """Count what is there by collection, those with nothing left out."""
        with translated():
            found = {name: self._database[name].count_documents(where) for name, where in self._places()}
        return {name: count for name, count in found.items() if count}

    def remove(self) -> None:
        """Remove all of it, the organization last: while it is there the rest can be found again."""
        with translated():
            for name, where in self._places():
                rows = self._database[name]
                in_parts(rows, where, partial(_delete, rows))

    def _places(self) -> Iterator[tuple[str, Document]]:
        # A file's key begins with its tenant, and ";" is what follows ":".
        key = {"$gte": f"{self._tenant_id}:", "$lt": f"{self._tenant_id};"}
        for name in sorted(self._database.list_collection_names()):
            if name == _CHUNKS:
                yield name, {"files_id": key}
            elif name == _FILES:
                yield name, {"_id": key}
            elif name != _TENANTS:
                yield name, {TENANT: self._tenant_id}
        yield _TENANTS, {"_id": self._tenant_id}


def _delete(rows: Collection[Document], part: Document, tx: ClientSession) -> None:
    rows.delete_many(part, session=tx)
