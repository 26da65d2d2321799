"""The tenant wall for Qdrant: the only place where a tenant enters a vector query, and the only user of its client."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from dashify.errors import Unavailable
from dashify.stores.tenant import TENANT, WallError

KEY = "key"
_NAMESPACE = uuid.UUID("6f9a8f57-6f0e-4b5e-9a53-3d9bb2f1c0de")
Match = str | int | bool | Sequence[str] | Sequence[int]
Where = Mapping[str, Match]


@dataclass(frozen=True, slots=True)
class Point:
    """A vector to keep under `key`, which is unique within its tenant, with a JSON-ready `payload`."""

    key: str
    vector: list[float]
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """A point that was found; `score` is the collection's similarity, 0.0 where nothing was compared."""

    key: str
    score: float
    payload: dict[str, Any]


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

    def upsert(self, points: Sequence[Point]) -> None:
        """Keep `points`, replacing those of the same keys; returns when a search finds them.

        Raises:
            Unavailable: `vectors_unavailable`.
        """
        structs = [models.PointStruct(id=self._point_id(point.key), vector=point.vector, payload=self._owned(point))
                   for point in points]
        if structs:
            with _translated():
                self._client.upsert(self._collection, structs, wait=True)

    def search(self, vector: Sequence[float], *, limit: int, where: Where | None = None) -> list[Hit]:
        """Give the points nearest to `vector`, best first; `where` maps payload fields to a value or several."""
        with _translated():
            answer = self._client.query_points(self._collection, query=list(vector), query_filter=self._scoped(where),
                                               limit=limit, with_payload=True)
        return [_hit(point.payload, point.score) for point in answer.points]

    def scroll(self, *, limit: int, where: Where | None = None,
               after: str | None = None) -> tuple[list[Hit], str | None]:
        """List points a page at a time; give the page and the `after` of the next, None at the end."""
        with _translated():
            records, following = self._client.scroll(self._collection, scroll_filter=self._scoped(where), limit=limit,
                                                     offset=after, with_payload=True)
        return [_hit(record.payload, 0.0) for record in records], None if following is None else str(following)

    def count(self, where: Where | None = None) -> int:
        """Count the matching points, exactly."""
        with _translated():
            return self._client.count(self._collection, count_filter=self._scoped(where), exact=True).count

    def delete(self, where: Where) -> None:
        """Delete the matching points; an empty `where` is every point of this tenant."""
        with _translated():
            self._client.delete(self._collection, models.FilterSelector(filter=self._scoped(where)), wait=True)

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
    if isinstance(match, (str, int)):
        return models.FieldCondition(key=field, match=models.MatchValue(value=match))
    values: Any = list(match)
    return models.FieldCondition(key=field, match=models.MatchAny(any=values))


def _hit(payload: Mapping[str, Any] | None, score: float) -> Hit:
    rest = {name: value for name, value in (payload or {}).items() if name not in (KEY, TENANT)}
    return Hit(str((payload or {}).get(KEY, "")), score, rest)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn "Qdrant is away" into `Unavailable`; let what we asked wrongly through as the bug that it is."""
    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code is not None and error.status_code < 500:
            raise
        raise _unavailable() from error
    except (ResponseHandlingException, ApiException, httpx.HTTPError, OSError) as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable("The search index does not answer at the moment. Please try again in a few seconds.",
                       code="vectors_unavailable")
