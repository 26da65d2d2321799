"""Tickets for a model, and the waiting line of one process, which goes by the same rule as that in Redis."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Ticket:
    """Somebody's wish for a model's time. `round` and `number` are its place in the fleet's line, once it has one."""

    id: str
    tenant_id: str
    round: int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A slot (`host`, `lease`), or a place in the line: `position` from 1, or 0 when the line is full."""

    host: str | None
    lease: str
    position: int


@dataclass(slots=True)
class _Waiting:
    tenant_id: str
    round: int
    number: int
    hosts: Sequence[str]


class Line:
    """The line of one process that has nobody to ask. `caps`: the slots of each host."""

    def __init__(self, caps: Mapping[str, int], most_waiting: int) -> None:
        self._caps, self._most = dict(caps), most_waiting
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}
        self._served = 0
        self._number = 0

    def ask(self, ticket: Ticket, hosts: Sequence[str], used: Mapping[str, int], lease: str) -> Asked:
        """Choose one of `hosts` for `ticket` if it is its turn, else keep its place; `used` are the slots in use."""
        with self._lock:
            full = ticket.id not in self._waiting and self._enter(ticket)
            mine = self._waiting[ticket.id]
            mine.hosts = hosts
            free = {host: cap - used.get(host, 0) for host, cap in self._caps.items()}
            order = sorted(self._waiting.items(), key=lambda one: (one[1].round, one[1].number))
            position = [name for name, _ in order].index(ticket.id) + 1
            for _, other in order[:position - 1]:
                if taken := self._choose(other.hosts, free):
                    free[taken] -= 1
            chosen = self._choose(hosts, free)
            if chosen:
                self._served = max(self._served, mine.round)
            if chosen or full:
                del self._waiting[ticket.id]
            return Asked(chosen, lease if chosen else "", 0 if chosen or full else position)

    def leave(self, ticket_id: str) -> None:
        """Give up a place."""
        with self._lock:
            self._waiting.pop(ticket_id, None)

    def _enter(self, ticket: Ticket) -> bool:
        """Put the ticket into the line and tell whether it is full without it."""
        rounds = [one.round for one in self._waiting.values() if one.tenant_id == ticket.tenant_id]
        size = len(self._waiting)
        self._number += 1
        self._waiting[ticket.id] = _Waiting(ticket.tenant_id, max([self._served, *rounds]) + 1, self._number, ())
        # Who has a place in the fleet's line was let in there.
        new = ticket.round is None
        return new and (size >= self._most or (bool(rounds) and size >= self._most - self._most // 5))

    def _choose(self, hosts: Sequence[str], free: Mapping[str, int]) -> str | None:
        open_hosts = [host for host in hosts if free.get(host, 0) > 0]
        return max(open_hosts, key=lambda host: free[host] / self._caps[host], default=None)
