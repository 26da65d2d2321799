"""The way to Redis: every call has a time limit, and while Redis is away calls fail at once instead of waiting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import redis

from dashify import metrics
from dashify.errors import Unavailable
from dashify.redis_link import Endpoint, Link, means_away

T = TypeVar("T")
log = logging.getLogger(__name__)

PROBE_SECONDS = 0.25
WATCH_SECONDS = 1.0


def connect(url: str, *, timeout: float = 1.0, decode: bool = True, pool_size: int = 64) -> redis.Redis:
    """Give a client for `url` that opens connections on first use, each call limited to `timeout` seconds.

    A dead peer (host gone, packets dropped) is found by keep-alive and a health check, not only by a refused
    connection.
    """
    return Endpoint(url).client(timeout=timeout, decode=decode, pool_size=pool_size)


class RedisGate:
    """A circuit breaker around one Redis: opens on the first failure, closes when a probe has answered.

    It opens, too, when another server answers than before (restarted, or promoted by the sentinels). `on_return`
    callbacks run before the gate closes again, so that nothing is read from a Redis that has older data before what it
    may have forgotten has been loaded from MongoDB. A probe writes `probe_key` where there is one: a Redis that
    refuses to write (no replica, no memory, no disk) is away as a whole.
    """

    def __init__(self, url: str, *, timeout: float = 1.0, role: str = "sessions", probe_key: str = "") -> None:
        self._role, self._probe_key = role, probe_key
        self._endpoint = Endpoint(url, self._open)
        self._client = self.client(timeout=timeout)
        self._lock = threading.Lock()
        self._away_since: float | None = None
        self._back_at = 0.0
        self._closed = threading.Event()
        self._on_return: list[Callable[[], None]] = []
        metrics.redis_available.labels(role).set(1)
        if self._endpoint.sentinels is not None:
            threading.Thread(target=self._watch, name="redis-watch", daemon=True).start()

    @property
    def available(self) -> bool:
        """Tell whether calls go through at present."""
        return self._away_since is None

    @property
    def moves(self) -> int:
        """Count how often another server has taken over: who holds a connection for long looks whether it changed."""
        return self._endpoint.moves

    def on_return(self, callback: Callable[[], None]) -> None:
        """Register what must be done after an outage before Redis is trusted again."""
        self._on_return.append(callback)

    def client(self, *, timeout: float = 1.0, decode: bool = True, pool_size: int = 64) -> redis.Redis:
        """Give one more client of the same Redis, for `work` of `run`, or for who minds the errors by themselves."""
        return self._endpoint.client(timeout=timeout, decode=decode, pool_size=pool_size)

    def run(self, work: Callable[[redis.Redis], T]) -> T:
        """Do `work` with the client.

        Raises:
            Unavailable: `redis_unavailable`; Redis is away, or went away during the work.
        """
        if self._away_since is not None:
            raise _unavailable()
        try:
            return work(self._client)
        except redis.RedisError as error:
            if not means_away(error):
                raise
            self._open(error)
            raise _unavailable() from error

    def close(self) -> None:
        """Give every connection back."""
        self._closed.set()
        self._client.connection_pool.disconnect()
        self._endpoint.close()

    def _open(self, error: Exception) -> None:
        with self._lock:
            if self._away_since is not None:
                return
            self._away_since = time.monotonic()
        self._endpoint.renew()
        metrics.redis_available.labels(self._role).set(0)
        log.warning("Redis is away: %s", error, extra={"role": self._role})
        threading.Thread(target=self._probe, name="redis-probe", daemon=True).start()

    def _probe(self) -> None:
        """Look until Redis is there again: at once, unless it was away just now."""
        told, soon = "", time.monotonic() - self._back_at > 1.0
        while not self._closed.wait(0.0 if soon else PROBE_SECONDS):
            soon = False
            try:
                identity = self._look()
                for callback in self._on_return:
                    callback()
                break
            except (redis.RedisError, Unavailable) as error:
                if str(error) != told:
                    told = str(error)
                    log.info("Redis is still away: %s", told, extra={"role": self._role})
            except Exception:  # the probe is the only way back: it must outlive any callback's failure
                log.exception("A callback after Redis's return failed; trying again")
        else:
            return
        self._endpoint.trust(identity)
        self._back_at = time.monotonic()
        away, self._away_since = self._back_at - (self._away_since or self._back_at), None
        metrics.redis_available.labels(self._role).set(1)
        log.warning("Redis is back after %.1f s", away, extra={"role": self._role})

    def _look(self) -> str:
        """Give the identity of the Redis that serves now."""
        if self._endpoint.sentinels is not None:
            self._endpoint.sentinels.forget()
        with self._endpoint.client(timeout=0.5, decode=True, pool_size=1, probing=True) as probe:
            try:
                if self._probe_key:
                    probe.set(self._probe_key, "", ex=60)
                else:
                    probe.ping()
                link: Link = probe.connection_pool.get_connection()
                return link.identity
            finally:
                probe.connection_pool.disconnect()

    def _watch(self) -> None:
        """Notice another master also where the old one still answers: on the wrong side of a broken network."""
        sentinels = self._endpoint.sentinels
        while sentinels is not None and not self._closed.wait(WATCH_SECONDS):
            if self.available and sentinels.name_another():
                self._open(redis.ConnectionError("The sentinels name another master"))


def _unavailable() -> Unavailable:
    return Unavailable("This needs Redis, which does not answer at the moment. Please try again in a few seconds.",
                       code="redis_unavailable")
