"""The committer of a worker process: effects of runs that end at the same time commit in one transaction.

A transaction a run is what a database would be busy with; one in flight per process, with all that waits, keeps fifty
runs at once from conflicting over connections and time. Each effect still counts once or not at all, on its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dashify.context import Platform
from dashify.errors import Unavailable
from dashify.units import Part, Unit

MOST = 64


@dataclass(slots=True, eq=False)
class _Ticket:
    """One effect that waits, and in the end what it gave or raised."""

    part: Part[Any]
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Any = None


class Committer:
    """One process's. Its thread exists only while something waits."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._driving = False

    def commit(self, tenant_id: str, actor_id: str, work: Callable[[Unit], Any]) -> Any:
        """Run `work` as a unit in a tenant, in a transaction with whatever else waits; give what it gave.

        Raises:
            Exception: what `work` raised; it has no effect then.
            Unavailable: the database is away or too contended; nothing was changed.
        """
        ticket = _Ticket(Part(tenant_id, actor_id, work))
        with self._lock:
            self._waiting.append(ticket)
            if not self._driving:
                self._driving = True
                threading.Thread(target=self._drive, name="committer", daemon=True).start()
        ticket.done.wait()
        if isinstance(ticket.outcome, Exception):
            raise ticket.outcome
        return ticket.outcome

    def _drive(self) -> None:
        while True:
            with self._lock:
                batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                if not batch:
                    self._driving = False
                    return
            self._settle(batch)

    def _settle(self, batch: list[_Ticket]) -> None:
        try:
            outcomes = self._platform.units([ticket.part for ticket in batch])
        except Unavailable as error:
            if error.code == "contention" and len(batch) > 1:
                # One of them may be contended; the others must not wait for it in vain.
                for ticket in batch:
                    self._settle([ticket])
                return
            outcomes = [error] * len(batch)
        except Exception as error:  # a bug must reach those who wait, not end the committer
            outcomes = [error] * len(batch)
        for ticket, outcome in zip(batch, outcomes, strict=True):
            ticket.outcome = outcome
            ticket.done.set()
