"""Translations between Qdrant's REST interface, in its client's models, and the engine that runs in this process.

Only what Dashify asks for is translated; anything else is refused, so that nothing is quietly answered otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import qdrant_edge as edge
from qdrant_client import models

from dashify.local.json_server import Refused

DISTANCES = {models.Distance.COSINE: edge.Distance.Cosine, models.Distance.DOT: edge.Distance.Dot,
             models.Distance.EUCLID: edge.Distance.Euclid, models.Distance.MANHATTAN: edge.Distance.Manhattan}
INDEXES = {models.PayloadSchemaType.KEYWORD: edge.PayloadSchemaType.Keyword,
           models.PayloadSchemaType.INTEGER: edge.PayloadSchemaType.Integer,
           models.PayloadSchemaType.BOOL: edge.PayloadSchemaType.Bool,
           models.PayloadSchemaType.FLOAT: edge.PayloadSchemaType.Float}
# What nobody sets apart from the collection's own settings; a server tells it, so that a client can read the answer.
_GRAPH: dict[str, Any] = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000}
_OPTIMIZER: dict[str, Any] = {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0,
              "flush_interval_sec": 5}
_USUAL_FLATNESS = 2  # Qdrant's own, where a fusion by rank names none


def not_served(what: object) -> Refused:
    """Make the refusal of something that a real server would do."""
    return Refused(400, f"Wrong input: {type(what).__name__} is not served by the embedded store")


def to_config(config: models.CreateCollection) -> edge.EdgeConfig:
    """Translate a collection's settings. Every search is exact: a graph pays from more points than a laptop has."""
    vectors = config.vectors or {}
    sparse = config.sparse_vectors or {}
    return edge.EdgeConfig(
        vectors=_to_params(vectors) if isinstance(vectors, models.VectorParams) else {
            name: _to_params(params) for name, params in vectors.items()},
        sparse_vectors={name: edge.EdgeSparseVectorParams(
            modifier=edge.Modifier.Idf if params.modifier == models.Modifier.IDF else None)
            for name, params in sparse.items()},
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=0))


def _to_params(params: models.VectorParams) -> edge.EdgeVectorParams:
    if params.multivector_config is not None:
        raise not_served(params.multivector_config)
    return edge.EdgeVectorParams(size=params.size, distance=DISTANCES[params.distance])


def to_index(schema: Any) -> Any:
    """Translate what a payload index is of."""
    if isinstance(schema, models.KeywordIndexParams):
        return edge.KeywordIndexParams(is_tenant=schema.is_tenant)
    if isinstance(schema, models.IntegerIndexParams):
        return edge.IntegerIndexParams(lookup=schema.lookup, range=schema.range)
    if schema not in INDEXES:
        raise not_served(schema)
    return INDEXES[schema]


def to_info(config: models.CreateCollection, info: edge.ShardInfo) -> models.CollectionInfo:
    """Describe a collection as it was asked for and as it is."""
    asked = config.hnsw_config.model_dump(exclude_none=True) if config.hnsw_config else {}
    return models.CollectionInfo(
        status=models.CollectionStatus.GREEN, optimizer_status=models.OptimizersStatusOneOf.OK,
        points_count=info.points_count, indexed_vectors_count=0, segments_count=info.segments_count,
        config=models.CollectionConfig(
            params=models.CollectionParams(
                vectors=config.vectors, sparse_vectors=config.sparse_vectors, on_disk_payload=config.on_disk_payload,
                shard_number=1, replication_factor=1),
            hnsw_config=models.HnswConfig(**(_GRAPH | asked)), optimizer_config=models.OptimizersConfig(**_OPTIMIZER),
            metadata=config.metadata),
        payload_schema={field: _from_index(index) for field, index in info.payload_schema.items()})


def _from_index(index: edge.PayloadIndexInfo) -> models.PayloadIndexInfo:
    kind = next(ours for ours, theirs in INDEXES.items() if theirs == index.data_type)
    params = models.KeywordIndexParams(
        type=models.KeywordIndexType.KEYWORD, is_tenant=index.params.is_tenant) if isinstance(
        index.params, edge.KeywordIndexParams) else None
    return models.PayloadIndexInfo(data_type=kind, params=params, points=index.points)


def to_point(point: models.PointStruct) -> edge.Point:
    """Translate a point that is to be kept."""
    vector = point.vector
    named: Any = {name: _to_vector(one) for name, one in vector.items()} if isinstance(vector, dict) else vector
    return edge.Point(point.id, named, point.payload or {})


def _to_vector(vector: Any) -> Any:
    if isinstance(vector, models.SparseVector):
        return edge.SparseVector(vector.indices, vector.values)
    if isinstance(vector, list):
        return vector
    raise not_served(vector)


def from_record(record: edge.Record) -> models.Record:
    """Translate a point that was found by its filter or id."""
    return models.Record(id=_from_id(record.id), payload=record.payload, vector=_from_vector(record.vector))


