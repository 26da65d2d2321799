"""How an endpoint is declared: once, beside its view, so that routing, parsing, answers and OpenAPI cannot disagree.

A view names what it wants: `ctx` or `platform`, the path's values, `body: SomeBody` and `query: SomeQuery`; with
`upload: SentFile[SomeFields] | None` it takes a form with a file in place of the body, which is None then. It returns
what the service gave: a dict, a dict with a status, None for "no content", or a finished response.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from flask import Blueprint, Response, g, request
from pydantic import BaseModel, TypeAdapter

from dashify.blueprints.bodies import read_body, read_query, validated
from dashify.blueprints.guards import the_platform
from dashify.blueprints.uploads import is_form, read_upload
from dashify.domain.names import is_id
from dashify.errors import NotFound

API = "/api/v1"
Answers = Mapping[int, type[BaseModel] | type[bytes] | None]
View = Callable[..., Any]

# Built once: `json.dumps` with options makes an encoder each time. ASCII only, so that nothing can fail to encode.
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is promised about one method of one path. `answers` begins with the usual status.

    An answer is a model, bytes for a file, or None for nothing at all.
    """

    method: str
    path: str
    name: str
    summary: str
    answers: Answers
    errors: tuple[int, ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    upload: type[BaseModel] | None
    reach: str | None
    checks: Mapping[str, TypeAdapter[Any]]


def endpoint(blueprint: Blueprint, method: str, path: str, *, answers: Answers,
             errors: Sequence[int] = ()) -> Callable[[View], View]:
    """Serve `method path` by the view below: its annotations say what is parsed, `answers` what it may return."""
    def declare(view: View) -> View:
        declaration = _declaration(view, method, path, answers, tuple(errors))

        @functools.wraps(view)
        def handle(**path_values: str) -> Response:
            return _answer(declaration, view(**_arguments(declaration, path_values)))

        handle.declaration = declaration  # type: ignore[attr-defined]  # read back by `declared`, through Flask's own table
        blueprint.add_url_rule(path, view.__name__, handle, methods=[method])
        return view

    return declare


def declared(view: Any) -> Endpoint | None:
    """Give the declaration behind a view function of the app, or None where it is not one of ours."""
    found = getattr(view, "declaration", None)
    return found if isinstance(found, Endpoint) else None


def json_response(value: Any, status: int = 200) -> Response:
    """Answer with `value` as compact JSON."""
    return Response(_encode(value), status, content_type="application/json")


def _declaration(view: View, method: str, path: str, answers: Answers, errors: tuple[int, ...]) -> Endpoint:
    hints = get_type_hints(view, include_extras=True)
    names = list(inspect.signature(view).parameters)
    in_path = [name for name in names if f"<{name}>" in path or f":{name}>" in path]
    return Endpoint(
        method=method, path=path, name=view.__name__, summary=(view.__doc__ or "").strip().split("\n")[0],
        answers=answers, errors=errors, body=_model(hints.get("body")), query=hints.get("query"),
        upload=_model(hints.get("upload")),
        reach=next((name for name in names if name in ("ctx", "platform")), None),
        checks={name: TypeAdapter(hints[name]) for name in in_path if hints[name] is not str})


def _arguments(declaration: Endpoint, path_values: dict[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, value in path_values.items():
        if name.endswith("_id") and not is_id(value):
            raise NotFound("There is no such thing here.")
        check = declaration.checks.get(name)
        arguments[name] = validated(check, value, name) if check else value
    if declaration.reach:
        arguments[declaration.reach] = g.ctx if declaration.reach == "ctx" else the_platform()
    if declaration.query:
        arguments["query"] = read_query(declaration.query, request)
    if declaration.upload:
        arguments |= {"upload": None, "body": None}
    if declaration.upload and is_form(request):
        most_bytes = the_platform().settings.limits.upload_bytes
        arguments["upload"] = read_upload(declaration.upload, request, most_bytes)
    elif declaration.body:
        arguments["body"] = read_body(declaration.body, request)
    return arguments


def _model(hint: Any) -> type[BaseModel] | None:
    """Give the model inside `Model`, `Model | None` or `SentFile[Model] | None`."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    return next((found for inner in get_args(hint) if (found := _model(inner))), None)


def _answer(declaration: Endpoint, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    usual = next(iter(declaration.answers))
    value, status = result if isinstance(result, tuple) else (result, usual)
    if declaration.answers[status] is None:
        # An empty answer keeps its type off: a 204 has no body to have one.
        response = Response(status=status)
        response.headers.pop("Content-Type", None)
        return response
    return json_response(value, status)
