"""The interface described as OpenAPI 3.1, out of the same declarations and models that serve it."""

from __future__ import annotations

import re
from collections import defaultdict
from http import HTTPStatus
from typing import Any

from flask import Flask
from openapi_pydantic import OpenAPI
from openapi_pydantic.util import PydanticSchema, construct_open_api_with_schema_class
from pydantic import BaseModel

from dashify import __version__
from dashify.blueprints.answers import FailureAnswer
from dashify.blueprints.routes import API, Endpoint, declared
from dashify.blueprints.uploads import FORM

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_HELD = "dashify.openapi"


def document(app: Flask) -> str:
    """Give the document as JSON text; built at the first request for it."""
    if _HELD not in app.extensions:
        app.extensions[_HELD] = build(app).model_dump_json(by_alias=True, exclude_none=True)
    return str(app.extensions[_HELD])


def build(app: Flask) -> OpenAPI:
    """Build the document of every endpoint that `app` has declared."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for rule in app.url_map.iter_rules():
        found = declared(app.view_functions[rule.endpoint])
        if found is not None:
            path = _PARAMETER.sub(r"{\1}", rule.rule).removeprefix(API)
            paths[path][found.method.lower()] = _operation(found, rule.endpoint.split(".")[0])
    described = OpenAPI.model_validate({
        "openapi": "3.1.1",
        "info": {"title": "Dashify", "version": __version__},
        "servers": [{"url": API}],
        "paths": dict(sorted(paths.items())),
        "components": {"securitySchemes": {
            "session": {"type": "apiKey", "in": "cookie", "name": "dashify_session"},
            "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token",
                     "description": "Equal to the cookie dashify_csrf; for writes that send the session cookie."}}},
    })
    return construct_open_api_with_schema_class(described)


def _operation(endpoint: Endpoint, tag: str) -> dict[str, Any]:
    signed_in = endpoint.reach == "ctx"
    operation: dict[str, Any] = {
        "operationId": endpoint.name, "summary": endpoint.summary, "tags": [tag],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": _responses(endpoint, signed_in),
    }
    if endpoint.body:
        operation["requestBody"] = {"required": True, "content": {**_content(endpoint.body), **_form(endpoint.upload)}}
    if signed_in:
        operation["security"] = [{"session": []} if endpoint.method == "GET" else {"session": [], "csrf": []}]
    return operation


def _responses(endpoint: Endpoint, signed_in: bool) -> dict[str, Any]:
    found = {str(status): {"description": HTTPStatus(status).phrase, **({"content": _content(model)} if model else {})}
             for status, model in endpoint.answers.items()}
    failures = {*endpoint.errors, 503, *([400] if endpoint.query or endpoint.body or endpoint.checks else []),
                *([413, 415] if endpoint.body else []), *([401, 429] if signed_in else []),
                *([403] if endpoint.method != "GET" else [])}
    for status in sorted(failures):
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": _content(FailureAnswer)}
    return found


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True,
             "schema": endpoint.checks[name].json_schema() if name in endpoint.checks else {"type": "string"}}
            for name in _PARAMETER.findall(endpoint.path)]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema()
    required = schema.get("required", [])
    return [{"name": name, "in": "query", "required": name in required, "schema": described}
            for name, described in schema["properties"].items()]


def _content(model: type[BaseModel] | type[bytes]) -> dict[str, Any]:
    if issubclass(model, bytes):
        return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": PydanticSchema.model_validate({"schema_class": model})}}


def _form(fields: type[BaseModel] | None) -> dict[str, Any]:
    if fields is None:
        return {}
    described = fields.model_json_schema()
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {FORM: {"schema": {"type": "object", "required": ["file"],
                              "properties": {"file": file, **described["properties"]}}}}
