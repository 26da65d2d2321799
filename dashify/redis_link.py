"""Connections to one Redis, which may be another server tomorrow: each finds the master, and looks who answers.

A connection asks the sentinels (where the URL names any) whenever it is made, refuses a server that is no master, and
is made anew once its endpoint was renewed. So after a failover nothing goes on talking to the old master.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, cast

import redis
from redis.connection import AbstractConnection, UnixDomainSocketConnection, parse_url

from dashify.redis_url import SentinelAddress, parse_redis_url

_SENTINEL_SECONDS = 0.5
_RUN_ID = re.compile(r"^run_id:(\w+)", re.MULTILINE)
# What a Redis says that is there and cannot serve: as an answer, within a pipeline, or out of a script (as 6.2 does).
_BEGIN = r"(?:^|caused error: |: -)"
_REFUSES = re.compile(_BEGIN + "(?:BUSY|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|OOM|READONLY|UNKILLABLE) ")
_DEMOTED = re.compile(_BEGIN + "READONLY ")
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError, redis.exceptions.OutOfMemoryError,
         redis.exceptions.MasterDownError)


def means_away(error: redis.RedisError) -> bool:
    """Tell whether `error` says that this Redis cannot serve at present, rather than that we asked something wrong."""
    return isinstance(error, _AWAY) or (isinstance(error, redis.ResponseError) and bool(_REFUSES.search(str(error))))


class Sentinels:
    """Those who know the master. Remembers their answer until told to forget it."""

    def __init__(self, address: SentinelAddress) -> None:
        self._master = address.master
        self._order = [redis.Redis(connection_pool=redis.BlockingConnectionPool(  # type: ignore[no-untyped-call]  # redis-py's
            host=host, port=port, username=address.sentinel_user, password=address.sentinel_password,
            max_connections=4, timeout=_SENTINEL_SECONDS, socket_timeout=_SENTINEL_SECONDS,
            socket_connect_timeout=_SENTINEL_SECONDS, decode_responses=True, protocol=2, retry=None, driver_info=None,
        )) for host, port in address.hosts]
        self._lock = threading.Lock()
        self._known: tuple[str, int] | None = None

    def locate(self) -> tuple[str, int]:
        """Give the master's address.

        Raises:
            redis.ConnectionError: no sentinel tells one.
        """
        with self._lock:
            if self._known is None:
                self._known = self._ask()
            return self._known

    def forget(self) -> None:
        """Have the next `locate` ask again."""
        self._known = None

    def name_another(self) -> bool:
        """Tell whether the sentinels name another master than they did when they were asked last."""
        before = self._known
        if before is None:
            return False
        try:
            return self._ask() != before
        except redis.RedisError:
            return False

    def close(self) -> None:
        """Give every connection back."""
        for sentinel in self._order:
            sentinel.connection_pool.disconnect()

    def _ask(self) -> tuple[str, int]:
        """Ask until a majority has answered, and believe who knows of the latest failover: one may lag behind."""
        answers: list[tuple[int, str, int]] = []
        problem: redis.RedisError | None = None
        order = list(self._order)
        for sentinel in order:
            try:
                state = cast(Any, sentinel).execute_command("SENTINEL MASTER", self._master)
                answers.append((int(state["config-epoch"]), str(state["ip"]), int(state["port"])))
            except redis.RedisError as error:
                problem = error
                # Whoever is away costs time only once.
                self._order = [*(one for one in self._order if one is not sentinel), sentinel]
            if len(answers) > len(order) // 2:
                break
        if not answers:
            raise redis.ConnectionError(f"No sentinel tells where the master {self._master!r} is: {problem}")
        _, host, port = max(answers, key=lambda answer: answer[0])
        return host, port


class Endpoint:
    """One Redis as one process sees it. `lost` hears of what shows that the present connections lead nowhere good.

    `identity` is the run id of the server that is trusted. Where `lost` is given, one with another id is refused until
    `trust` names it: it may be a restarted or promoted one that has forgotten what this process relies on.
    """

    def __init__(self, url: str, lost: Callable[[Exception], None] | None = None) -> None:
        address = parse_redis_url(url)
        self.sentinels: Sentinels | None = None
        self._options: dict[str, Any] = {"connection_class": TcpLink}
        if isinstance(address, SentinelAddress):
            self.sentinels = Sentinels(address)
            self._options |= {"username": address.user, "password": address.password, "db": address.db}
        else:
            given = parse_url(address)  # type: ignore[no-untyped-call]  # redis-py has not typed it
            self._options |= given | {"connection_class": _LINKS[given.get("connection_class", redis.Connection)]}
        self._lost = lost
        self._lock = threading.Lock()
        self.generation = 0
        self.moves = 0
        self.identity = ""

    def client(self, *, timeout: float, decode: bool, pool_size: int, probing: bool = False) -> redis.Redis:
        """Give a client that opens connections on first use, each call limited to `timeout` seconds."""
        return redis.Redis(connection_pool=redis.BlockingConnectionPool(  # type: ignore[no-untyped-call]  # the same
            max_connections=pool_size, timeout=timeout, socket_timeout=timeout, socket_connect_timeout=timeout,
            health_check_interval=15, decode_responses=decode, protocol=2, retry=None, driver_info=None,
            endpoint=self, probing=probing, **self._options))

    def renew(self) -> None:
        """Have every connection made anew before it is used again, to where the master is then."""
        with self._lock:
            self.generation += 1
        if self.sentinels is not None:
            self.sentinels.forget()

    def lose(self, error: Exception) -> None:
        """Say that the present connections lead nowhere good."""
        if self._lost is None:
            self.renew()
        else:
            self._lost(error)

    def admit(self, identity: str) -> None:
        """Let a connection to the server `identity` be used.

        Raises:
            redis.ConnectionError: it is not the one that is trusted.
        """
        with self._lock:
            self.identity = self.identity or identity
            stranger = identity != self.identity
        if stranger and self._lost is not None:
            error = redis.ConnectionError("Another Redis answers than before")
            self._lost(error)
            raise error

    def trust(self, identity: str) -> None:
        """Take the server `identity` for the right one from now on."""
        with self._lock:
            if identity == self.identity:
                return
            self.identity = identity
            self.generation += 1
            self.moves += 1

    def close(self) -> None:
        """Give back what was opened to ask the sentinels."""
        if self.sentinels is not None:
            self.sentinels.close()


class Link(AbstractConnection):
    """A connection that belongs to an endpoint. What it learns of the server when it is made is in `identity`."""

    port: int

    def __init__(self, *, endpoint: Endpoint, probing: bool = False, **options: Any) -> None:
        self.identity = ""
        self._endpoint, self._probing, self._generation = endpoint, probing, -1
        super().__init__(**options)

    def connect(self) -> None:
        """Connect where that is needed. A pool calls this whenever it hands the connection out."""
        if self._generation != self._endpoint.generation:
            self.disconnect()  # type: ignore[no-untyped-call]  # the same
        super().connect()  # type: ignore[no-untyped-call]  # the same

    def on_connect_check_health(self, check_health: bool = True) -> None:
        """Sign in, then look who answers.

        Raises:
            redis.ConnectionError: no master, not the trusted one, or one that does not let us look.
        """
        super().on_connect_check_health(check_health)
        try:
            role, info = self._ask("ROLE"), self._ask("INFO", "server")
        except redis.ResponseError as error:
            raise redis.ConnectionError(f"Redis does not let us look who it is: {error}") from error
        if self._endpoint.sentinels is not None and _text(role[0]) != "master":
            self._endpoint.sentinels.forget()
            raise redis.ConnectionError("What the sentinels named is no master (any more)")
        found = _RUN_ID.search(_text(info))
        self.identity = found[1] if found else ""
        if not self._probing:
            self._endpoint.admit(self.identity)

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Read an answer. One that shows that this is the master no more is told to the endpoint."""
        try:
            return super().read_response(*args, **options)
        except redis.ResponseError as error:
            if isinstance(error, redis.exceptions.ReadOnlyError) or _DEMOTED.search(str(error)):
                self._endpoint.lose(error)
            raise

    def _connect(self) -> Any:
        self._generation = self._endpoint.generation
        if self._endpoint.sentinels is None:
            return super()._connect()  # type: ignore[no-untyped-call,safe-super]  # the real one comes next in the order
        self.host, self.port = self._endpoint.sentinels.locate()
        try:
            return super()._connect()  # type: ignore[no-untyped-call,safe-super]  # the same
        except OSError:
            self._endpoint.sentinels.forget()
            raise

    def _ask(self, *command: str) -> Any:
        self.send_command(*command, check_health=False)  # type: ignore[no-untyped-call]  # the same
        return self.read_response()


class TcpLink(Link, redis.Connection):
    """A link by TCP."""


class TlsLink(Link, redis.SSLConnection):
    """A link by TLS."""


class UnixLink(Link, UnixDomainSocketConnection):
    """A link by a socket of this host."""


_LINKS = {redis.Connection: TcpLink, redis.SSLConnection: TlsLink, UnixDomainSocketConnection: UnixLink}


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
