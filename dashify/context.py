"""Who acts, and what they can reach. The one object that crosses all rooms, and its privileged sibling."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from dashify.clients.hasher import Hasher
from dashify.clients.models import ModelPool
from dashify.clients.publisher import Publisher
from dashify.clients.throttle import Throttle
from dashify.domain import chat
from dashify.domain.accounts import Actor
from dashify.domain.jobs import Delivery
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.accounts import Directory
from dashify.stores.collections import Collections
from dashify.stores.files import TenantFiles
from dashify.stores.lane import Beside
from dashify.stores.limits import LimitStore
from dashify.stores.revocations import Revocations
from dashify.stores.sessions import Sessions
from dashify.stores.store import Store
from dashify.stores.token_log import TokenLog
from dashify.stores.vectors import TenantVectors
from dashify.stores.workers import Workers
from dashify.units import Part, Unit, run_parts, run_unit, utc_now

T = TypeVar("T")
log = logging.getLogger(__name__)


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
    def collections(self) -> Collections:
        """The collections of the vector store."""
        return self._resources.collections

    @property
    def models(self) -> ModelPool:
        """The hosts that embed and write."""
        return self._resources.models

    @property
    def restore_epoch(self) -> str:
        """The installation's epoch, which every restore changes: change numbers of another epoch mean nothing."""
        return self._resources.restore_epoch()

    @property
    def now(self) -> datetime:
        """The time in UTC, whole milliseconds."""
        return utc_now()


class Context(_Reach):
    """One person acting in their organization. Everything reachable from here stays inside their tenant.

    `address` is the network address that they act from, None for a job.
    """

    __slots__ = ("actor", "address", "store")

    def __init__(self, resources: Resources, actor: Actor, address: str | None = None) -> None:
        super().__init__(resources)
        self.actor = actor
        self.address = address
        self.store = resources.store_of(actor.tenant_id)

    @property
    def files(self) -> TenantFiles:
        """The tenant's files."""
        return TenantFiles(self._resources.database, self.actor.tenant_id)

    def vectors(self, collection: str) -> TenantVectors:
        """Give the tenant's points in a collection."""
        return self._resources.vectors_of(self.actor.tenant_id, collection)

    @property
    def token_log(self) -> TokenLog:
        """The pieces of the tenant's answers, as far as Redis has them."""
        return TokenLog(self._resources.gate, self.actor.tenant_id)

    def unit(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction, again after a conflict; then send its jobs and do what it left for afterwards.

        Raises:
            Unavailable: the database is away or too contended; nothing was changed.
        """
        return run_unit(self._resources, Part(self.actor.tenant_id, self.actor.user_id, work, self.address))

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

    def vectors_of(self, tenant_id: str, collection: str) -> TenantVectors:
        """Give one tenant's points in a collection."""
        return self._resources.vectors_of(tenant_id, collection)

    def files_of(self, tenant_id: str) -> TenantFiles:
        """Give one tenant's files."""
        return TenantFiles(self._resources.database, tenant_id)

    def token_log_of(self, tenant_id: str) -> TokenLog:
        """Give one tenant's pieces of answers, as far as Redis has them."""
        return TokenLog(self._resources.gate, tenant_id)

    def context(self, actor: Actor, address: str | None = None) -> Context:
        """Give the context in which `actor` acts, from the network address `address` where there is a request."""
        return Context(self._resources, actor, address)

    def unit(self, tenant_id: str, actor_id: str, work: Callable[[Unit], T], *, address: str | None = None) -> T:
        """Run a unit of work in a tenant in which nobody is signed in yet; see `Context.unit`."""
        return run_unit(self._resources, Part(tenant_id, actor_id, work, address))

    def units(self, parts: Sequence[Part[Any]]) -> list[Any]:
        """Run several units of work, of any tenants, in one transaction.

        Give what each gave, or the exception that it raised: such a part has no effect, and the others have theirs.

        Raises:
            Unavailable: the database is away or too contended; nothing was changed.
        """
        return run_parts(self._resources, parts)
