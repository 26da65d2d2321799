"""Units of work: writes, audit entries and job rows that commit together, and what follows the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pymongo.client_session import ClientSession

from dashify.domain.audit import Action, Detail, Subject, sealing_key, straggling
from dashify.domain.jobs import QUEUE_OF, Delivery, Job, Queue
from dashify.domain.names import new_id
from dashify.errors import Unavailable
from dashify.resources import Resources
from dashify.stores.mongo import Again, is_passing, transact
from dashify.stores.store import Store

T = TypeVar("T")
log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Give the time in UTC, in whole milliseconds: what MongoDB keeps, so that an answer equals a later read."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Unit:
    """One unit of work: writes, audit entries and job rows that commit together, and announcements that follow that.

    `address` is the network address of whoever acts, None where there is no request.
    """

    def __init__(self, store: Store, actor_id: str, now: datetime, tx: ClientSession, address: str | None) -> None:
        self.store = store
        self.now = now
        self.tx = tx
        self.jobs = UnitJobs(self, actor_id)
        self.audit = UnitAudit(self, actor_id, address)
        self.after: list[Callable[[], None]] = []
        self.dispatches: list[Delivery] = []
        self.withdrawals: list[tuple[str, Queue]] = []

    def afterwards(self, do: Callable[[], None]) -> None:
        """Have `do` run once, after the commit; its failure is logged and undoes nothing."""
        self.after.append(do)


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One of several units of work that commit together: in which tenant, in whose name, and what is done."""

    tenant_id: str
    actor_id: str
    work: Callable[[Unit], T]
    address: str | None = None


class _Refused(Exception):
    """Raised out of a transaction by the part of it that failed for a reason of its own."""

    def __init__(self, index: int, reason: Exception) -> None:
        super().__init__(str(reason))
        self.index, self.reason = index, reason


@contextmanager
def _telling_apart(index: int) -> Iterator[None]:
    """Let pass what concerns the whole transaction; turn what concerns this part of it into `_Refused`."""
    try:
        yield
    except (Unavailable, Again):
        raise
    except Exception as error:
        if is_passing(error):
            raise
        raise _Refused(index, error) from error


class UnitJobs:
    """The jobs that a unit of work asks for."""

    def __init__(self, unit: Unit, actor_id: str) -> None:
        self._unit = unit
        self._actor_id = actor_id

    def add(self, job: Job, payload: Mapping[str, Any], *, front: bool = False, due_at: datetime | None = None,
            unique_key: str | None = None) -> str:
        """Ask for `job`: a row in the unit's transaction, sent to a worker after the commit. Give its id.

        `front` puts it before all that waits in its queue; a `due_at` in the future keeps it until then. With a
        `unique_key` (which carries the version of what the job is about) that this tenant has used for any job within
        the last 30 days, nothing is added and that job's id is given.
        """
        rows = self._unit.store.jobs
        known = rows.find_unique(unique_key) if unique_key is not None else None
        if known is not None:
            return known
        job_id = rows.add(job, payload, actor_id=self._actor_id, now=self._unit.now, front=front, due_at=due_at,
                          unique_key=unique_key)
        self.send(job_id, QUEUE_OF[job], front=front, due_at=due_at)
        return job_id

    def send(self, job_id: str, queue: Queue, *, front: bool = False, due_at: datetime | None = None) -> None:
        """Have a queued job handed to a worker after the commit, or when it is due."""
        later = due_at if due_at is not None and due_at > self._unit.now else None
        self._unit.dispatches.append(Delivery(job_id, queue, front, later))

    def withdraw(self, job_id: str, queue: Queue) -> None:
        """Have a job that is over taken out of RQ's lists after the commit."""
        self._unit.withdrawals.append((job_id, queue))


class UnitAudit:
    """What a unit of work leaves in the audit log."""

    def __init__(self, unit: Unit, actor_id: str, address: str | None) -> None:
        self._unit = unit
        self._actor_id = actor_id
        self._address = address
        self._asked = False

    def record(self, action: Action, *, subject: Subject, details: Mapping[str, Detail] | None = None) -> None:
        """Account for `action` in the transaction that does it; `subject` is `(kind, id)` of what it was done to.

        `details` are flat and for an admin to read: never a message's text, the name of a private channel, a secret or
        a token. What is slow about an entry is left to a job.
        """
        kind, subject_id = subject
        self._unit.store.audit.add(new_id(), {
            "action": action.value, "actor_id": self._actor_id, "subject": {"kind": kind, "id": subject_id},
            "details": dict(details or {}), "address": self._address, "created_at": self._unit.now})
        self.seal_soon()

    def seal_soon(self) -> None:
        """Ask for the job that seals what is not sealed, unless one is on its way that will find it."""
        if not self._asked:
            self._asked = True
            number, _ = self._unit.store.audit_chain.find_end()
            self._unit.jobs.add(Job.SEAL_AUDIT, {}, unique_key=sealing_key(number, self._unit.now))

    def seal_again(self) -> None:
        """Ask for a later look at what a sealing, which this unit does, could not see yet."""
        unique_key, due_at = straggling(self._unit.now)
        self._unit.jobs.add(Job.SEAL_AUDIT, {}, due_at=due_at, unique_key=unique_key)


def run_parts(resources: Resources, parts: Sequence[Part[Any]]) -> list[Any]:
    """Run parts in one transaction; give what each gave, or the exception for which it was left out.

    Raises:
        Unavailable: the database is away or too contended; nothing was changed.
    """
    outcomes: dict[int, Any] = {}
    pending = dict(enumerate(parts))
    units: dict[int, Unit] = {}

    def attempt(tx: ClientSession) -> dict[int, Any]:
        units.clear()
        given = {}
        for index, part in pending.items():
            store = resources.store_of(part.tenant_id).inside(tx)
            units[index] = Unit(store, part.actor_id, utc_now(), tx, part.address)
            with _telling_apart(index):
                given[index] = part.work(units[index])
        return given

    while pending:
        try:
            outcomes |= transact(resources.mongo, attempt)
            break
        except _Refused as refusal:
            # Its writes are gone with the transaction; the others begin again without it.
            outcomes[refusal.index] = refusal.reason
            del pending[refusal.index]
    _follow(resources, [units[index] for index in pending])
    return [outcomes[index] for index in range(len(parts))]


def run_unit(resources: Resources, part: Part[T]) -> T:
    """Run one unit of work, again after a conflict; then send its jobs and do what it left for afterwards.

    Raises:
        Unavailable: the database is away or too contended; nothing was changed.
    """
    [outcome] = run_parts(resources, [part])
    if isinstance(outcome, Exception):
        raise outcome
    given: T = outcome
    return given


def _follow(resources: Resources, units: Sequence[Unit]) -> None:
    resources.dispatcher.follow([one for unit in units for one in unit.dispatches],
                                [one for unit in units for one in unit.withdrawals])
    for do in (do for unit in units for do in unit.after):
        try:
            do()
        except Exception:  # what follows a commit must not turn success into failure
            log.exception("Something after a commit failed")
