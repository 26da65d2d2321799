"""What this instance hears from Redis: the control channel, and the events of organizations that have sockets here."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import redis

from dashify import metrics
from dashify.domain.names import CONTROL_CHANNEL, events_channel, tenant_of_channel
from dashify.gate import RedisGate

log = logging.getLogger(__name__)

_PING_SECONDS = 1.5
_SILENCE_SECONDS = 4.0
_LONGEST_WAIT = 1.0
# Longer than a page needs to load again, so that its organization is not left and joined with every click.
LINGER_SECONDS = 60.0
Returned = Callable[[Collection[str] | None], None]


class Subscription:
    """One connection to Redis that is subscribed to what is wanted, made again whenever it is lost or falls silent.

    `run` reads in the greenlet that calls it; another writes, so that a new organization need not wait until
    something is heard. `live` while everything that was wanted when the connection was made is subscribed.
    """

    def __init__(self, gate: RedisGate, handle: Callable[[str], None]) -> None:
        self.live = False
        self._gate, self._handle = gate, handle
        self._returned: Returned = lambda tenant_ids: None
        self._was_live = False
        self._wanted: dict[str, float] = {}
        self._asked: set[str] = set()
        self._heard: set[str] = set()
        self._missed: set[str] = set()
        self._outstanding: set[str] = set()
        self._waiting: dict[str, threading.Event] = {}
        self._changed = threading.Event()

    def attach(self, returned: Returned) -> None:
        """Name who is told which organizations are heard that were not heard all the time; None means all."""
        self._returned = returned

    def hear(self, tenant_id: str, seconds: float) -> bool:
        """Listen to an organization's events from now on, and wait until Redis has confirmed it.

        False after `seconds`, or at once while Redis is away: then `returned` is called once they are heard.
        """
        self._wanted[tenant_id] = time.monotonic()
        if tenant_id not in self._heard:
            confirmed = self._waiting.setdefault(tenant_id, threading.Event())
            self._changed.set()
            if self.live:
                confirmed.wait(seconds)
        if tenant_id in self._heard:
            return True
        self._missed.add(tenant_id)
        return False

    def keep(self, tenant_ids: Iterable[str]) -> None:
        """Go on listening to these organizations, and stop listening to others that were not kept for a minute."""
        now = time.monotonic()
        self._wanted.update(dict.fromkeys(tenant_ids, now))
        for tenant_id in [one for one, kept_at in self._wanted.items() if now - kept_at > LINGER_SECONDS]:
            del self._wanted[tenant_id]
            self._heard.discard(tenant_id)
            self._missed.discard(tenant_id)
            self._waiting.pop(tenant_id, None)
        metrics.tenants_heard.set(len(self._wanted))
        self._changed.set()

    def run(self) -> None:
        """Listen for ever."""
        while True:
            try:
                self._listen_once()
            except (redis.RedisError, OSError) as error:
                if self.live:
                    log.warning("The pub/sub subscription is lost: %s", error)
            except Exception:  # this loop must never end: without it the instance is deaf
                log.exception("The pub/sub listener failed")
            self._forget()
            time.sleep(random.uniform(0.1, _LONGEST_WAIT))

    def _forget(self) -> None:
        self.live = False
        self._heard.clear()
        self._asked.clear()
        for confirmed in self._waiting.values():
            confirmed.set()  # nobody waits for a connection that is gone
        self._waiting.clear()

    def _listen_once(self) -> None:
        """Subscribe and handle messages until the connection fails or falls silent."""
        moves = self._gate.moves
        with self._gate.client(timeout=2.0, pool_size=2) as client, client.pubsub() as pubsub:
            self._asked = set(self._wanted)
            self._outstanding = {CONTROL_CHANNEL, *map(events_channel, self._asked)}
            pubsub.subscribe(*self._outstanding)
            ended = threading.Event()
            writer = threading.Thread(target=self._write, args=(pubsub, ended), name="subscriber", daemon=True)
            writer.start()
            try:
                self._read(pubsub, ended, moves)
            finally:
                # First the writer ends: writing to a closed subscription would open another one.
                ended.set()
                self._changed.set()
                writer.join()

    def _read(self, pubsub: Any, ended: threading.Event, moves: int) -> None:
        heard = time.monotonic()
        while not ended.is_set():
            message = pubsub.get_message(timeout=_PING_SECONDS)
            now = time.monotonic()
            if self._gate.moves != moves:
                raise redis.ConnectionError("another Redis has taken over")
            if message is not None:
                heard = now
                self._receive(message)
            elif now - heard > _SILENCE_SECONDS:
                raise redis.ConnectionError("no answer to a ping")
        raise redis.ConnectionError("the connection cannot be written to")

    def _write(self, pubsub: Any, ended: threading.Event) -> None:
        """Subscribe to what is newly wanted, unsubscribe from what is not wanted any more, and ping."""
        pinged = time.monotonic()
        try:
            while True:
                self._changed.wait(_PING_SECONDS)
                self._changed.clear()
                if ended.is_set():
                    return
                fresh, stale = self._wanted.keys() - self._asked, self._asked - self._wanted.keys()
                self._asked = set(self._wanted)
                if fresh:
                    pubsub.subscribe(*map(events_channel, fresh))
                if stale:
                    pubsub.unsubscribe(*map(events_channel, stale))
                if time.monotonic() - pinged > _PING_SECONDS:
                    pinged = time.monotonic()
                    pubsub.ping()
        except Exception as error:  # whatever it was, the reader makes another connection
            log.info("The pub/sub subscription cannot be changed: %s", error)
            ended.set()

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "message":
            try:
                self._handle(message["data"])
            except Exception:  # one bad message must not end the subscription
                log.exception("A pub/sub message could not be handled")
        elif message["type"] == "subscribe":
            self._confirm(message["channel"])

    def _confirm(self, channel: str) -> None:
        tenant_id = tenant_of_channel(channel)
        if tenant_id is not None and tenant_id in self._wanted:
            self._heard.add(tenant_id)
            confirmed = self._waiting.pop(tenant_id, None)
            if confirmed is not None:
                confirmed.set()
        self._outstanding.discard(channel)
        if not self.live and not self._outstanding:
            self._begin()
        elif self.live and tenant_id is not None and tenant_id in self._missed:
            self._missed.discard(tenant_id)
            self._returned([tenant_id])

    def _begin(self) -> None:
        again, self._was_live, self.live = self._was_live, True, True
        missed, self._missed = self._missed, self._missed - self._heard
        if again:
            log.warning("The pub/sub subscription is back")
            self._returned(None)
        elif missed & self._heard:
            self._returned(missed & self._heard)
