"""Socket.IO's client manager over Redis: who is in which room here, and what other instances publish."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import socketio

from dashify import metrics
from dashify.gate import RedisGate
from dashify.realtime.subscription import Returned, Subscription


class Manager(socketio.RedisManager):  # type: ignore[misc]  # python-socketio has no types
    """Python-socketio's Redis manager with a subscription that knows whether it lives, and to whom it listens.

    The library's own listener cannot tell that it is deaf, waits up to a minute before it tries again, hangs on a
    peer that went away without a word, and hears every event of every organization. Publishing goes through
    `clients.publisher`, which never blocks.
    """

    def __init__(self, gate: RedisGate, host_id: str) -> None:
        # Without an address: what the library would open by itself is never asked for.
        super().__init__()
        self.host_id = host_id
        self.subscription = Subscription(gate, self._handle)
        self._own_end = f'"host_id":"{host_id}"}}'
        self._obey: Callable[[dict[str, Any]], None] = lambda message: None

    def attach(self, obey: Callable[[dict[str, Any]], None], returned: Returned) -> None:
        """Name who obeys control messages, and who is told which organizations are heard after they were not."""
        self._obey = obey
        self.subscription.attach(returned)

    def deliver(self, room: str, event: str, payload: Any) -> None:
        """Send an event to the sockets of `room` that are connected here."""
        here = len(self.rooms.get("/", {}).get(room, ()))
        if here:
            metrics.deliveries.inc(here)
            socketio.Manager.emit(self, event, payload, "/", room=room)

    def _publish(self, data: dict[str, Any]) -> None:
        raise RuntimeError("publish through clients.publisher, which never blocks")

    def _thread(self) -> None:
        self.subscription.run()

    def _handle(self, text: str) -> None:
        # Our own come back to us: not worth being parsed, and known by their end.
        if text.endswith(self._own_end):
            metrics.heard.labels("own").inc()
            return
        data = json.loads(text)
        if "kind" in data:
            metrics.heard.labels("control").inc()
            self._obey(data)
        elif data.get("method") == "emit":
            metrics.heard.labels("event").inc()
            self.deliver(data["room"], data["event"], data["data"][0])