def from_hit(hit: edge.ScoredPoint) -> models.ScoredPoint:
    """Translate a point that was found by its likeness."""
    return models.ScoredPoint(id=_from_id(hit.id), version=hit.version, score=hit.score, payload=hit.payload,
                              vector=_from_vector(hit.vector))


def _from_id(point_id: int | UUID | str) -> int | str:
    return str(point_id) if isinstance(point_id, UUID) else point_id


def _from_vector(vector: Any) -> Any:
    if not isinstance(vector, dict):
        return vector
    return {name: models.SparseVector(indices=one.indices, values=one.values) if isinstance(one, edge.SparseVector)
            else one for name, one in vector.items()}


def to_payload_choice(wanted: Any) -> Any:
    """Translate which fields of the payload are wanted."""
    if isinstance(wanted, models.PayloadSelectorInclude):
        return edge.PayloadSelector.Include(wanted.include)
    if isinstance(wanted, models.PayloadSelectorExclude):
        return edge.PayloadSelector.Exclude(wanted.exclude)
    return wanted


def to_filter(chosen: models.Filter | None) -> edge.Filter | None:
    """Translate a filter.

    Raises:
        Refused: 400, it has a condition that Dashify does not use.
    """
    if chosen is None:
        return None
    if chosen.min_should is not None:
        raise not_served(chosen.min_should)
    return edge.Filter(must=_to_conditions(chosen.must), should=_to_conditions(chosen.should),
                       must_not=_to_conditions(chosen.must_not))


def _to_conditions(given: Any) -> list[Any] | None:
    if given is None:
        return None
    return [_to_condition(one) for one in (given if isinstance(given, list) else [given])]


def _to_condition(condition: Any) -> Any:
    match condition:
        case models.Filter():
            return to_filter(condition)
        case models.HasIdCondition():
            return edge.HasIdCondition(set(condition.has_id))
        case models.IsEmptyCondition():
            return edge.IsEmptyCondition(condition.is_empty.key)
        case models.IsNullCondition():
            return edge.IsNullCondition(condition.is_null.key)
        case models.FieldCondition():
            known = condition.model_dump(exclude_none=True).keys() - {"key"}
            if len(known) == 1 and known <= {"match", "range"}:
                return edge.FieldCondition(key=condition.key, match=_to_match(condition.match),
                                           range=_to_range(condition.range))
    raise not_served(condition)


def _to_match(match: Any) -> Any:
    if match is None:
        return None
    if isinstance(match, models.MatchValue):
        return edge.MatchValue(match.value)
    several: Any = getattr(match, "any", None) or getattr(match, "except_", None) or []
    if isinstance(match, models.MatchAny):
        return edge.MatchAny(list(several))
    if isinstance(match, models.MatchExcept):
        return edge.MatchExcept(list(several))
    raise not_served(match)


def _to_range(limits: Any) -> Any:
    if limits is None:
        return None
    if not isinstance(limits, models.Range):
        raise not_served(limits)
    return edge.RangeFloat(gte=limits.gte, gt=limits.gt, lte=limits.lte, lt=limits.lt)


def to_query(body: models.QueryRequest) -> edge.QueryRequest:
    """Translate a search.

    Raises:
        Refused: 400, it is of a kind that Dashify does not use.
    """
    if body.lookup_from is not None:
        raise not_served(body.lookup_from)
    return edge.QueryRequest(
        limit=10 if body.limit is None else body.limit, offset=body.offset, query=_to_scoring(body.query, body.using),
        prefetches=_to_prefetches(body.prefetch), filter=to_filter(body.filter), params=_to_params_of(body.params),
        score_threshold=body.score_threshold, with_payload=to_payload_choice(body.with_payload or False),
        with_vector=body.with_vector or False)


def _to_prefetches(given: Any) -> list[edge.Prefetch] | None:
    if given is None:
        return None
    several: Sequence[models.Prefetch] = given if isinstance(given, list) else [given]
    return [edge.Prefetch(
        limit=10 if one.limit is None else one.limit, query=_to_scoring(one.query, one.using),
        prefetches=_to_prefetches(one.prefetch), filter=to_filter(one.filter), params=_to_params_of(one.params),
        score_threshold=one.score_threshold) for one in several]


def _to_scoring(query: Any, using: str | None) -> Any:
    match query:
        case None:
            return None
        case models.RrfQuery():
            return edge.Fusion.Rrf(query.rrf.k or _USUAL_FLATNESS, query.rrf.weights)
        case models.FusionQuery(fusion=models.Fusion.RRF):
            return edge.Fusion.Rrf(_USUAL_FLATNESS)
        case models.NearestQuery(mmr=None):
            return edge.Query.Nearest(_to_vector(query.nearest), using=using)
    return edge.Query.Nearest(_to_vector(query), using=using)


def _to_params_of(params: models.SearchParams | None) -> edge.SearchParams:
    corpus = params.idf if params is not None else None
    if isinstance(corpus, models.IdfCorpusParams):
        return edge.SearchParams(exact=True, idf=edge.IdfParams(corpus=to_filter(corpus.corpus)))
    return edge.SearchParams(exact=True)
