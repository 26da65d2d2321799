"""SuperAdmins: those who look after the whole installation. Only the operator's command makes and unmakes them."""

from __future__ import annotations

from dashify.context import Platform
from dashify.domain.accounts import Role
from dashify.domain.audit import Action
from dashify.domain.names import new_id
from dashify.errors import NotAllowedNow, NotFound
from dashify.services.accounts import new_person
from dashify.services.channels import new_channel
from dashify.services.sessions import spread_epoch
from dashify.units import Unit

ORGANIZATION = "Platform"


def has_account(platform: Platform, email: str) -> bool:
    """Tell whether an email belongs to an account."""
    return platform.directory.find_by_email(email) is not None


def create_superadmin(platform: Platform, email: str, password: str) -> None:
    """Make an account that is a SuperAdmin, in an organization of its own.

    Raises:
        Conflict: `email_taken`.
    """
    tenant_id, user_id = new_id(), new_id()
    hashed = platform.hasher.hash(password)

    def work(unit: Unit) -> None:
        platform.directory.add_tenant(tenant_id, {"name": ORGANIZATION, "created_at": unit.now}, unit.tx)
        person = new_person(email.partition("@")[0], email, Role.OWNER, hashed, unit.now)
        unit.store.people.add(user_id, {**person, "superadmin": True})
        new_channel(unit, "general", user_id=user_id, default=True)
        unit.audit.record(Action.SUPERADMIN_CHANGED, subject=("user", user_id), details={"superadmin": True})

    platform.unit(tenant_id, user_id, work)


def set_superadmin(platform: Platform, email: str, superadmin: bool) -> None:
    """Make an existing account a SuperAdmin or an ordinary one again; sure everywhere when this returns.

    Doing it again changes nothing but tells everybody again.

    Raises:
        NotFound: no account has this email.
        NotAllowedNow: the account is not active, so it cannot be made one.
        Unavailable: recorded, but not yet sure everywhere; asking again is safe.
    """
    account = platform.directory.find_by_email(email)
    if account is None:
        raise NotFound("No account has this email address.")
    if superadmin and not account["active"]:
        raise NotAllowedNow("This account is not active.")

    def work(unit: Unit) -> tuple[int, int]:
        row = unit.store.people.change(account["_id"], {"superadmin": superadmin}, now=unit.now)
        unit.audit.record(Action.SUPERADMIN_CHANGED, subject=("user", account["_id"]),
                          details={"superadmin": superadmin})
        return row["session_epoch"], row["version"]

    spread_epoch(platform, account["_id"], platform.unit(account["tenant_id"], account["_id"], work))
