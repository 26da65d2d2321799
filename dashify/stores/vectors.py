"""The tenant wall for Qdrant: the only place where a tenant enters a vector query, and the only user of its client."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from dashify.errors import Unavailable
from dashify.later import Later
from dashify.stores.tenant import TENANT, WallError

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models
    from qdrant_client.http import exceptions
else:
    models = Later("qdrant_client.models")
    exceptions = Later("qdrant_client.http.exceptions")

KEY = "key"
DENSE, SPARSE = "dense", "sparse"
_PREFETCHED = 4  # for each that is asked for, from each of the two ways to look
_MOST_PREFETCHED = 400
_FLATNESS = 2  # how little a place further down either list counts less; chosen by `python -m bench retrieval`
_NAMESPACE = uuid.UUID("6f9a8f57-6f0e-4b5e-9a53-3d9bb2f1c0de")


@dataclass(frozen=True, slots=True)
class Below:
    """In a filter: less than `limit`."""

    limit: int


Match = str | int | bool | Below | Sequence[str] | Sequence[int]
Where = Mapping[str, Match]


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse vector: indices, each once and rising, and their values."""

    indices: list[int]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Point:
    """What is kept under `key`, which is unique within its tenant: by meaning, by words, and a JSON-ready `payload`."""

    key: str
    dense: list[float]
    sparse: Sparse
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """A point that was found; `score` says how good it is among those found with it, 0.0 where nothing was compared.

    `dense` is there only where it was asked for.
    """

    key: str
    score: float
    payload: dict[str, Any]
    dense: list[float] | None = None


