"""The fast path: events to sockets on every instance, and control messages between instances, by Redis pub/sub.

Publishing never blocks and never fails: what cannot be sent is dropped, for MongoDB holds the truth and the clients
catch up from it. Local sockets get an event at once, whether or not Redis is there.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import uuid
from collections.abc import Callable
from typing import Any

import redis

from dashify import metrics
from dashify.domain.names import CONTROL_CHANNEL, events_channel, tenant_of_room
from dashify.errors import Unavailable
from dashify.gate import RedisGate

log = logging.getLogger(__name__)

QUEUE_SIZE = 20_000
_BATCH = 256
_LINGER_SECONDS = 30.0
Deliver = Callable[[str, str, Any], None]
Control = dict[str, Any]


class Publisher:
    """Sends events and control messages from this process; `host_id` tells its own from others'.

    Events go to their organization's own channel, so that only instances with sockets of it hear them. The message
    format there is python-socketio's. `host_id` comes last in every message: its own process knows it by its end.
    """

    def __init__(self, gate: RedisGate) -> None:
        self.host_id = uuid.uuid4().hex
        self._gate = gate
        self._queue: queue.Queue[tuple[str, str]] = queue.Queue(QUEUE_SIZE)
        self._sender: threading.Thread | None = None
        self._lock = threading.Lock()
        self._dropped = False
        self._deliver: Deliver | None = None
        self._obey: Callable[[Control], None] | None = None

    def attach(self, deliver: Deliver, obey: Callable[[Control], None]) -> None:
        """Name who delivers to this process's own sockets: `deliver(room, event, payload)`, and who obeys control."""
        self._deliver, self._obey = deliver, obey

    def emit(self, room: str, event: str, payload: Any) -> None:
        """Send `event` with a JSON-ready `payload` to everybody in `room`, wherever they are connected."""
        if self._deliver is not None:
            self._deliver(room, event, payload)
        self._put(events_channel(tenant_of_room(room)), {
            "method": "emit", "event": event, "data": [payload], "binary": False, "namespace": "/", "room": room,
            "skip_sid": None, "callback": None, "host_id": self.host_id})

    def control(self, kind: str, **fields: Any) -> None:
        """Tell every instance, this one first: `revoked`, `epoch` (a person changed), which concern requests too, or
        `missed` (events were dropped while Redis was away, so heads are worth telling now)."""
        self._command(CONTROL_CHANNEL, {"kind": kind, **fields, "host_id": self.host_id})

    def control_sockets(self, tenant_id: str, kind: str, **fields: Any) -> None:
        """Tell every instance with sockets of an organization, this one first, in order with its events: `opened` (a
        public channel)."""
        message = {"kind": kind, "tenant_id": tenant_id, **fields, "host_id": self.host_id}
        self._command(events_channel(tenant_id), message)

    def flush(self, seconds: float) -> None:
        """Wait up to `seconds` until what was published has left this process."""
        waiter = threading.Thread(target=self._queue.join, daemon=True)
        waiter.start()
        waiter.join(seconds)

    def _command(self, channel: str, message: Control) -> None:
        if self._obey is not None:
            self._obey(message)
        self._put(channel, message)

    def _put(self, channel: str, message: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait((channel, json.dumps(message, separators=(",", ":"))))
        except queue.Full:
            self._dropped = True
            metrics.published.labels("dropped").inc()
            return
        if self._sender is None:
            with self._lock:
                if self._sender is None:
                    self._sender = threading.Thread(target=self._send_all, name="publisher", daemon=True)
                    self._sender.start()

    def _send_all(self) -> None:
        while True:
            try:
                batch = [self._queue.get(timeout=_LINGER_SECONDS)]
            except queue.Empty:
                with self._lock:
                    if self._queue.empty():
                        self._sender = None
                        return
                continue
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            self._send(batch)
            for _ in batch:
                self._queue.task_done()

    def _send(self, batch: list[tuple[str, str]]) -> None:
        def work(client: redis.Redis) -> None:
            with client.pipeline(transaction=False) as pipe:
                for channel, message in batch:
                    pipe.publish(channel, message)
                pipe.execute()

        try:
            self._gate.run(work)
            metrics.published.labels("sent").inc(len(batch))
            if self._dropped:
                self._dropped = False
                self.control("missed")
        except Unavailable:
            self._dropped = True
            metrics.published.labels("dropped").inc(len(batch))
        except Exception:  # the sender must outlive any one batch
            log.exception("Publishing failed")
