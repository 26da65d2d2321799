"""Many Socket.IO clients in one thread, which count the events they are sent and answer pings."""

from __future__ import annotations

import selectors
import time
from types import TracebackType
from typing import Self

import websocket

_READ_BYTES = 1 << 16


class Sockets:
    """Open sockets; `events` counts what they were sent under the name `bench`."""

    def __init__(self) -> None:
        self.events = 0
        self._selector = selectors.DefaultSelector()
        self._rest: dict[int, bytearray] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.shutdown()
        self._selector.close()

    def connect(self, url: str, cookie: str) -> websocket.WebSocket:
        """Open a socket, wait until it is let in, and give it."""
        ws = websocket.create_connection(
            url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket", timeout=30, origin=url,
            cookie=f"dashify_session={cookie}", http_no_proxy=["127.0.0.1"])
        ws.recv()
        ws.send("40")
        while not str(ws.recv()).startswith("40"):
            pass
        ws.settimeout(0.5)
        self._rest[ws.sock.fileno()] = bytearray()
        self._selector.register(ws.sock, selectors.EVENT_READ, ws)
        self.read_until(0.0)  # the others' pings are answered meanwhile
        return ws

    def close(self, ws: websocket.WebSocket) -> None:
        """Close a socket, as a page does that is left."""
        self._selector.unregister(ws.sock)
        del self._rest[ws.sock.fileno()]
        ws.shutdown()

    def hear(self, frame: bytes) -> None:
        """Take what a socket was sent, other than pings."""
        if frame.startswith(b'42["bench"'):
            self.events += 1

    def read_until(self, deadline: float) -> None:
        """Read what comes until `deadline`, by the monotonic clock; what is there already in any case."""
        while True:
            left = deadline - time.monotonic()
            for key, _ in self._selector.select(max(0.0, left)):
                self._read(key.data)
            if left <= 0:
                return

    def _read(self, ws: websocket.WebSocket) -> None:
        data = ws.sock.recv(_READ_BYTES)
        if not data:
            raise SystemExit("A socket was closed: no figure counts.")
        rest = self._rest[ws.sock.fileno()]
        rest += data
        while (frame := _take_frame(rest)) is not None:
            if frame == b"2":
                ws.send("3")
            else:
                self.hear(frame)


def _take_frame(data: bytearray) -> bytes | None:
    """Take the first whole frame (RFC 6455, 5.2; a server's are not masked) out of `data` and give what it carries."""
    if len(data) < 2:
        return None
    begin, length = 2, data[1] & 0x7F
    if length >= 126:
        begin = 4 if length == 126 else 10
        if len(data) < begin:
            return None
        length = int.from_bytes(data[2:begin], "big")
    if len(data) < begin + length:
        return None
    frame = bytes(data[begin:begin + length])
    del data[:begin + length]
    return frame
