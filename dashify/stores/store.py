"""Everything one tenant keeps, behind the wall: the only handle on data that a `Context` carries."""

from __future__ import annotations

from functools import cached_property

from pymongo.client_session import ClientSession
from pymongo.database import Database

from dashify.stores.accounts import Invitations, People
from dashify.stores.answers import Answers, AssistantRules, Conversations, TokenUse
from dashify.stores.audit import AuditChain, AuditLog
from dashify.stores.chat import Channels, Memberships, Messages
from dashify.stores.jobs import JobRows
from dashify.stores.knowledge import Documents, Drafts, Folders, Links, Versions
from dashify.stores.mongo import Document
from dashify.stores.notifications import Notifications
from dashify.stores.queues import QueueRows
from dashify.stores.sessions import OwnSessions
from dashify.stores.tenant import TenantCollection


class Store:
    """The repositories of one tenant, all inside the same transaction where one is given."""

    def __init__(self, database: Database[Document], tenant_id: str, tx: ClientSession | None = None) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._tx = tx

    @property
    def tx(self) -> ClientSession | None:
        """The transaction that all this happens in, if any."""
        return self._tx

    def inside(self, tx: ClientSession) -> Store:
        """Give the same store inside the transaction `tx`."""
        return Store(self._database, self._tenant_id, tx)

    @cached_property
    def people(self) -> People:
        """The tenant's people."""
        return People(self._collection("users"))

    @cached_property
    def invitations(self) -> Invitations:
        """The tenant's invitations."""
        return Invitations(self._collection("invitations"))

    @cached_property
    def sessions(self) -> OwnSessions:
        """The sessions of the tenant's people."""
        return OwnSessions(self._collection("sessions"))

    @cached_property
    def channels(self) -> Channels:
        """The tenant's channels."""
        return Channels(self._collection("channels"))

    @cached_property
    def memberships(self) -> Memberships:
        """Who joined which channel."""
        return Memberships(self._collection("memberships"))

    @cached_property
    def messages(self) -> Messages:
        """The tenant's messages."""
        return Messages(self._collection("messages"))

    @cached_property
    def notifications(self) -> Notifications:
        """Who is to be told of which message."""
        return Notifications(self._collection("notifications"))

    @cached_property
    def audit(self) -> AuditLog:
        """What was done in the tenant, by whom."""
        return AuditLog(self._collection("audit"))

    @cached_property
    def audit_chain(self) -> AuditChain:
        """Where the chain of the audit log's seals ends."""
        return AuditChain(self._collection("audit_chains"))

    @cached_property
    def jobs(self) -> JobRows:
        """The tenant's jobs."""
        return JobRows(self._collection("jobs"))

    @cached_property
    def queues(self) -> QueueRows:
        """The tenant's jobs as those see them who look after its queues."""
        return QueueRows(self._collection("jobs"))

    @cached_property
    def documents(self) -> Documents:
        """The tenant's documents, without their texts."""
        return Documents(self._collection("documents"))

    @cached_property
    def versions(self) -> Versions:
        """The texts of the tenant's documents."""
        return Versions(self._collection("document_versions"))

    @cached_property
    def drafts(self) -> Drafts:
        """What the tenant's people are writing."""
        return Drafts(self._collection("drafts"))

    @cached_property
    def folders(self) -> Folders:
        """The folders of the tenant's documents."""
        return Folders(self._collection("folders"))

    @cached_property
    def links(self) -> Links:
        """What links to the tenant's documents."""
        return Links(self._collection("links"))

    @cached_property
    def conversations(self) -> Conversations:
        """What the tenant's people talk about with the assistant."""
        return Conversations(self._collection("conversations"))

    @cached_property
    def answers(self) -> Answers:
        """What the assistant was asked and has answered."""
        return Answers(self._collection("answers"))

    @cached_property
    def assistant_rules(self) -> AssistantRules:
        """What the tenant has chosen about its assistant."""
        return AssistantRules(self._collection("assistant_rules"))

    @cached_property
    def token_use(self) -> TokenUse:
        """How many tokens of models the tenant has used."""
        return TokenUse(self._collection("token_use"))

    def _collection(self, name: str) -> TenantCollection:
        return TenantCollection(self._database[name], self._tenant_id, self._tx)
