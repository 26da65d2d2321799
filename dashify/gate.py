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

T = TypeVar("T")
log = logging.getLogger(__name__)

PROBE_SECONDS = 0.25
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError, redis.exceptions.BusyLoadingError)


def connect(url: str, *, timeout: float = 1.0, decode: bool = True, pool_size: int = 64) -> redis.Redis:
    """Give a client for `url` that opens connections on first use, each call limited to `timeout` seconds.

    A dead peer (host gone, packets dropped) is found by keep-alive and a health check, not only by a refused
    connection.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url, max_connections=pool_size, timeout=timeout, socket_timeout=timeout, socket_connect_timeout=timeout,
        socket_keepalive=True, health_check_interval=15, decode_responses=decode, protocol=2, retry=None,
    )
    return redis.Redis(connection_pool=pool)


class RedisGate:
    """A circuit breaker around one Redis: opens on the first failure, closes when a probe has answered.

    `on_return` callbacks run before the gate closes again, so that nothing is read from a Redis that came back
    with older data before what it may have forgotten has been loaded from MongoDB.
    """

    def __init__(self, url: str, *, timeout: float = 1.0) -> None:
        self._url = url
        self._client = connect(url, timeout=timeout)
        self._lock = threading.Lock()
        self._away_since: float | None = None
        self._on_return: list[Callable[[], None]] = []
        metrics.redis_available.set(1)

    @property
    def available(self) -> bool:
        """Tell whether calls go through at present."""
        return self._away_since is None

    def on_return(self, callback: Callable[[], None]) -> None:
        """Register what must be done after an outage before Redis is trusted again."""
        self._on_return.append(callback)

    def run(self, work: Callable[[redis.Redis], T]) -> T:
        """Do `work` with the client.

        Raises:
            Unavailable: `redis_unavailable`; Redis is away, or went away during the work.
        """
        if self._away_since is not None:
            raise _unavailable()
        try:
            return work(self._client)
        except _AWAY as error:
            self._open(error)
            raise _unavailable() from error

    def close(self) -> None:
        """Give every connection back."""
        self._client.connection_pool.disconnect()

    def _open(self, error: Exception) -> None:
        with self._lock:
            if self._away_since is not None:
                return
            self._away_since = time.monotonic()
        metrics.redis_available.set(0)
        log.warning("Redis is away: %s", error)
        threading.Thread(target=self._probe, name="redis-probe", daemon=True).start()

    def _probe(self) -> None:
        while True:
            time.sleep(PROBE_SECONDS)
            try:
                with connect(self._url, timeout=0.5, pool_size=1) as probe:
                    probe.ping()
                for callback in self._on_return:
                    callback()
            except (*_AWAY, Unavailable):
                continue
            except Exception:  # the probe is the only way back: it must outlive any callback's failure
                log.exception("A callback after Redis's return failed; trying again")
                continue
            break
        away, self._away_since = time.monotonic() - (self._away_since or 0.0), None
        metrics.redis_available.set(1)
        log.warning("Redis is back after %.1f s", away)


def _unavailable() -> Unavailable:
    return Unavailable("This needs Redis, which does not answer at the moment. Please try again in a few seconds.",
                       code="redis_unavailable")
