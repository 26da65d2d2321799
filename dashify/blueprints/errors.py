"""Failures as HTTP: each kind to its status, once, and every one in the same shape."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from dashify import logs
from dashify.blueprints import pages
from dashify.blueprints.routes import json_response
from dashify.errors import (
    Conflict,
    DashifyError,
    Forbidden,
    Invalid,
    NotAllowedNow,
    NotFound,
    Outdated,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

log = logging.getLogger(__name__)

RETRY_SECONDS = 2
STATUS: dict[type[DashifyError], int] = {
    Invalid: 400, Unauthenticated: 401, Forbidden: 403, NotFound: 404, Conflict: 409, TooLarge: 413,
    NotAllowedNow: 422, RateLimited: 429, Unavailable: 503,
    Outdated: 503,
}
_CODES = {400: "invalid", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
_WORDS = {
    400: "This request cannot be understood.", 404: "There is no such thing here.",
    405: "This method is not allowed here.", 413: "This is too large.", 414: "This address is too long.",
}


def install(app: Flask) -> None:
    """Have every failure of the app answered here."""
    app.register_error_handler(DashifyError, answer_failure)
    app.register_error_handler(HTTPException, answer_http_failure)
    app.register_error_handler(Exception, answer_bug)


def answer_failure(error: DashifyError) -> Response:
    """Answer one of our own failures."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None:
        return answer_bug(error)
    response = failure(status, error.code, error.message, error.details)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    elif status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def answer_http_failure(error: HTTPException) -> Response:
    """Answer what Flask refuses by itself: unknown paths and methods, bodies over the limit, broken syntax."""
    status = error.code or 500
    if status == 404 and request.routing_exception is error and pages.is_page(request):
        return pages.page_or_hint()
    words = _WORDS.get(status) or error.description or error.name
    response = failure(status, _CODES.get(status, error.name.lower().replace(" ", "_")), words)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if status == 413:
        # Nobody is going to read the rest, so the connection cannot carry another request.
        response.headers["Connection"] = "close"
    return response


def answer_bug(error: Exception) -> Response:
    """Answer what should not have happened: told to the log in full, and to the caller not at all."""
    log.error("A request failed unexpectedly", exc_info=error)
    return failure(500, "internal", "Something went wrong on our side. It has been recorded.")


def failure(status: int, code: str, message: str, details: Any = ()) -> Response:
    """Make an answer in the one shape that failures have."""
    shown = details if isinstance(details, dict) else list(details)
    return json_response({"error": {"code": code, "message": message, "details": shown,
                                    "request_id": logs.current("request_id") or ""}}, status)
