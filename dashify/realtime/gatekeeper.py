"""The door before Engine.IO: what is refused here gets an HTTP answer, so that clients try again by themselves."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from dashify.context import Platform
from dashify.domain.names import new_id
from dashify.domain.network import client_address, is_own_origin, parse_networks
from dashify.lifecycle import Lifecycle

PATH = "/socket.io"
_KEY_BYTES = 16
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
_REFUSALS = {
    "unavailable": ("503 Service Unavailable", "This instance cannot take connections now. Please try again."),
    "origin_refused": ("403 Forbidden", "Connections from this page are not accepted."),
    "too_many_sockets": ("429 Too Many Requests", "There are too many connections from this address."),
    "invalid": ("400 Bad Request", "Connect by WebSocket: there is no other transport here."),
    "not_found": ("404 Not Found", "There is nothing here."),
}


class Gatekeeper:
    """WSGI middleware that guards `/socket.io/` and counts its connections by address."""

    def __init__(self, app: Wsgi, platform: Platform, lifecycle: Lifecycle) -> None:
        self._app = app
        self._platform = platform
        self._lifecycle = lifecycle
        settings = self._settings = platform.settings
        self._trusted = parse_networks(platform.settings.trusted_proxies)
        # A page of one instance goes on at another when its own is gone.
        self._pages = [settings.public_url, *settings.public_instances.split(",")]
        self._by_address: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Let an upgrade through, or answer why not; every other path goes straight to the application."""
        path = environ.get("PATH_INFO", "")
        if path != PATH and not path.startswith(PATH + "/"):
            return self._app(environ, start_response)
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        address = client_address(environ.get("REMOTE_ADDR", ""), forwarded, self._trusted)
        refusal = self._refusal(environ, address)
        if refusal:
            return _answer(refusal, start_response)
        self._by_address[address] += 1
        try:
            return self._app(environ, start_response)
        finally:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _refusal(self, environ: dict[str, Any], address: str) -> str | None:
        settings = self._settings
        origin = environ.get("HTTP_ORIGIN")
        if not _is_handshake(environ):
            return "invalid"
        if origin is not None and not is_own_origin(origin, environ.get("HTTP_HOST", ""), self._pages):
            return "origin_refused"
        if self._lifecycle.draining or not self._platform.database_available():
            return "unavailable"
        if not self._platform.resources.standing.holds:
            return "unavailable"
        if self._by_address[address] >= settings.limits.sockets_per_address:
            return "too_many_sockets"
        return None


def _is_handshake(environ: dict[str, Any]) -> bool:
    """Tell whether a request opens a WebSocket (RFC 6455, 4.2.1) for Engine.IO 4, without an earlier transport."""
    try:
        query = parse_qs(environ.get("QUERY_STRING", ""), max_num_fields=20)
        key = base64.b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)
    except ValueError:
        return False
    return (environ.get("REQUEST_METHOD") == "GET" and environ.get("HTTP_UPGRADE", "").lower() == "websocket"
            and "upgrade" in environ.get("HTTP_CONNECTION", "").lower() and len(key) == _KEY_BYTES
            and environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13" and query.get("transport") == ["websocket"]
            and query.get("EIO") == ["4"] and "sid" not in query)


def _answer(code: str, start_response: Any) -> list[bytes]:
    status, message = _REFUSALS[code]
    error = {"code": code, "message": message, "details": [], "request_id": new_id()}
    body = json.dumps({"error": error}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
               ("X-Content-Type-Options", "nosniff")]
    if status.startswith(("503", "429")):
        headers.append(("Retry-After", "1"))
    start_response(status, headers)
    return [body]
