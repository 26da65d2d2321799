"""Questions that tell whether a server really answers, each in its own protocol and within a second."""

from __future__ import annotations

import http.client
import random
import socket
import struct
from collections.abc import Collection
from urllib.parse import urlsplit

from dashify.errors import DashifyError

TIMEOUT = 1.0
OP_MSG = 2013
# Below the range from which the kernel numbers outgoing connections: one of those could hold the port of a server that
# is down for a moment, and a client that tries again and again could even be connected to itself.
FIRST_PORT, LAST_PORT = 20_000, 29_999


def free_port(but: Collection[int] = ()) -> int:
    """Give a TCP port of the loopback interface that nobody listens on now, and that is none of `but`.

    Raises:
        DashifyError: none is free.
    """
    for _attempt in range(1000):
        port = random.randint(FIRST_PORT, LAST_PORT)
        if port not in but and is_free(port):
            return port
    raise DashifyError(f"No port between {FIRST_PORT} and {LAST_PORT} is free.")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the loopback `port` now."""
    with socket.socket() as listener:
        # As servers do, or a connection of the last run that is still closing would look like a server.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def redis_answers(url: str) -> bool:
    """Tell whether the Redis at `url` answers PING, which it refuses while it loads its data."""
    return _exchange(url, 6379, b"PING\r\n", 7).startswith(b"+PONG")


def mongodb_answers(url: str) -> bool:
    """Tell whether the MongoDB at `url` answers `hello` as one that takes writes."""
    body = b"\x10hello\x00" + struct.pack("<i", 1) + b"\x02$db\x00" + struct.pack("<i", 6) + b"admin\x00"
    document = struct.pack("<i", len(body) + 5) + body + b"\x00"
    message = struct.pack("<iiiiI", 21 + len(document), 1, 0, OP_MSG, 0) + b"\x00" + document
    return b"isWritablePrimary\x00\x01" in _exchange(url, 27017, message, 16 * 1024)


def http_answers(url: str) -> bool:
    """Tell whether a GET of `url` is answered with 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _exchange(url: str, default_port: int, question: bytes, most: int) -> bytes:
    """Send `question` and give what comes back at once, empty when nothing does."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or default_port), TIMEOUT) as link:
            link.sendall(question)
            return link.recv(most)
    except OSError:
        return b""
