"""Around every request, whatever answers it: its id, its line in the log, its metrics, and its part in a drain."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from dashify import logs, metrics
from dashify.lifecycle import Lifecycle

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("dashify.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ROUTE = "dashify.route"


class Access:
    """A WSGI layer around the app. Sockets do not pass through it: they are no requests, and are counted elsewhere."""

    def __init__(self, app: WSGIApplication, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; it counts as running until its last byte is handed over."""
        started = time.perf_counter()
        ids = {"request_id": _request_id(environ.get("HTTP_X_REQUEST_ID", ""))}
        status = "500"
        running = ExitStack()
        running.enter_context(self._lifecycle.request())

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = line[:3]
            headers.append(("X-Request-ID", ids["request_id"]))
            if self._lifecycle.draining:
                headers.append(("Connection", "close"))
            return start_response(line, headers, exc_info)

        def finish() -> None:
            running.close()
            _record(environ, status, time.perf_counter() - started, ids)

        try:
            # The scope ends here, in order, and not with the body: a context variable that is set back while garbage is
            # collected, as for a body that nobody closes, crashes the interpreter.
            with logs.scope(**ids):
                body = self._app(environ, start)
                ids |= {name: logs.current(name) for name in ("user_id", "tenant_id") if logs.current(name)}
        except BaseException:
            finish()
            raise
        return _Answer(body, finish)


class _Answer:
    """An answer's body that says when it has been handed over, or given up."""

    def __init__(self, body: Iterable[bytes], finish: Callable[[], None]) -> None:
        self._body = body
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close what is behind the body, then record the request."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()


def install(app: Flask, lifecycle: Lifecycle) -> None:
    """Put the layer around `app`. Call it before anything that answers sockets is put around it."""
    app.before_request(_note_route)
    app.wsgi_app = Access(app.wsgi_app, lifecycle)  # type: ignore[method-assign]  # Flask's documented way to add a layer


def _note_route() -> None:
    request.environ[_ROUTE] = request.url_rule.rule if request.url_rule else "unmatched"


def _request_id(offered: str) -> str:
    return offered if _REQUEST_ID.fullmatch(offered) else secrets.token_hex(8)


def _record(environ: WSGIEnvironment, status: str, seconds: float, ids: dict[str, str]) -> None:
    method = environ.get("REQUEST_METHOD", "")
    method = method if method in _METHODS else "other"
    route = environ.get(_ROUTE, "unmatched")
    metrics.http_requests.labels(method, route, status).inc()
    metrics.http_seconds.labels(route).observe(seconds)
    log.info("request", extra={
        **ids, "method": method, "route": route, "status": int(status), "ms": round(seconds * 1000, 1)})
