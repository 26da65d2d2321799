"""Who acts, and what they can reach. The one object that crosses all rooms, and its privileged sibling."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pymongo.client_session import ClientSession

from dashify.clients.hasher import Hasher
from dashify.clients.publisher import Publisher
from dashify.clients.throttle import Throttle
from dashify.domain import chat
from dashify.domain.accounts import Actor
from dashify.domain.jobs import QUEUE_OF, Delivery, Job, Queue
from dashify.errors import Unavailable
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.accounts import Directory
from dashify.stores.files import TenantFiles
from dashify.stores.lane import Beside
from dashify.stores.limits import LimitStore
from dashify.stores.mongo import Again, is_passing, transact
from dashify.stores.revocations import Revocations
from dashify.stores.sessions import Sessions
from dashify.stores.store import Store
from dashify.stores.workers import Workers

T = TypeVar("T")
log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Give the time in UTC, in whole milliseconds: what MongoDB keeps, so that an answer equals a later read."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Unit:
    """One unit of work: writes and job rows that commit together, and announcements that follow the commit."""

    def __init__(self, store: Store, actor_id: str, now: datetime, tx: ClientSession) -> None:
        self.store = store
        self.now = now
        self.tx = tx
        self.jobs = UnitJobs(self, actor_id)
        self.after: list[Callable[[], None]] = []
        self.dispatches: list[Delivery] = []
        self.withdrawals: list[tuple[str, Queue]] = []

    def afterwards(self, do: Callable[[], None]) -> None:
        """Have `do` run once, after the commit; its failure is logged and undoes nothing."""
        self.after.append(do)


@dataclass(frozen=True, slots=True)
class Part:
    """One of several units of work that commit together: in which tenant, in whose name, and what is done."""

    tenant_id: str
    actor_id: str
    work: Callable[[Unit], Any]


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
        if due_at is None or due_at <= self._unit.now:
            self.send(job_id, QUEUE_OF[job], front=front)
        return job_id

    def send(self, job_id: str, queue: Queue, *, front: bool = False) -> None:
        """Have a queued job handed to a worker after the commit."""
        self._unit.dispatches.append(Delivery(job_id, queue, front))

    def withdraw(self, job_id: str, queue: Queue) -> None:
        """Have a job that is over taken out of RQ's lists after the commit."""
        self._unit.withdrawals.append((job_id, queue))


class _Reach:
    """What a context and a platform have in common: ways out that name no tenant by themselves."""

    __slots__ = ("_resources",)

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self._resources.settings

    @property
    def publisher(self) -> Publisher:
        """The fast path to sockets and other instances."""
        return self._resources.publisher

    @property
    def throttle(self) -> Throttle:
        """What is told at most once a second by this process."""
        return self._resources.throttle

    @property
    def limits(self) -> LimitStore:
        """The counters of who did what how often."""
        return self._resources.limits

    @property
    def hasher(self) -> Hasher:
        """The password hasher."""
        return self._resources.hasher

    @property
    def sessions(self) -> Sessions:
        """The session store, which is reached by secret key hashes and handles only."""
        return self._resources.sessions

    @property
    def revocations(self) -> Revocations:
        """What this process knows to be revoked."""
        return self._resources.revocations

    @property
    def restore_epoch(self) -> str:
        """The installation's epoch, which every restore changes: change numbers of another epoch mean nothing."""
        return self._resources.restore_epoch()

    @property
    def now(self) -> datetime:
        """The time in UTC, whole milliseconds."""
        return utc_now()

    def _run_units(self, parts: Sequence[Part]) -> list[Any]:
        """Run parts in one transaction; give what each gave, or the exception for which it was left out."""
        outcomes: dict[int, Any] = {}
        pending = dict(enumerate(parts))
        units: dict[int, Unit] = {}

        def attempt(tx: ClientSession) -> dict[int, Any]:
            units.clear()
            given = {}
            for index, part in pending.items():
                units[index] = Unit(self._resources.store_of(part.tenant_id).inside(tx), part.actor_id, utc_now(), tx)
                with _telling_apart(index):
                    given[index] = part.work(units[index])
            return given

        while pending:
            try:
                outcomes |= transact(self._resources.mongo, attempt)
                break
            except _Refused as refusal:
                # Its writes are gone with the transaction; the others begin again without it.
                outcomes[refusal.index] = refusal.reason
                del pending[refusal.index]
        done = [units[index] for index in pending]
        self._resources.dispatcher.follow([one for unit in done for one in unit.dispatches],
                                          [one for unit in done for one in unit.withdrawals])
        for do in (do for unit in done for do in unit.after):
            try:
                do()
            except Exception:  # what follows a commit must not turn success into failure
                log.exception("Something after a commit failed")
        return [outcomes[index] for index in range(len(parts))]

    def _run_unit(self, tenant_id: str, actor_id: str, work: Callable[[Unit], T]) -> T:
        [outcome] = self._run_units([Part(tenant_id, actor_id, work)])
        if isinstance(outcome, Exception):
            raise outcome
        given: T = outcome
        return given


class Context(_Reach):
    """One person acting in their organization. Everything reachable from here stays inside their tenant."""

    __slots__ = ("actor", "store")

    def __init__(self, resources: Resources, actor: Actor) -> None:
        super().__init__(resources)
        self.actor = actor
        self.store = resources.store_of(actor.tenant_id)

    @property
    def files(self) -> TenantFiles:
        """The tenant's files."""
        return TenantFiles(self._resources.database, self.actor.tenant_id)

    def unit(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction, again after a conflict; then send its jobs and do what it left for afterwards.

        Raises:
            Unavailable: the database is away or too contended; nothing was changed.
        """
        return self._run_unit(self.actor.tenant_id, self.actor.user_id, work)

    def change_channel(self, channel_id: str, change: chat.Change, announce: Callable[[chat.Outcome], None],
                       beside: Beside | None = None) -> chat.Outcome:
        """Put `change` through the channel's lane; see `stores.lane.Lanes.submit`."""
        return self._resources.lanes.submit(self.actor.tenant_id, channel_id, change, announce, beside)


class Platform(_Reach):
    """What stands above tenants. A function that takes one is privileged: grep for `platform: Platform`."""

    __slots__ = ()

    @property
    def directory(self) -> Directory:
        """Accounts above tenants."""
        return self._resources.directory

    @property
    def workers(self) -> Workers:
        """The leases of worker processes, which work for every tenant."""
        return self._resources.workers

    @property
    def resources(self) -> Resources:
        """The process's resources, for transports that wire themselves up."""
        return self._resources

    def database_available(self) -> bool:
        """Tell whether MongoDB answers; asked at most once a second."""
        return self._resources.database_available()

    def store_of(self, tenant_id: str) -> Store:
        """Give one tenant's store."""
        return self._resources.store_of(tenant_id)

    def context(self, actor: Actor) -> Context:
        """Give the context in which `actor` acts."""
        return Context(self._resources, actor)

    def unit(self, tenant_id: str, actor_id: str, work: Callable[[Unit], T]) -> T:
        """Run a unit of work in a tenant in which nobody is signed in yet; see `Context.unit`."""
        return self._run_unit(tenant_id, actor_id, work)

    def units(self, parts: Sequence[Part]) -> list[Any]:
        """Run several units of work, of any tenants, in one transaction.

        Give what each gave, or the exception that it raised: such a part has no effect, and the others have theirs.

        Raises:
            Unavailable: the database is away or too contended; nothing was changed.
        """
        return self._run_units(parts)
