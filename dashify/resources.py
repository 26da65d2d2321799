"""What one process holds open: MongoDB, Redis and what is built on them. Opened on first use, never at import."""

from __future__ import annotations

import time
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.database import Database

from dashify.clients.hasher import Hasher
from dashify.clients.mailer import Mailer, open_mailer
from dashify.clients.models import ModelPool
from dashify.clients.publisher import Publisher
from dashify.clients.queue import Dispatcher
from dashify.clients.readonly import ReadOnlyRedis, connect_to_read
from dashify.clients.throttle import Throttle
from dashify.domain.accounts import Actor
from dashify.domain.names import redis_probe_key
from dashify.gate import RedisGate
from dashify.lifecycle import Lifecycle
from dashify.settings import Settings
from dashify.stores.accounts import Directory
from dashify.stores.collections import Collections, open_qdrant
from dashify.stores.lane import Lanes
from dashify.stores.limits import LimitStore
from dashify.stores.mongo import Document, answers, open_client, open_database
from dashify.stores.revocations import Revocations
from dashify.stores.schema import Standing
from dashify.stores.sessions import Sessions
from dashify.stores.store import Store
from dashify.stores.vectors import TenantVectors
from dashify.stores.workers import Clock, Workers

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_EPOCH_SECONDS = 10.0
_PING_SECONDS = 1.0


