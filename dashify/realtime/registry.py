"""Which sockets this instance holds, and whose they are."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from dashify import metrics
from dashify.domain.accounts import Actor
from dashify.stores.sessions import SessionRecord


class Bucket:
    """A token bucket: `rate` a second, a second's worth at once."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = rate
        self._at = time.monotonic()

    def take(self) -> bool:
        """Take one; tell whether there was one."""
        now = time.monotonic()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True, eq=False)
class Connection:
    """One signed-in socket: the principal behind it, and what its rooms' heads were when last told."""

    sid: str
    eio_sid: str
    key_hash: str
    record: SessionRecord
    actor: Actor
    bucket: Bucket
    checked_at: float = field(default_factory=time.monotonic)
    used: bool = False
    channels: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    heads: dict[str, int] = field(default_factory=dict)


class Registry:
    """The signed-in sockets of this instance."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Connection] = {}
        self._by_user: dict[str, set[str]] = {}
        self._by_tenant: dict[str, set[str]] = {}

    def add(self, connection: Connection) -> None:
        """Enter a socket."""
        self._by_sid[connection.sid] = connection
        self._by_user.setdefault(connection.actor.user_id, set()).add(connection.sid)
        self._by_tenant.setdefault(connection.actor.tenant_id, set()).add(connection.sid)
        metrics.sockets_open.set(len(self._by_sid))

    def remove(self, sid: str) -> Connection | None:
        """Forget a socket and give what it was, or None."""
        connection = self._by_sid.pop(sid, None)
        if connection is not None:
            _take_out(self._by_user, connection.actor.user_id, sid)
            _take_out(self._by_tenant, connection.actor.tenant_id, sid)
            metrics.sockets_open.set(len(self._by_sid))
        return connection

    def find(self, sid: str | None) -> Connection | None:
        """Give a socket, or None."""
        return self._by_sid.get(sid) if sid is not None else None

    def of_user(self, user_id: str) -> list[Connection]:
        """List a person's sockets."""
        return [self._by_sid[sid] for sid in self._by_user.get(user_id, ())]

    def of_tenant(self, tenant_id: str) -> list[Connection]:
        """List an organization's sockets."""
        return [self._by_sid[sid] for sid in self._by_tenant.get(tenant_id, ())]

    def tenants(self) -> list[str]:
        """List the organizations that have sockets here."""
        return list(self._by_tenant)

    def of_sessions(self, session_ids: Iterable[str]) -> list[Connection]:
        """List the sockets of some sessions."""
        wanted = set(session_ids)
        return [one for one in self.all() if one.record.id in wanted]

    def all(self) -> list[Connection]:
        """List every socket."""
        return list(self._by_sid.values())

    def users(self) -> dict[str, str]:
        """Give `{user_id: tenant_id}` of everybody connected here."""
        return {one.actor.user_id: one.actor.tenant_id for one in self._by_sid.values()}


def _take_out(sids: dict[str, set[str]], key: str, sid: str) -> None:
    sids[key].discard(sid)
    if not sids[key]:
        del sids[key]
