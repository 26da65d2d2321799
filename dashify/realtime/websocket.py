"""The WebSocket under Engine.IO, with what simple-websocket leaves open closed."""

from __future__ import annotations

from typing import Any

from engineio.async_drivers.gevent import WebSocketWSGI
from gevent.lock import RLock
from wsproto.utilities import ProtocolError

_SILENCE_SECONDS = 25.0  # longer than ping interval and time-out together, so only a dead peer reaches it


class WholeWrites:
    """A socket whose `send` sends everything, one sender at a time.

    simple-websocket calls `send` and ignores how much of a frame was taken: with a slow reader the rest would be lost
    and the stream broken. Its reader and writer also send from two greenlets.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._lock = RLock()
        sock.settimeout(_SILENCE_SECONDS)

    def send(self, data: bytes) -> int:
        """Send all of `data` and give its length; raises `OSError` when the peer takes nothing for too long."""
        with self._lock:
            self._sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class WebSocket(WebSocketWSGI):  # type: ignore[misc]  # python-engineio has no types
    """Engine.IO's gevent WebSocket, its messages bounded while they arrive, without compression.

    Compression would cost some 300 KiB a connection, for messages of a few hundred bytes.
    """

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self.server_args["max_message_size"] = server.max_http_buffer_size

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Take the upgrade over, without extensions and with a socket that sends everything."""
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        environ["gunicorn.socket"] = WholeWrites(environ["gunicorn.socket"])
        try:
            return super().__call__(environ, start_response)
        except ProtocolError:
            start_response("400 Bad Request", [("Content-Length", "0"), ("Connection", "close")])
            return []