class Resources:
    """One process's connections. Make it after a fork, in the process that uses it; `close` gives everything back."""

    def __init__(self, settings: Settings, lifecycle: Lifecycle | None = None) -> None:
        self.settings = settings
        self.lifecycle = lifecycle or Lifecycle()
        self.identities: dict[str, Actor] = {}
        self.prepared = False
        self._lock = RLock()
        self._gates: dict[str, RedisGate] = {}
        self._epoch = (0.0, "")
        self._database_seen = (-_PING_SECONDS, False)

    @cached_property
    def mongo(self) -> MongoClient[Document]:
        """The MongoDB client."""
        return open_client(self.settings.mongodb_url)

    @cached_property
    def database(self) -> Database[Document]:
        """The database, with majority reads and writes."""
        return open_database(self.mongo, self.settings.mongodb_database)

    @cached_property
    def gate(self) -> RedisGate:
        """The way to Redis for sessions, limits, and all that is neither pub/sub nor a queue."""
        return self._gate_of(self.settings.redis_url)

    @cached_property
    def pubsub_gate(self) -> RedisGate:
        """The way to Redis's pub/sub."""
        return self._gate_of(self.settings.redis_pubsub_url or self.settings.redis_url)

    @cached_property
    def queues_gate(self) -> RedisGate:
        """The way to RQ's lists."""
        return self._gate_of(self.settings.redis_queues_url or self.settings.redis_url)

    @cached_property
    def publisher(self) -> Publisher:
        """The fast path to sockets and other instances."""
        return Publisher(self.pubsub_gate)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """The way of job ids to workers."""
        return Dispatcher(self.queues_gate)

    @cached_property
    def throttle(self) -> Throttle:
        """What is told at most once a second."""
        return Throttle()

    @cached_property
    def readonly_redis(self) -> ReadOnlyRedis:
        """Redis for looking at RQ's lists, in bytes, with nothing that writes."""
        return connect_to_read(self.queues_gate)

    @cached_property
    def clock(self) -> Clock:
        """The database's time."""
        return Clock(self.database)

    @cached_property
    def standing(self) -> Standing:
        """Whether this process may work on the database as it is."""
        return Standing(self.database, self.clock, self.settings.instance)

    @cached_property
    def workers(self) -> Workers:
        """The leases of worker processes."""
        return Workers(self.database, self.clock)

    @cached_property
    def mailer(self) -> Mailer:
        """The way out for mail."""
        return open_mailer(self.settings.mail_url, self.settings.mail_from)

    @cached_property
    def models(self) -> ModelPool:
        """The model hosts."""
        return ModelPool(self.settings, self.gate)

    @cached_property
    def hasher(self) -> Hasher:
        """The password hasher."""
        return Hasher()

    @cached_property
    def lanes(self) -> Lanes:
        """The channels' writers of this process."""
        return Lanes(self.mongo, self.database, lambda deliveries: self.dispatcher.follow(deliveries, []))

    @cached_property
    def directory(self) -> Directory:
        """Accounts above tenants."""
        return Directory(self.database)

    @cached_property
    def sessions(self) -> Sessions:
        """Every session."""
        return Sessions(self.gate, self.database, self.settings.session_seconds)

    @cached_property
    def revocations(self) -> Revocations:
        """What is known to be revoked."""
        return Revocations(self.sessions, self.directory)

    @cached_property
    def limits(self) -> LimitStore:
        """The counters of who did what how often."""
        return LimitStore(self.gate)

    @cached_property
    def qdrant(self) -> QdrantClient:
        """The vector store's client."""
        return open_qdrant(self.settings)

    @cached_property
    def collections(self) -> Collections:
        """Which collections there are."""
        return Collections(self.qdrant, self.settings, lambda model: len(self.models.embed(["x"], model=model)[0]))

    def vectors_of(self, tenant_id: str, collection: str) -> TenantVectors:
        """Give one tenant's points in a collection."""
        return TenantVectors(self.qdrant, collection, tenant_id)

    def store_of(self, tenant_id: str) -> Store:
        """Give one tenant's store."""
        return Store(self.database, tenant_id)

    def restore_epoch(self) -> str:
        """Give the installation's epoch, at most 10 s old."""
        read_at, epoch = self._epoch
        if not epoch or time.monotonic() - read_at > _EPOCH_SECONDS:
            epoch = self.directory.restore_epoch()
            self._epoch = (time.monotonic(), epoch)
        return epoch

    def prepare(self) -> None:
        """Make sure that the database has our schema and load what was revoked: once, before we are ready to serve.

        Raises:
            Outdated: the database has left this release behind.
            Unavailable: MongoDB is away, or `dashify migrate` has not been run.
        """
        self.standing.check()
        self.revocations.reload()
        self.restore_epoch()
        self.prepared = True

    def database_available(self) -> bool:
        """Tell whether MongoDB answered a ping within the last second or does so now."""
        checked_at, answered = self._database_seen
        if time.monotonic() - checked_at > _PING_SECONDS:
            answered = answers(self.mongo)
            self._database_seen = (time.monotonic(), answered)
        return answered

    def close(self) -> None:
        """Close what was opened, and only that."""
        opened: dict[str, Any] = vars(self)
        if "publisher" in opened:
            self.publisher.flush(1.0)
        if "dispatcher" in opened:
            self.dispatcher.close()
        if "models" in opened:
            self.models.close()
        if "readonly_redis" in opened:
            self.readonly_redis.connection_pool.disconnect()
        if "qdrant" in opened:
            self.qdrant.close()
        for gate in self._gates.values():
            gate.close()
        if "standing" in opened:
            self.standing.leave()
        if "mongo" in opened:
            self.mongo.close()

    def _gate_of(self, url: str) -> RedisGate:
        """Give the gate to `url`: one for all roles that share it, called by the weightiest of them."""
        with self._lock:
            if url not in self._gates:
                by_weight = {"sessions": self.settings.redis_url, "queues": self.settings.redis_queues_url}
                role = next((role for role, of in by_weight.items() if of == url), "pubsub")
                # The user of pub/sub may write no key.
                key = "" if role == "pubsub" else redis_probe_key(role)
                gate = self._gates[url] = RedisGate(url, role=role, probe_key=key)
                if role == "sessions":
                    gate.on_return(self._after_redis_returned)
            return self._gates[url]

    def _after_redis_returned(self) -> None:
        self.revocations.reload()
