"""The end of an organization, which only the operator's command brings about."""

from __future__ import annotations

from datetime import timedelta

from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, OPERATOR, Job
from dashify.errors import NotFound
from dashify.services.indexing import Index
from dashify.services.sessions import spread_epoch
from dashify.stores.erasure import Erasure
from dashify.units import Unit

_BATCH = 200
_LATEST_WRITE = timedelta(minutes=30)  # longer than any queue's time limit for what writes to an index


def find_organization(platform: Platform, tenant_id: str) -> str:
    """Give the name of an organization, or raise `NotFound`."""
    name = platform.directory.find_tenant(tenant_id)
    if name is None:
        raise NotFound("There is no organization of this id.")
    return name


def close_organization(platform: Platform, tenant_id: str) -> None:
    """Sign everybody of an organization out for good, and ask for the job that removes every trace of it.

    Doing it again is safe.

    Raises:
        NotFound: there is no such organization.
        Unavailable: recorded as far as it went; asking again goes on.
    """
    def close(unit: Unit) -> None:
        if not Erasure(platform.resources.database, tenant_id).close(unit.now, unit.tx):
            raise NotFound("There is no organization of this id.")

    platform.unit(tenant_id, OPERATOR, close)
    store, after = platform.store_of(tenant_id), None
    while people := store.people.list_people(after=after, limit=_BATCH):
        after = people[-1]["_id"]
        for row in people:
            changed = store.people.change(row["_id"], {"active": False}, now=platform.now, sign_out=True)
            spread_epoch(platform, row["_id"], (changed["session_epoch"], changed["version"]))
    platform.unit(INSTALLATION, OPERATOR, lambda unit: _ask(unit, tenant_id))


def count_traces(platform: Platform, tenant_id: str) -> dict[str, int]:
    """Count what is left of an organization: rows by collection, and `passages` in the index.

    Raises:
        Unavailable: MongoDB or the vector store is away.
    """
    passages = Index(platform, tenant_id).count()
    return {**Erasure(platform.resources.database, tenant_id).count(), **({"passages": passages} if passages else {})}


def erase(platform: Platform, tenant_id: str) -> None:
    """Remove every trace of an organization that was closed; of one that was not, nothing.

    Raises:
        Unavailable: MongoDB or the vector store is away; doing it again is safe.
    """
    erasure = Erasure(platform.resources.database, tenant_id)
    if erasure.is_closed():
        Index(platform, tenant_id).remove_all()
        erasure.remove()


def _ask(unit: Unit, tenant_id: str) -> None:
    """Ask for the removal now, and once more when whatever still ran for the organization has ended."""
    for due_at in (None, unit.now + _LATEST_WRITE):
        unit.jobs.add(Job.PURGE_TENANT, {"tenant_id": tenant_id}, due_at=due_at)
