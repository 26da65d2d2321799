"""HTTP to a model host: bounded answers, no redirect, no proxy, and an end to any silence when told to stop.

httpx alone looks up from a read only when its time is over. Here a read is many short ones, so that a call whose
person has pressed "stop" ends, and the host sees its connection closed, within a quarter of a second.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import certifi
import httpcore
import httpx

CONNECT_SECONDS = 2.0
TIMEOUT = httpx.Timeout(30.0, connect=CONNECT_SECONDS, write=10.0)
_SLICE_SECONDS = 0.15
_LOOK_SECONDS = 0.1


class Stopped(Exception):
    """The call ended because whoever asked does not want it any more."""


class Watch:
    """When a call must end: `stopped` says so (asked four to ten times a second), or its time is over."""

    def __init__(self, seconds: float, stopped: Callable[[], bool] = lambda: False) -> None:
        self._stopped = stopped
        self._looked = float("-inf")
        self.extend(seconds)

    def extend(self, seconds: float) -> None:
        """Let the call go on for `seconds` from now."""
        self._until = time.monotonic() + seconds

    def check(self) -> float:
        """Give the seconds until the next check is due.

        Raises:
            Stopped: the call is to end.
            httpx.ReadTimeout: its time is over.
        """
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            if self._stopped():
                raise Stopped
        if now >= self._until:
            raise httpx.ReadTimeout("The host took too long.")
        return min(_SLICE_SECONDS, max(0.01, self._until - now))


class Wire(httpx.BaseTransport):
    """The transport of one call. `most` and `longest_line` in bytes; an answer that is larger is cut with an error."""

    def __init__(self, watch: Watch, *, most: int, longest_line: int | None = None) -> None:
        self._most = most
        self._longest_line = longest_line or most
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trust(), max_connections=1, max_keepalive_connections=0, network_backend=_Backend(watch))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and give the answer when its headers are there."""
        request.headers["Accept-Encoding"] = "identity"
        url = httpcore.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port,
                           target=request.url.raw_path)
        with _in_httpx_words():
            answer = self._pool.handle_request(httpcore.Request(
                request.method, url, headers=request.headers.raw, content=request.stream,
                extensions=request.extensions))
        stream = _Bounded(answer.stream, self._most, self._longest_line)
        response = httpx.Response(answer.status, headers=answer.headers, stream=stream, extensions=answer.extensions)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            # A few compressed bytes can become gigabytes.
            stream.close()
            raise httpx.DecodingError("The host compressed its answer, which it was told not to.")
        return response

    def close(self) -> None:
        """Close the connection, whatever is under way on it."""
        self._pool.close()


class _Bounded(httpx.SyncByteStream):
    def __init__(self, parts: Any, most: int, longest_line: int) -> None:
        self._parts, self._most, self._longest_line = parts, most, longest_line

    def __iter__(self) -> Iterator[bytes]:
        total = line = 0
        with _in_httpx_words():
            for part in self._parts:
                total += len(part)
                last = part.rfind(b"\n")
                line = line + len(part) if last < 0 else len(part) - last - 1
                if total > self._most or line > self._longest_line:
                    raise httpx.ReadError("The host's answer is too large.")
                yield part

    def close(self) -> None:
        self._parts.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, watch: Watch) -> None:
        self._inner, self._watch = httpcore.SyncBackend(), watch

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
                    socket_options: Iterable[Any] | None = None) -> httpcore.NetworkStream:
        self._watch.check()
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options), self._watch)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, watch: Watch) -> None:
        self._inner, self._watch = inner, watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return self._inner.read(max_bytes, timeout=self._watch.check())
            except httpcore.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
                  timeout: float | None = None) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._watch)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@contextmanager
def _in_httpx_words() -> Iterator[None]:
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError,
            httpcore.UnsupportedProtocol) as error:
        raise getattr(httpx, type(error).__name__, httpx.TransportError)(str(error)) from error


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    # The machine's own authorities too, among which an operator puts a private one.
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
