"""The tenant wall for MongoDB: the only place where a tenant enters a query, and the only handle repositories get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import DeleteOne, InsertOne, ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from dashify.domain.names import new_id
from dashify.errors import NotFound
from dashify.stores.mongo import Document, change_by_id, find_by_id, together, translated

TENANT = "tenant_id"
Filter = Mapping[str, Any]
Write = InsertOne[Document] | UpdateOne | DeleteOne

# Stages that read only what came down the pipeline. `$lookup`, `$unionWith`, `$graphLookup`, `$out` and `$merge`
# reach other collections, and with them other tenants.
_SAFE_STAGES = frozenset({"$match", "$sort", "$limit", "$skip", "$project", "$group", "$count", "$addFields", "$set",
                          "$unset", "$unwind", "$facet", "$bucket", "$sortByCount", "$replaceRoot", "$sample"})
_CODE = frozenset({"$where", "$function", "$accumulator", "$expr"})


class WallError(Exception):
    """A repository asked for something that could leave its tenant. Always a bug of ours, never a person's mistake."""


class TenantCollection:
    """One collection as one tenant sees it, inside a unit's transaction where one is given.

    Adds the tenant to every filter and document, refuses a filter, update or document that names it, and allows only
    pipeline stages that cannot leave the tenant. The raw collection is not reachable from here.
    """

    __slots__ = ("_collection", "_tenant_id", "_tx")

    def __init__(self, collection: Collection[Document], tenant_id: str, tx: ClientSession | None = None) -> None:
        if not isinstance(tenant_id, str) or not tenant_id:
            raise WallError("a tenant collection needs a tenant")
        self._collection = collection
        self._tenant_id = tenant_id
        self._tx = tx

    def one(self, where: Filter, *, fields: Sequence[str] | None = None) -> Document:
        """Give the one matching document.

        Raises:
            NotFound: this tenant has no such document.
        """
        scoped, projection = self._scoped(where), _projection(fields)
        with translated():
            if "_id" in where:
                found = next(iter(find_by_id(self._collection, scoped, self._tx, projection)), None)
            else:
                found = self._collection.find_one(scoped, projection, session=self._tx)
        if found is None:
            raise NotFound("There is no such thing here.")
        return found

    def find(self, where: Filter, *, sort: Sequence[tuple[str, int]] = (), limit: int = 0, skip: int = 0,
             fields: Sequence[str] | None = None) -> list[Document]:
        """List the matching documents; `limit` 0 means all, so callers bound it or the match."""
        with translated():
            if isinstance(where.get("_id"), Mapping) and not sort and not limit and not skip:
                return find_by_id(self._collection, self._scoped(where), self._tx, _projection(fields))
            cursor = self._collection.find(self._scoped(where), _projection(fields), session=self._tx)
            if sort:
                cursor = cursor.sort(list(sort))
            return list(cursor.skip(skip).limit(limit))

    def count(self, where: Filter, *, limit: int = 0) -> int:
        """Count the matching documents, up to `limit` where it is given."""
        options: dict[str, Any] = {"limit": limit} if limit else {}
        with translated():
            return self._collection.count_documents(self._scoped(where), session=self._tx, **options)

    def insert(self, document: Document) -> None:
        """Add one document."""
        with translated():
            self._collection.insert_one(self._owned(document), session=self._tx)

    def insert_many(self, documents: Iterable[Document]) -> None:
        """Add several documents, in order."""
        owned = [self._owned(document) for document in documents]
        if owned:
            with translated():
                self._collection.insert_many(owned, session=self._tx)

    def bulk(self, inserts: Iterable[Document] = (), updates: Iterable[tuple[Filter, Filter]] = ()) -> None:
        """Do inserts, then single-document updates, in one round trip."""
        writes: list[Write] = [InsertOne(self._owned(document)) for document in inserts]
        writes += [UpdateOne(self._scoped(where), self._checked(change)) for where, change in updates]
        if writes:
            with translated():
                self._collection.bulk_write(writes, session=self._tx)

    def update(self, where: Filter, change: Filter, *, upsert: bool = False, many: bool = False) -> int:
        """Change the first matching document, or all of them, or none, with `many`; give the number matched or made."""
        scoped, checked = self._scoped(where), self._checked(change)
        with translated():
            if many:
                return together(self._collection, lambda tx: self._collection.update_many(scoped, checked, session=tx),
                                self._tx).matched_count
            result = self._collection.update_one(scoped, checked, upsert=upsert, session=self._tx)
        return result.matched_count + (1 if result.upserted_id is not None else 0)

    def upsert(self, where: Filter, change: Filter) -> None:
        """Change the one document that matches, or make it of `where` and `change`; a unique index keeps it one."""
        if self.update(where, change):
            return
        try:
            self.update({**where, "_id": new_id()}, change, upsert=True)  # which matches nothing
        except DuplicateKeyError:  # somebody else has made it at this moment
            self.update(where, change)

    def change(self, where: Filter, change: Filter, *, before: bool = False) -> Document | None:
        """Change one document and give its new state, or the one `before`, or None where none matches."""
        state = ReturnDocument.BEFORE if before else ReturnDocument.AFTER
        with translated():
            return self._collection.find_one_and_update(
                self._scoped(where), self._checked(change), return_document=state, session=self._tx)

    def change_by_id(self, where: Filter, change: Filter) -> Document | None:
        """As `change`, for a row that `where` names by its `_id`, in a transaction; see `mongo.change_by_id`."""
        scoped, checked = self._scoped(where), self._checked(change)
        with translated():
            rows = together(self._collection, lambda tx: change_by_id(self._collection, scoped, checked, tx), self._tx)
        return rows[0] if rows else None

    def delete(self, where: Filter) -> int:
        """Delete every matching document, or none; give their number."""
        scoped = self._scoped(where)
        with translated():
            return together(self._collection, lambda tx: self._collection.delete_many(scoped, session=tx),
                            self._tx).deleted_count

    def aggregate(self, stages: Sequence[Filter]) -> list[Document]:
        """Run a pipeline over this tenant's documents only."""
        _check_stages(stages)
        with translated():
            return list(self._collection.aggregate(self._scoped_stages(stages), session=self._tx))

    def _scoped_stages(self, stages: Sequence[Filter]) -> list[Filter]:
        """Begin with the tenant; together with what the first stage matches, for which there may be an index."""
        if stages and list(stages[0]) == ["$match"]:
            return [{"$match": self._scoped(stages[0]["$match"])}, *stages[1:]]
        return [{"$match": {TENANT: self._tenant_id}}, *stages]

    def _scoped(self, where: Filter) -> Document:
        _refuse(where, _CODE | {TENANT})
        return {**where, TENANT: self._tenant_id}

    def _owned(self, document: Document) -> Document:
        if TENANT in document:
            raise WallError("a document must not bring its own tenant")
        return {**document, TENANT: self._tenant_id}

    @staticmethod
    def _checked(change: Filter) -> Filter:
        if not all(key.startswith("$") for key in change):
            raise WallError("an update must consist of operators: a replacement would drop the tenant")
        _refuse(change, _CODE | {TENANT})
        for operand in change.get("$rename", {}).values():
            if operand == TENANT:
                raise WallError("an update must not write the tenant")
        return change


def _check_stages(stages: Sequence[Filter]) -> None:
    for stage in stages:
        for name, body in stage.items():
            if name not in _SAFE_STAGES:
                raise WallError(f"the stage {name} may leave the tenant")
            if name == "$facet":
                for branch in body.values():
                    _check_stages(branch)
            elif name == "$match":
                _refuse(body, _CODE | {TENANT})
            else:
                _refuse(body, frozenset({"$function", "$accumulator"}))


def _refuse(value: Any, words: frozenset[str]) -> None:
    """Refuse any key out of `words` anywhere inside `value`; a dotted path counts by its first part."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in words or key.split(".", 1)[0] in words:
                raise WallError(f"{key} is not allowed in a tenant's query")
            _refuse(inner, words)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _refuse(inner, words)


def _projection(fields: Sequence[str] | None) -> dict[str, int] | None:
    return None if fields is None else dict.fromkeys(fields, 1)
