"""Who acts, and what they can reach. The one object that crosses all rooms, and its privileged sibling."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pymongo.client_session import ClientSession

from dashify.clients.hasher import Hasher
from dashify.clients.publisher import Publisher
from dashify.domain import chat
from dashify.domain.accounts import Actor
from dashify.domain.audit import Action, Detail, Subject, sealing_key, straggling
from dashify.domain.jobs import QUEUE_OF, Delivery, Job, Queue
from dashify.domain.names import new_id
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.accounts import Directory
from dashify.stores.files import TenantFiles
from dashify.stores.lane import Beside
from dashify.stores.limits import LimitStore
from dashify.stores.mongo import transact
from dashify.stores.revocations import Revocations
from dashify.stores.sessions import Sessions
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

    def _run_unit(self, store: Store, actor_id: str, address: str | None, work: Callable[[Unit], T]) -> T:
        units: list[Unit] = []

        def attempt(tx: ClientSession) -> T:
            units.append(Unit(store.inside(tx), actor_id, utc_now(), tx, address))
            return work(units[-1])

        result = transact(self._resources.mongo, attempt)
        self._resources.dispatcher.follow(units[-1].dispatches, units[-1].withdrawals)
        for do in units[-1].after:
            try:
                do()
            except Exception:  # what follows a commit must not turn success into failure
                log.exception("Something after a commit failed")
        return result


class Context(_Reach):
    """One person acting in their organization. Everything reachable from here stays inside their tenant.

    `address` is the network address that they act from, None for a job.
    """

    __slots__ = ("actor", "address", "store")

    def __init__(self, resources: Resources, actor: Actor, address: str | None = None) -> None:
        super().__init__(resources)
        self.actor = actor
        self.address = address
        self.store = Store(resources.database, actor.tenant_id)

    @property
    def files(self) -> TenantFiles:
        """The tenant's files."""
        return TenantFiles(self._resources.database, self.actor.tenant_id)

    def unit(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction, again after a conflict; then send its jobs and do what it left for afterwards.

        Raises:
            Unavailable: the database is away or too contended; nothing was changed.
        """
        return self._run_unit(self.store, self.actor.user_id, self.address, work)

    def change_channel(self, channel_id: str, change: chat.Change, announce: Callable[[chat.Outcome], None],
                       beside: Beside | None = None) -> chat.Outcome:
        """Put `change` through the channel's lane; see `stores.lane.Lanes.submit`."""
        return self._resources.lanes.submit(self.actor.tenant_id, channel_id, change, announce, beside)

    def beside(self, work: Callable[[Unit, chat.Outcome], None]) -> Beside:
        """Give what a lane is to do beside a change: `work`, with a unit that is inside the lane's transaction.

        What the unit asks of jobs is done; nothing is left for afterwards, since it is the lane that announces.
        """
        def within(store: Store, outcome: chat.Outcome) -> list[Delivery]:
            assert store.tx is not None
            unit = Unit(store, self.actor.user_id, utc_now(), store.tx, self.address)
            work(unit, outcome)
            return unit.dispatches

        return within


class Platform(_Reach):
    """What stands above tenants. A function that takes one is privileged: grep for `platform: Platform`."""

    __slots__ = ()

    @property
    def directory(self) -> Directory:
        """Accounts above tenants."""
        return self._resources.directory

    @property
    def resources(self) -> Resources:
        """The process's resources, for transports that wire themselves up."""
        return self._resources

    def database_available(self) -> bool:
        """Tell whether MongoDB answers; asked at most once a second."""
        return self._resources.database_available()

    def store_of(self, tenant_id: str) -> Store:
        """Give one tenant's store."""
        return Store(self._resources.database, tenant_id)

    def context(self, actor: Actor, address: str | None = None) -> Context:
        """Give the context in which `actor` acts, from the network address `address` where there is a request."""
        return Context(self._resources, actor, address)

    def unit(self, tenant_id: str, actor_id: str, work: Callable[[Unit], T], *, address: str | None = None) -> T:
        """Run a unit of work in a tenant in which nobody is signed in yet; see `Context.unit`."""
        return self._run_unit(self.store_of(tenant_id), actor_id, address, work)
