"""What is hardly HTTP any more: always a 4xx in the error shape, never a 500, and never the end of the service."""

from __future__ import annotations

import json
import socket

import pytest

from tests.system.kit import Instance

Pair = tuple[Instance, Instance]
JSON = b"Content-Type: application/json\r\n"
POST = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n" + JSON
UPGRADE = (b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
           b"Upgrade: websocket\r\n")
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def exchange(instance: Instance, request: bytes) -> tuple[int, bytes]:
    """Send bytes and give the status and the body of the first answer."""
    with socket.create_connection(("127.0.0.1", instance.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65_536)
            assert part, answer
            answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        while lengths and len(body) < int(lengths[0]):
            body += connection.recv(65_536)
        return int(head.split()[1]), body


@pytest.mark.parametrize(("request_bytes", "status"), [
    (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    (POST + b'Content-Length: 4\r\n\r\n"\xff\xfe"', 400),
    (POST + b"Content-Length: -4\r\n\r\n{}", 400),
    (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    (POST + b"Content-Length: 99999999999\r\n\r\n{}", 413),
    (b"GET /api/v1/\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", 431),
    (b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nCookie: dashify_session=\xff\xfe\x80\r\n\r\n", 401),
    (b"GET /api/v1/channels/%ff%00%2e%2e/messages HTTP/1.1\r\nHost: x\r\n\r\n", 401),
    (b"TRACE /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"nonsense\r\n\r\n", 400),
    (UPGRADE + b"\r\n", 400),
    (UPGRADE + b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n", 400),
    (UPGRADE + KEY + b"Sec-WebSocket-Version: 99\r\n\r\n", 400),
    (UPGRADE.replace(b"EIO=4", b"EIO=3") + KEY + b"Sec-WebSocket-Version: 13\r\n\r\n", 400),
    (UPGRADE.replace(b"EIO=4", b"EIO=4&sid=x") + KEY + b"Sec-WebSocket-Version: 13\r\n\r\n", 400),
    (b"POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 400),
])
def test_broken_requests_get_a_4xx_in_the_error_shape(pair: Pair, request_bytes: bytes, status: int) -> None:
    got, body = exchange(pair[0], request_bytes)
    assert got == status, body
    assert set(json.loads(body)["error"]) == {"code", "message", "details", "request_id"}
    assert pair[0].ready()
