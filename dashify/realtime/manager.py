"""Socket.IO's client manager over Redis: who is in which room here, and what other instances publish."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from typing import Any

import redis
import socketio

from dashify.domain.names import CONTROL_CHANNEL, EVENTS_CHANNEL
from dashify.gate import RedisGate

log = logging.getLogger(__name__)

_PING_SECONDS = 1.5
_SILENCE_SECONDS = 4.0
_LONGEST_WAIT = 1.0


class Manager(socketio.RedisManager):  # type: ignore[misc]  # python-socketio has no types
    """Python-socketio's Redis manager with a subscription that knows whether it lives.

    The library's own listener cannot tell that it is deaf, waits up to a minute before it tries again, and hangs on a
    peer that went away without a word. Publishing goes through `clients.publisher`, which never blocks.
    """

    def __init__(self, gate: RedisGate, host_id: str) -> None:
        # Without an address: what the library would open by itself is never asked for.
        super().__init__(channel=EVENTS_CHANNEL)
        self.host_id = host_id
        self._gate = gate
        self.subscribed = False
        self._was_subscribed = False
        self._obey: Callable[[dict[str, Any]], None] = lambda message: None
        self._returned: Callable[[], None] = lambda: None

    def attach(self, obey: Callable[[dict[str, Any]], None], returned: Callable[[], None]) -> None:
        """Name who obeys control messages, and who is told that the subscription is back after it was lost."""
        self._obey, self._returned = obey, returned

    def deliver(self, room: str, event: str, payload: Any) -> None:
        """Send an event to the sockets of `room` that are connected here."""
        socketio.Manager.emit(self, event, payload, "/", room=room)

    def _publish(self, data: dict[str, Any]) -> None:
        raise RuntimeError("publish through clients.publisher, which never blocks")

    def _thread(self) -> None:
        while True:
            try:
                self._listen_once()
            except (redis.RedisError, OSError) as error:
                if self.subscribed:
                    log.warning("The pub/sub subscription is lost: %s", error)
            except Exception:  # this loop must never end: without it the instance is deaf
                log.exception("The pub/sub listener failed")
            self.subscribed = False
            time.sleep(random.uniform(0.1, _LONGEST_WAIT))

    def _listen_once(self) -> None:
        """Subscribe and handle messages until the connection fails or falls silent."""
        moves = self._gate.moves
        with self._gate.client(timeout=2.0, pool_size=2) as client, client.pubsub() as pubsub:
            pubsub.subscribe(EVENTS_CHANNEL, CONTROL_CHANNEL)
            heard = pinged = time.monotonic()
            while True:
                message = pubsub.get_message(timeout=_PING_SECONDS)
                now = time.monotonic()
                if self._gate.moves != moves:
                    raise redis.ConnectionError("another Redis has taken over")
                if message is not None:
                    heard = now
                    self._handle(message)
                elif now - heard > _SILENCE_SECONDS:
                    raise redis.ConnectionError("no answer to a ping")
                if now - pinged > _PING_SECONDS:
                    pinged = now
                    pubsub.ping()

    def _handle(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe" and message["channel"] == CONTROL_CHANNEL:
            self._on_subscribed()
        if message["type"] != "message":
            return
        try:
            data = json.loads(message["data"])
            if data.get("host_id") == self.host_id:
                return
            if message["channel"] == CONTROL_CHANNEL:
                self._obey(data)
            elif data.get("method") == "emit":
                self.deliver(data["room"], data["event"], data["data"][0])
        except Exception:  # one bad message must not end the subscription
            log.exception("A pub/sub message could not be handled")

    def _on_subscribed(self) -> None:
        again, self._was_subscribed, self.subscribed = self._was_subscribed, True, True
        if again:
            log.warning("The pub/sub subscription is back")
            self._returned()