class TenantVectors:
    """One tenant's points in one collection.

    Adds the tenant to every filter and payload and refuses a caller who names it. A point's id in Qdrant is made from
    tenant and key, so that no tenant can overwrite another's point.
    """

    def __init__(self, client: QdrantClient, collection: str, tenant_id: str) -> None:
        if not isinstance(tenant_id, str) or not tenant_id:
            raise WallError("a tenant's vectors need a tenant")
        self._client = client
        self._collection = collection
        self._tenant_id = tenant_id

    def upsert(self, points: Sequence[Point], *, revision: int | None = None) -> None:
        """Keep `points`, replacing those of the same keys; returns when a search finds them.

        With a `revision`, which every payload must carry as such, one that is there with a greater one stays.

        Raises:
            Unavailable: `vectors_unavailable`.
        """
        structs = [models.PointStruct(id=self._point_id(point.key), payload=self._owned(point), vector={
            DENSE: point.dense, SPARSE: _sparse(point.sparse)}) for point in points]
        older = None if revision is None else models.Filter(must=[
            models.FieldCondition(key="revision", range=models.Range(lte=revision))])
        if structs:
            with vectors_translated():
                self._client.upsert(self._collection, structs, wait=True, update_filter=older)

    def hybrid(self, dense: Sequence[float], sparse: Sparse, *, limit: int, where: Where | None = None,
               floor: float | None = None) -> list[Hit]:
        """Give the points nearest in meaning and those with the rarest words in common, as one list, best first.

        The two lists are fused by rank (reciprocal rank fusion), since their scores have nothing in common. What is
        less similar in meaning than `floor`, and has no word in common either, is left out.
        """
        scope = self._scoped(where)
        most = min(_MOST_PREFETCHED, limit * _PREFETCHED)
        looking = [models.Prefetch(query=list(dense), using=DENSE, filter=scope, limit=most, score_threshold=floor)]
        if sparse.indices:
            looking.append(models.Prefetch(query=_sparse(sparse), using=SPARSE, filter=scope, limit=most,
                                           params=self._rarity()))
        with vectors_translated():
            answer = self._client.query_points(
                self._collection, prefetch=looking, query=models.RrfQuery(rrf=models.Rrf(k=_FLATNESS)),
                query_filter=scope, limit=limit, with_payload=True)
        return [_hit(point.payload, point.score) for point in answer.points]

    def dense(self, vector: Sequence[float], *, limit: int, where: Where | None = None) -> list[Hit]:
        """Give the points nearest in meaning, best first; `where` maps payload fields to a value or several."""
        return self._query(list(vector), DENSE, limit, where, None)

    def sparse(self, vector: Sparse, *, limit: int, where: Where | None = None) -> list[Hit]:
        """Give the points with the rarest words in common, best first: by BM25 over this tenant's texts alone."""
        return self._query(_sparse(vector), SPARSE, limit, where, self._rarity())

    def scroll(self, *, limit: int, where: Where | None = None, after: str | None = None,
               with_vectors: bool = False) -> tuple[list[Hit], str | None]:
        """List points a page at a time; give the page and the `after` of the next, None at the end."""
        with vectors_translated():
            records, following = self._client.scroll(
                self._collection, scroll_filter=self._scoped(where), limit=limit, offset=after, with_payload=True,
                with_vectors=[DENSE] if with_vectors else False)
        page = [_hit(record.payload, 0.0, record.vector) for record in records]
        return page, None if following is None else str(following)

    def count(self, where: Where | None = None) -> int:
        """Count the matching points, exactly."""
        with vectors_translated():
            return self._client.count(self._collection, count_filter=self._scoped(where), exact=True).count

    def delete(self, where: Where) -> None:
        """Delete the matching points; an empty `where` is every point of this tenant."""
        with vectors_translated():
            self._client.delete(self._collection, models.FilterSelector(filter=self._scoped(where)), wait=True)

    def _query(self, vector: Any, using: str, limit: int, where: Where | None,
               params: models.SearchParams | None) -> list[Hit]:
        with vectors_translated():
            answer = self._client.query_points(self._collection, query=vector, using=using, search_params=params,
                                               query_filter=self._scoped(where), limit=limit, with_payload=True)
        return [_hit(point.payload, point.score) for point in answer.points]

    def _rarity(self) -> models.SearchParams:
        """Have the rarity of words measured over this tenant's texts: what others write changes no score of mine."""
        return models.SearchParams(idf=models.IdfCorpusParams(corpus=self._scoped(None)))

    def _point_id(self, key: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._tenant_id}:{key}"))

    def _owned(self, point: Point) -> dict[str, Any]:
        if TENANT in point.payload or KEY in point.payload:
            raise WallError("a point must not bring its own tenant or key")
        return {**point.payload, KEY: point.key, TENANT: self._tenant_id}

    def _scoped(self, where: Where | None) -> models.Filter:
        must: list[models.Condition] = [_condition(TENANT, self._tenant_id)]
        for field, match in (where or {}).items():
            # A nested path such as "a[].tenant_id" reads another field, but nobody needs one: refuse all alike.
            if TENANT in field:
                raise WallError("a filter must not name the tenant")
            must.append(_condition(field, match))
        return models.Filter(must=must)


def _condition(field: str, match: Match) -> models.FieldCondition:
    if isinstance(match, Below):
        return models.FieldCondition(key=field, range=models.Range(lt=match.limit))
    if isinstance(match, (str, int)):
        return models.FieldCondition(key=field, match=models.MatchValue(value=match))
    values: Any = list(match)
    return models.FieldCondition(key=field, match=models.MatchAny(any=values))


def _sparse(vector: Sparse) -> models.SparseVector:
    return models.SparseVector(indices=vector.indices, values=vector.values)


def _hit(payload: Mapping[str, Any] | None, score: float, vector: Any = None) -> Hit:
    rest = {name: value for name, value in (payload or {}).items() if name not in (KEY, TENANT)}
    dense = vector.get(DENSE) if isinstance(vector, dict) else None
    return Hit(str((payload or {}).get(KEY, "")), score, rest, dense)


@contextmanager
def vectors_translated() -> Iterator[None]:
    """Turn "Qdrant is away" into `Unavailable`; let what we asked wrongly through as the bug that it is."""
    try:
        yield
    except exceptions.UnexpectedResponse as error:
        if error.status_code is not None and error.status_code < 500:
            raise
        raise _unavailable() from error
    except (exceptions.ResponseHandlingException, exceptions.ApiException, httpx.HTTPError, OSError) as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable("The search index does not answer at the moment. Please try again in a few seconds.",
                       code="vectors_unavailable")
