"""The audit log of one tenant, and the end of its chain of seals. Entries are added and sealed, never changed."""

from __future__ import annotations

from collections.abc import Iterable

from pymongo.errors import DuplicateKeyError

from dashify.domain.names import new_id
from dashify.stores.mongo import Again, Document
from dashify.stores.tenant import TenantCollection


class AuditLog:
    """Entries: `_id action actor_id subject details address created_at`, and once sealed `names words number seal`.

    `subject` is `{kind, id}`, `names` is `{actor, subject}`. Numbers run from 1 in the order of sealing, without a gap.
    """

    def __init__(self, entries: TenantCollection) -> None:
        self._entries = entries

    def add(self, entry_id: str, fields: Document) -> None:
        """Add an entry that is not sealed yet; in the transaction of the write it tells of."""
        self._entries.insert({"_id": entry_id, **fields, "names": None, "words": [], "number": None, "seal": None})

    def list_before(self, before_id: str | None, limit: int, action: str | None = None,
                    actor_id: str | None = None) -> list[Document]:
        """List entries newest first, those before `before_id`, only of an action or a person where one is given."""
        where: Document = {field: value for field, value in (("action", action), ("actor_id", actor_id)) if value}
        if before_id:
            where["_id"] = {"$lt": before_id}
        return self._entries.find(where, sort=[("_id", -1)], limit=limit)

    def list_after(self, after: str | None, limit: int) -> list[Document]:
        """List entries oldest first, those after the id `after`."""
        where: Document = {"_id": {"$gt": after}} if after else {}
        return self._entries.find(where, sort=[("_id", 1)], limit=limit)

    def list_unsealed(self, limit: int) -> list[Document]:
        """List entries that are not sealed yet, oldest first."""
        return self._entries.find({"number": None}, sort=[("_id", 1)], limit=limit)

    def list_sealed(self, after_number: int, limit: int) -> list[Document]:
        """List sealed entries by number, those after `after_number`."""
        return self._entries.find({"number": {"$gt": after_number}}, sort=[("number", 1)], limit=limit)

    def write_seals(self, entries: Iterable[Document]) -> None:
        """Write what sealing has added to `entries`. Only in the transaction that moves the chain's end."""
        self._entries.bulk(updates=[
            ({"_id": row["_id"], "number": None},
             {"$set": {field: row[field] for field in ("names", "words", "number", "seal")}}) for row in entries])

    def census(self) -> tuple[int, int]:
        """Count the entries, and those among them that are sealed."""
        return self._entries.count({}), self._entries.count({"number": {"$gt": 0}})


class AuditChain:
    """Where a tenant's chain ends, so that a missing end shows: `number` and `seal` of the entry sealed last."""

    def __init__(self, ends: TenantCollection) -> None:
        self._ends = ends

    def find_end(self) -> tuple[int, str]:
        """Give the number and the seal of the entry sealed last; 0 and an empty seal where none is."""
        found = self._ends.find({}, limit=1)
        return (found[0]["number"], found[0]["seal"]) if found else (0, "")

    def move(self, after_number: int, number: int, seal: str) -> bool:
        """Move the end from `after_number` on; tell whether it still stood there.

        Raises:
            Again: somebody else has begun the chain at the same time.
        """
        if after_number > 0:
            return self._ends.update({"number": after_number}, {"$set": {"number": number, "seal": seal}}) == 1
        try:
            self._ends.insert({"_id": new_id(), "number": number, "seal": seal})
        except DuplicateKeyError as error:
            raise Again from error
        return True
