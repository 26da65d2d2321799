"""Pages that stay open while the fleet changes under them: each reconnects as the web app does and misses nothing."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections import defaultdict
from typing import Any

import gevent
import websocket
from gevent.event import AsyncResult

from tests.system.kit import Person

Json = dict[str, Any]
PING_SECONDS = 25.0
ANSWER_SECONDS = 10.0
_BROKEN = (OSError, websocket.WebSocketException)


def reconnect_delay(attempt: int) -> float:
    """Give the pause before a try as the web app does: up to 0.3 before the first, then doubling to 5, with jitter."""
    if attempt == 0:
        return random.random() * 0.3
    return min(5.0, 0.3 * 2.0 ** attempt) * random.uniform(0.5, 1.0)


class Page:
    """One open page of `person`, looking at `channels`; `seen[channel][number]` is the client_id of a change it got."""

    def __init__(self, url: str, person: Person, channels: list[str]) -> None:
        self.person, self.channels = person, channels
        self.seen: dict[str, dict[int, str | None]] = {channel: {} for channel in channels}
        self.cursors = dict.fromkeys(channels, 0)
        self.promised: dict[str, int] = defaultdict(int)
        self.away: list[tuple[float, float]] = []
        self.refusals: list[tuple[float, str]] = []
        self.sent_away = 0
        self.connected = False
        self.instances: list[str] = []
        self._url = url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        self._origin = url
        self._ws: websocket.WebSocket | None = None
        self._acks: dict[int, AsyncResult] = {}
        self._numbers = itertools.count(1)
        self._wants_sync = gevent.event.Event()
        self._lost_at = time.time()
        self._over = False

    def start(self) -> None:
        """Open the page."""
        gevent.spawn(self._stay_open)
        gevent.spawn(self._catch_up)

    def close(self) -> None:
        """Close the page for good."""
        self._over = True
        self._drop()

    def sync(self) -> None:
        """Ask for what is missing, now."""
        self._wants_sync.set()

    def ask(self, event: str, payload: Json) -> Json | None:
        """Send an event and give its ack, or None where the connection was lost or is not there."""
        number, answer = next(self._numbers), AsyncResult()
        if not self.connected or self._ws is None:
            return None
        self._acks[number] = answer
        try:
            self._ws.send(f"42{number}{json.dumps([event, payload])}")
            got: Json | None = answer.get(timeout=ANSWER_SECONDS)
            return got
        except (*_BROKEN, gevent.Timeout):
            return None
        finally:
            self._acks.pop(number, None)

    def _stay_open(self) -> None:
        attempt = 0
        gevent.sleep(random.random() * 2)
        while not self._over:
            try:
                self._listen()
            except _BROKEN as error:
                if not self.connected:
                    self.refusals.append((time.time(), f"{type(error).__name__}: {error}"[:200]))
            if self.connected:
                attempt, self._lost_at, self.connected = 0, time.time(), False
            self._drop()
            gevent.sleep(reconnect_delay(attempt))
            attempt += 1

    def _listen(self) -> None:
        # Its check of every byte is Python and costs a tenth of a core here; what is no UTF-8 cannot be decoded anyway.
        self._ws = websocket.create_connection(self._url, timeout=PING_SECONDS, cookie=self.person.cookie_header(),
                                               origin=self._origin, skip_utf8_validation=True)
        while not self._over:
            frame = self._ws.recv()
            if not frame:
                return
            self._take(str(frame))

    def _take(self, frame: str) -> None:
        if frame[0] == "0" and self._ws:
            self._ws.send("40")
        elif frame == "2" and self._ws:
            self._ws.send("3")
        elif frame.startswith("43"):
            start = frame.index("[")
            waiting = self._acks.get(int(frame[2:start]))
            if waiting:
                waiting.set(json.loads(frame[start:])[0])
        elif frame.startswith(("41", "44")):
            self.sent_away += 1
        elif frame.startswith("42"):
            name, payload = json.loads(frame[2:])
            if name == "hello":
                self.instances.append(payload["instance"])
                self.connected = True
                self.away.append((self._lost_at, time.time() - self._lost_at))
            self._hear(name, payload)

    def _hear(self, name: str, payload: Json) -> None:
        if name in ("message:new", "message:changed") and payload["channel_id"] in self.seen:
            self._note(payload["channel_id"], payload["message"])
        elif name in ("hello", "heads"):
            for channel, head in payload["heads"].items():
                self.promised[channel] = max(self.promised[channel], head)
        elif name == "resync":
            self.sync()
        if any(self.promised[channel] > self.cursors[channel] for channel in self.channels):
            self.sync()

    def _note(self, channel: str, message: Json) -> None:
        self.seen[channel][message["changed_seq"]] = message["client_id"]
        self.promised[channel] = max(self.promised[channel], message["changed_seq"])
        while self.cursors[channel] + 1 in self.seen[channel]:
            self.cursors[channel] += 1

    def _catch_up(self) -> None:
        while not self._over:
            self._wants_sync.wait()
            gevent.sleep(random.uniform(0.1, 0.5))  # what is missing may be on its way
            self._wants_sync.clear()
            behind = {channel: self.cursors[channel] for channel in self.channels
                      if self.promised[channel] > self.cursors[channel]}
            answer = self.ask("sync", {"cursors": behind}) if behind else None
            for channel, rows in ((answer or {}).get("changes") or {}).items():
                for row in rows:
                    self._note(channel, row)
            if behind and (answer is None or not answer["ok"] or answer["more"]):
                self.sync()

    def _drop(self) -> None:
        ws, self._ws = self._ws, None
        if ws is not None:
            ws.shutdown()
        for waiting in list(self._acks.values()):
            if not waiting.ready():
                waiting.set(None)
