"""The people of an organization: who is here, what they may do, and who is invited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dashify.context import Context
from dashify.domain import names
from dashify.domain.accounts import INVITATION_DAYS, Role, derive_token, may_give, token_hash
from dashify.domain.audit import Action
from dashify.domain.jobs import Job
from dashify.domain.names import is_id, new_id
from dashify.errors import Forbidden, NotAllowedNow, NotFound
from dashify.services import views
from dashify.services.sessions import revoke_all_of, spread_epoch
from dashify.units import Unit

Json = dict[str, Any]
Row = dict[str, Any]


def list_people(ctx: Context, cursor: str | None, limit: int) -> Json:
    """List the people of my organization, by id. Guests see only themselves."""
    if not ctx.actor.may("people.list"):
        return views.page("users", [views.person(ctx.store.people.get(ctx.actor.user_id))], limit)
    rows = ctx.store.people.list_people(after=cursor, limit=limit + 1)
    return views.page("users", [views.person(row) for row in rows], limit)


def change_person(ctx: Context, user_id: str, role: Role | None, active: bool | None) -> Json:
    """Change somebody's role, or take away or give back their access.

    Raises:
        NotFound: there is no such person here.
        Forbidden: I am no admin, they stand above me, or the role would.
        NotAllowedNow: it would leave the organization without an owner, or me without access.
        Unavailable: recorded, but not yet sure everywhere; asking again is safe.
    """
    if not ctx.actor.may("people.manage"):
        raise Forbidden("Only owners and admins can change people.")
    before = ctx.store.people.get(user_id)
    if not may_give(ctx.actor.role, Role(before["role"])) or (role and not may_give(ctx.actor.role, role)):
        raise Forbidden("You cannot change somebody above you, or raise somebody above yourself.")
    if user_id == ctx.actor.user_id and active is False:
        raise NotAllowedNow("You cannot deactivate yourself.")
    fields: Row = {**({"role": role.value} if role else {}), **({"active": active} if active is not None else {})}
    signs_out = active is False

    def work(unit: Unit) -> Row:
        earlier = unit.store.people.get(user_id)
        row = unit.store.people.change(user_id, fields, now=unit.now, sign_out=signs_out)
        _account_for_change(unit, earlier, row)
        if row["role"] == Role.GUEST and earlier["role"] != Role.GUEST:
            for membership in unit.store.memberships.list_of_user(user_id):
                unit.jobs.add(Job.REVIEW_ANSWERS, {"channel_id": membership["channel_id"]}, front=True)
        if before["role"] == Role.OWNER and unit.store.people.count_active_owners() == 0:
            raise NotAllowedNow("An organization needs at least one active owner.")
        return row

    row = ctx.unit(work)
    spread_epoch(ctx, user_id, (row["session_epoch"], row["version"]))
    if signs_out:
        revoke_all_of(ctx, user_id)
    shown = views.person(row)
    ctx.publisher.emit(names.browsers_room(ctx.actor.tenant_id), "user:changed", {"user": shown})
    return shown


def invite(ctx: Context, email: str, role: Role) -> Json:
    """Invite somebody by email; the mail goes out as a job. Give the invitation and its token.

    Raises:
        Forbidden: I am no admin, or the role is above mine.
        RateLimited: too many invitations this hour.
    """
    _require_inviter(ctx)
    if not may_give(ctx.actor.role, role):
        raise Forbidden("You cannot invite somebody to a role above yours.")
    ctx.limits.take(("invite", ctx.actor.tenant_id, ctx.settings.limits.invitations_per_hour, 3600))
    invitation_id = new_id()
    token = derive_token(ctx.settings.secret_key, "invitation", invitation_id)

    def work(unit: Unit) -> Row:
        unit.store.invitations.add(invitation_id, {
            "email": email, "role": role.value, "invited_by": ctx.actor.user_id, "token_hash": token_hash(token),
            "created_at": unit.now, "expires_at": unit.now + timedelta(days=INVITATION_DAYS), "accepted_at": None})
        unit.jobs.add(Job.SEND_INVITATION, {"invitation_id": invitation_id}, front=True)  # before a morning's digests
        unit.audit.record(Action.INVITATION_CREATED, subject=("invitation", invitation_id),
                          details={"email": email, "role": role.value})
        return unit.store.invitations.get(invitation_id)

    return {"invitation": views.invitation(ctx.unit(work)), "token": token}


def list_invitations(ctx: Context) -> Json:
    """List the invitations that can still be accepted, newest first, at most 200."""
    _require_inviter(ctx)
    rows = ctx.store.invitations.list_open(now=ctx.now)
    return {"invitations": [views.invitation(row) for row in rows], "next": None}


def withdraw_invitation(ctx: Context, invitation_id: str) -> None:
    """Withdraw an invitation that nobody has accepted, or raise `NotFound`."""
    _require_inviter(ctx)

    def work(unit: Unit) -> None:
        row = unit.store.invitations.get(invitation_id) if is_id(invitation_id) else None
        if row is None or unit.store.invitations.remove(invitation_id) == 0:
            raise NotFound("There is no such open invitation.")
        unit.audit.record(Action.INVITATION_WITHDRAWN, subject=("invitation", invitation_id),
                          details={"email": row["email"], "role": row["role"]})

    ctx.unit(work)


def _account_for_change(unit: Unit, before: Row, after: Row) -> None:
    """Record what has become different of somebody."""
    person = ("user", before["_id"])
    if after["role"] != before["role"]:
        unit.audit.record(Action.ROLE_CHANGED, subject=person,
                          details={"role": after["role"], "role_before": before["role"]})
    if after["active"] != before["active"]:
        unit.audit.record(Action.USER_ACTIVATED if after["active"] else Action.USER_DEACTIVATED, subject=person)


def _require_inviter(ctx: Context) -> None:
    if not ctx.actor.may("people.invite"):
        raise Forbidden("Only owners and admins can invite people.")
