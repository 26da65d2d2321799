"""The Qdrant-compatible store: the part of Qdrant's REST interface that Dashify uses, over one folder.

`python -m dashify.local.qdrant --port N --path DIR`. Requests and answers are the client's own models.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from qdrant_client import QdrantClient, models

from dashify.local.json_server import Answer, Refused, Request, Service, serve
from dashify.local.vector_store import VectorStore

TITLE = {"title": "qdrant - vector search engine", "version": version("qdrant-client")}
PLAIN = {"healthz": "healthz check passed", "readyz": "all shards are ready", "livez": "healthz check passed"}
PROBLEMS = 3

Work = Callable[[QdrantClient, str, Any], Any]


def respond(store: VectorStore, request: Request) -> Answer:
    """Answer one request of Qdrant's REST interface.

    Raises:
        Refused: 404, no such path or collection; 400, the input is wrong; 409, the name is taken.
    """
    if request.method in ("GET", "HEAD") and not request.path:
        return Answer(TITLE)
    if request.method in ("GET", "HEAD") and request.path in PLAIN:
        return Answer(PLAIN[request.path])
    started = time.perf_counter()
    result = _dispatch(store, request)
    return Answer({
        "result": to_jsonable_python(result, fallback=_plain), "status": "ok", "time": time.perf_counter() - started,
    })


def refuse(status: int, message: str) -> Any:
    """Shape a refusal as Qdrant does."""
    return {"status": {"error": message}, "time": 0.0}


def _dispatch(store: VectorStore, request: Request) -> Any:
    match request.method, request.path.split("/"):
        case "GET", ["collections" | "aliases" as what]:
            with store.all_collections() as client:
                return client.get_collections() if what == "collections" else client.get_aliases()
        case "POST", ["collections", "aliases"]:
            change = _parse(models.ChangeAliasesOperation, request)
            with store.all_collections() as client:
                return client.update_collection_aliases(change.actions)
        case method, ["collections", name, *rest] if (method, "/".join(rest)) in POINTS:
            shape, work = POINTS[method, "/".join(rest)]
            body = _parse(shape, request)
            with store.collection(name) as client:
                return work(client, name, body)
    return _about_collection(store, request)


def _about_collection(store: VectorStore, request: Request) -> Any:
    match request.method, request.path.split("/"):
        case _, ["collections", name]:
            return _collection(store, request, name)
        case "GET", ["collections", name, "exists"]:
            with store.all_collections() as client:
                return {"exists": client.collection_exists(name)}
        case "GET", ["collections", name, "aliases"]:
            with store.collection(name) as client:
                return client.get_collection_aliases(name)
        case "PUT", ["collections", name, "index"]:
            return store.add_index(name, _parse(models.CreateFieldIndex, request))
        case "DELETE", ["collections", name, "index", field_name]:
            return store.remove_index(name, field_name)
        case "GET", ["collections", name, "points", point]:
            return _one_point(store, name, int(point) if point.isdigit() else point)
    raise Refused(404, f"Not found: {request.method} /{request.path} is not served by the embedded store")


def _collection(store: VectorStore, request: Request, name: str) -> Any:
    match request.method:
        case "GET":
            return store.describe(name)
        case "DELETE":
            return store.remove(name)
        case "PUT":
            config = _parse(models.CreateCollection, request)
            with store.all_collections() as client:
                return client.create_collection(
                    name, vectors_config=config.vectors, sparse_vectors_config=config.sparse_vectors,
                    metadata=config.metadata,
                )
        case "PATCH":
            # What a server would tune by it (graph, optimizer, replicas) is not there to tune.
            _parse(models.UpdateCollection, request)
            with store.collection(name):
                return True
    raise Refused(405, f"Method {request.method} is not allowed here")


def _upsert(client: QdrantClient, name: str, body: models.PointInsertOperations) -> Any:
    points = body.batch if isinstance(body, models.PointsBatch) else body.points
    return client.upsert(name, points, update_filter=body.update_filter, update_mode=body.update_mode)


def _delete(client: QdrantClient, name: str, body: models.PointsSelector) -> Any:
    return client.delete(name, body)


def _set_payload(client: QdrantClient, name: str, body: models.SetPayload) -> Any:
    return client.set_payload(name, body.payload, _selected(body.points, body.filter), key=body.key)


def _overwrite_payload(client: QdrantClient, name: str, body: models.SetPayload) -> Any:
    return client.overwrite_payload(name, body.payload, _selected(body.points, body.filter))


def _delete_payload(client: QdrantClient, name: str, body: models.DeletePayload) -> Any:
    return client.delete_payload(name, body.keys, _selected(body.points, body.filter))


def _retrieve(client: QdrantClient, name: str, body: models.PointRequest) -> Any:
    payload = True if body.with_payload is None else body.with_payload
    return client.retrieve(name, body.ids, with_payload=payload, with_vectors=body.with_vector or False)


def _one_point(store: VectorStore, name: str, point: int | str) -> Any:
    with store.collection(name) as client:
        found = client.retrieve(name, [point], with_vectors=True)
    if not found:
        raise Refused(404, f"Not found: Point with id {point} does not exists!")
    return found[0]


def _scroll(client: QdrantClient, name: str, body: models.ScrollRequest) -> Any:
    records, following = client.scroll(
        name, scroll_filter=body.filter, limit=10 if body.limit is None else body.limit, order_by=body.order_by,
        offset=body.offset, with_payload=True if body.with_payload is None else body.with_payload,
        with_vectors=body.with_vector or False,
    )
    return {"points": records, "next_page_offset": following}


def _count(client: QdrantClient, name: str, body: models.CountRequest) -> Any:
    return client.count(name, count_filter=body.filter, exact=True)


def _query(client: QdrantClient, name: str, body: models.QueryRequest) -> Any:
    return client.query_points(
        name, query=body.query, using=body.using, prefetch=body.prefetch, query_filter=body.filter,
        search_params=body.params, limit=10 if body.limit is None else body.limit, offset=body.offset,
        with_payload=body.with_payload or False, with_vectors=body.with_vector or False,
        score_threshold=body.score_threshold, lookup_from=body.lookup_from,
    )


def _query_batch(client: QdrantClient, name: str, body: models.QueryRequestBatch) -> Any:
    return [_query(client, name, search) for search in body.searches]


# What is done with the points of one collection: the shape of the body, and the work.
POINTS: dict[tuple[str, str], tuple[Any, Work]] = {
    ("PUT", "points"): (models.PointInsertOperations, _upsert),
    ("POST", "points"): (models.PointRequest, _retrieve),
    ("POST", "points/delete"): (models.PointsSelector, _delete),
    ("POST", "points/payload"): (models.SetPayload, _set_payload),
    ("PUT", "points/payload"): (models.SetPayload, _overwrite_payload),
    ("POST", "points/payload/delete"): (models.DeletePayload, _delete_payload),
    ("POST", "points/scroll"): (models.ScrollRequest, _scroll),
    ("POST", "points/count"): (models.CountRequest, _count),
    ("POST", "points/query"): (models.QueryRequest, _query),
    ("POST", "points/query/batch"): (models.QueryRequestBatch, _query_batch),
}
ADAPTERS: dict[int, TypeAdapter[Any]] = {}


def _parse(shape: Any, request: Request) -> Any:
    """Read the body as `shape`, one of the client's models."""
    body = request.json()
    adapter = ADAPTERS.setdefault(id(shape), TypeAdapter(shape))
    try:
        return adapter.validate_python({} if body is None else body)
    except ValidationError as error:
        problems = [".".join(map(str, problem["loc"])) + ": " + problem["msg"] for problem in error.errors()[:PROBLEMS]]
        raise Refused(400, "Format error in JSON body: " + "; ".join(problems)) from error


def _selected(points: list[Any] | None, chosen: models.Filter | None) -> Any:
    if points is not None:
        return points
    if chosen is None:
        raise Refused(400, "Wrong input: either points or filter is needed")
    return models.FilterSelector(filter=chosen)


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers and arrays into Python's."""
    return value.tolist()


def main() -> None:
    """Serve one folder until SIGTERM."""
    parser = argparse.ArgumentParser(description="A vector store that speaks Qdrant's REST interface.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", type=Path, required=True)
    options = parser.parse_args()
    try:
        store = VectorStore(options.path)
    except RuntimeError as error:
        sys.exit(f"The vectors in {options.path} cannot be opened: {error}")
    serve(options.port, Service(
        answer=lambda request: respond(store, request), refuse=refuse, close=store.close,
    ))


if __name__ == "__main__":
    main()
