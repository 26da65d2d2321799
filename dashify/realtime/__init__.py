"""Sockets: parse, one service call, ack. `server.attach` gives an app its sockets, `server.start` begins."""

from __future__ import annotations

from dashify.realtime.hub import Hub
from dashify.realtime.server import attach, start

__all__ = ["Hub", "attach", "start"]
