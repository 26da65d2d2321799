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
from uuid import UUID

import qdrant_edge as edge
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from qdrant_client import models
from qdrant_edge import UpdateOperation as Update

from dashify.local.json_server import Answer, Refused, Request, Service, serve
from dashify.local.vector_shapes import (
    from_hit,
    from_record,
    not_served,
    to_filter,
    to_payload_choice,
    to_point,
    to_query,
)
from dashify.local.vector_store import VectorStore

TITLE = {"title": "qdrant - vector search engine", "version": version("qdrant-client")}
PLAIN = {"healthz": "healthz check passed", "readyz": "all shards are ready", "livez": "healthz check passed"}
PROBLEMS = 3

Work = Callable[[VectorStore, str, Any], Any]


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
        "result": to_jsonable_python(result), "status": "ok", "time": time.perf_counter() - started,
    })


def refuse(status: int, message: str) -> Any:
    """Shape a refusal as Qdrant does."""
    return {"status": {"error": message}, "time": 0.0}


def _dispatch(store: VectorStore, request: Request) -> Any:
    match request.method, request.path.split("/"):
        case "GET", ["collections"]:
            return {"collections": [{"name": name} for name in store.names()]}
        case "GET", ["aliases"]:
            return {"aliases": store.aliases()}
        case "POST", ["collections", "aliases"]:
            return store.change_aliases(_parse(models.ChangeAliasesOperation, request))
        case method, ["collections", name, *rest] if (method, "/".join(rest)) in POINTS:
            shape, work = POINTS[method, "/".join(rest)]
            return work(store, name, _parse(shape, request))
    return _about_collection(store, request)


def _about_collection(store: VectorStore, request: Request) -> Any:
    match request.method, request.path.split("/"):
        case _, ["collections", name]:
            return _collection(store, request, name)
        case "GET", ["collections", name, "exists"]:
            return {"exists": store.exists(name)}
        case "GET", ["collections", name, "aliases"]:
            return {"aliases": store.aliases(name)}
        case "PUT", ["collections", name, "index"]:
            return store.add_index(name, _parse(models.CreateFieldIndex, request))
        case "DELETE", ["collections", name, "index", field_name]:
            return store.update(name, lambda: Update.delete_field_index(field_name))
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
            return store.create(name, _parse(models.CreateCollection, request))
        case "PATCH":
            # What a server would tune by it (graph, optimizer, replicas, strictness) is not there to tune.
            _parse(models.UpdateCollection, request)
            store.describe(name)
            return True
    raise Refused(405, f"Method {request.method} is not allowed here")


def _upsert(store: VectorStore, name: str, body: models.PointInsertOperations) -> Any:
    if isinstance(body, models.PointsBatch) or body.update_mode not in (None, models.UpdateMode.UPSERT):
        raise not_served(body)
    return store.update(name, lambda: Update.upsert_points(
        [to_point(point) for point in body.points], condition=to_filter(body.update_filter)))


def _delete(store: VectorStore, name: str, body: models.PointsSelector) -> Any:
    if isinstance(body, models.PointIdsList):
        return store.update(name, lambda: Update.delete_points(list(body.points)))
    return store.update(name, lambda: Update.delete_points_by_filter(_filter(body.filter)))


def _set_payload(store: VectorStore, name: str, body: models.SetPayload) -> Any:
    if body.points is not None:
        return store.update(name, lambda: Update.set_payload(body.points or [], body.payload, body.key))
    return store.update(name, lambda: Update.set_payload_by_filter(_filter(body.filter), body.payload, body.key))


def _overwrite_payload(store: VectorStore, name: str, body: models.SetPayload) -> Any:
    if body.points is not None:
        return store.update(name, lambda: Update.overwrite_payload(body.points or [], body.payload))
    return store.update(name, lambda: Update.overwrite_payload_by_filter(_filter(body.filter), body.payload))


def _delete_payload(store: VectorStore, name: str, body: models.DeletePayload) -> Any:
    if body.points is not None:
        return store.update(name, lambda: Update.delete_payload(body.points or [], body.keys))
    return store.update(name, lambda: Update.delete_payload_by_filter(_filter(body.filter), body.keys))


def _retrieve(store: VectorStore, name: str, body: models.PointRequest) -> Any:
    payload = True if body.with_payload is None else body.with_payload
    with store.shard(name) as shard:
        return [from_record(row) for row in shard.retrieve(
            list(body.ids), with_payload=to_payload_choice(payload), with_vector=body.with_vector or False)]


def _one_point(store: VectorStore, name: str, point: int | str) -> Any:
    with store.shard(name) as shard:
        found = shard.retrieve([point], with_payload=True, with_vector=True)
    if not found:
        raise Refused(404, f"Not found: Point with id {point} does not exists!")
    return from_record(found[0])


def _scroll(store: VectorStore, name: str, body: models.ScrollRequest) -> Any:
    if body.order_by is not None:
        raise not_served(body.order_by)
    payload = True if body.with_payload is None else body.with_payload
    with store.shard(name) as shard:
        rows, following = shard.scroll(edge.ScrollRequest(
            offset=body.offset, limit=10 if body.limit is None else body.limit, filter=to_filter(body.filter),
            with_payload=to_payload_choice(payload), with_vector=body.with_vector or False))
    return {"points": [from_record(row) for row in rows],
            "next_page_offset": str(following) if isinstance(following, UUID) else following}


def _count(store: VectorStore, name: str, body: models.CountRequest) -> Any:
    with store.shard(name) as shard:
        return {"count": shard.count(edge.CountRequest(exact=True, filter=to_filter(body.filter)))}


def _query(store: VectorStore, name: str, body: models.QueryRequest) -> Any:
    with store.shard(name) as shard:
        return {"points": [from_hit(hit) for hit in shard.query(to_query(body))]}


def _query_batch(store: VectorStore, name: str, body: models.QueryRequestBatch) -> Any:
    return [_query(store, name, search) for search in body.searches]


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


def _filter(chosen: models.Filter | None) -> edge.Filter:
    found = to_filter(chosen)
    if found is None:
        raise Refused(400, "Wrong input: either points or filter is needed")
    return found


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
