"""A small HTTP server for JSON in, JSON out, on the loopback interface: what the embedded stand-ins speak through."""

from __future__ import annotations

import json
import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGEST_BODY = 64 * 1024 * 1024
IDLE_SECONDS = 120

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `path` without slashes at its ends and percent-decoded, `body` as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes

    def json(self) -> Any:
        """Parse the body; an empty one is None.

        Raises:
            Refused: 400, it is not JSON.
        """
        try:
            return json.loads(self.body) if self.body.strip() else None
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: `body` becomes JSON, except a string, which is sent as plain text."""

    body: Any
    status: int = 200


class Refused(Exception):
    """The request gets `status` and a message in the served protocol's own error shape."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Service:
    """What a stand-in does: answer a request, shape a refusal, tick twice a second, and close at the end."""

    answer: Callable[[Request], Answer]
    refuse: Callable[[int, str], Any]
    tick: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None
    largest_body: int = LARGEST_BODY


class JsonServer(ThreadingHTTPServer):
    """Serves one Service, a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, service: Service) -> None:
        self.service = service
        super().__init__(("127.0.0.1", port), Handler)

    def service_actions(self) -> None:
        """Run the service's tick; called by `serve_forever` twice a second."""
        self.service.tick()


class Handler(BaseHTTPRequestHandler):
    """Turns one connection's bytes into requests and answers back into bytes."""

    server: JsonServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Header and body leave in one write: two would wait for the peer's delayed acknowledgment.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        try:
            answer = self.server.service.answer(self._read())
        except Refused as refusal:
            answer = Answer(self.server.service.refuse(refusal.status, refusal.message), refusal.status)
        except Exception as error:
            # The last line of defense of a server that must stay up for the other clients.
            log.exception("%s %s failed", self.command, self.path)
            answer = Answer(self.server.service.refuse(500, f"{type(error).__name__}: {error}"), 500)
        self._write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise Refused(411, "a body needs a Content-Length")
        raw = self.headers.get("Content-Length", "0")
        if not raw.isdigit():
            self.close_connection = True
            raise Refused(400, "the Content-Length is not a number")
        if int(raw) > self.server.service.largest_body:
            # The rest of the body stays unread, so the connection cannot serve another request.
            self.close_connection = True
            raise Refused(413, f"the body is over {self.server.service.largest_body} bytes")
        body = self.rfile.read(int(raw))
        return Request(self.command, unquote(parts.path).strip("/"), parse_qs(parts.query), body)

    def _write(self, answer: Answer) -> None:
        plain = isinstance(answer.body, str)
        data = answer.body.encode() if plain else json.dumps(answer.body, separators=(",", ":")).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/plain; charset=utf-8" if plain else "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden parameter
        """Say nothing: a line for each request would bury what a person wants to see."""


def serve(port: int, service: Service) -> None:
    """Serve on the loopback `port` until SIGTERM or SIGINT, then close the service.

    Raises:
        OSError: the port cannot be listened on.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        with JsonServer(port, service) as server:
            server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            server.serve_forever()
    finally:
        service.close()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
