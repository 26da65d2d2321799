"""Accounts: signing up, in and out, invitations accepted, one's own profile and password."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dashify.context import Context, Platform
from dashify.domain.accounts import RESET_MINUTES, Actor, Client, Role, SignedIn, derive_token, token_hash
from dashify.domain.audit import Action
from dashify.domain.jobs import INSTALLATION, Job
from dashify.domain.names import new_id
from dashify.errors import Conflict, NotFound, Unauthenticated
from dashify.services import views
from dashify.services.channels import join_default_channels, new_channel
from dashify.services.sessions import renew_session, revoke_all_of, revoke_session, spread_epoch, start_session
from dashify.units import Unit

_LONGEST_DELAY = 5.0
Json = dict[str, Any]


def sign_up(platform: Platform, organization: str, name: str, email: str, password: str, client: Client,
            time_zone: str | None = None) -> SignedIn:
    """Make an organization with its owner, in their `time_zone`, and its first channel, and sign the owner in.

    Raises:
        Conflict: `email_taken`.
        RateLimited: too many sign-ups from this address.
    """
    platform.limits.take(("sign_up", client.address, platform.settings.limits.sign_ups_per_hour, 3600))
    _refuse_taken(platform, email)
    tenant_id, user_id = new_id(), new_id()
    hashed = platform.hasher.hash(password)

    def work(unit: Unit) -> None:
        platform.directory.add_tenant(tenant_id, {"name": organization, "created_at": unit.now}, unit.tx)
        unit.store.people.add(user_id, new_person(name, email, Role.OWNER, hashed, unit.now, time_zone))
        unit.audit.record(Action.ORGANIZATION_CREATED, subject=("user", user_id),
                          details={"organization": organization, "email": email})
        new_channel(unit, "general", user_id=user_id, default=True)

    platform.unit(tenant_id, user_id, work, address=client.address)
    return start_session(platform, user_id, client)


def sign_in(platform: Platform, email: str, password: str, client: Client) -> SignedIn:
    """Sign somebody in. Only failures count towards limits; attempts under way at once are no way around them.

    Raises:
        Unauthenticated: `wrong_credentials`, in the same words and time whether or not the account exists.
        RateLimited: too many failures.
        Unavailable: Redis is away, so failures could not be counted.
    """
    limits = platform.settings.limits
    counters = (("sign_in", f"{client.address}|{email}", limits.sign_in_per_minute, 60),
                ("sign_in_address", client.address, limits.sign_in_address_per_minute, 60))
    with platform.limits.attempt(*counters):
        user_id = _prove_password(platform, email, password, client)
    return start_session(platform, user_id, client)


def sign_out(ctx: Context) -> None:
    """End the present session."""
    if ctx.actor.session_id is not None:
        revoke_session(ctx, ctx.actor.session_id, Action.SESSION_ENDED)


def describe(actor: Actor) -> Json:
    """Describe somebody to themselves."""
    return views.me(actor)


def describe_me(ctx: Context) -> Json:
    """Describe me, with my organization."""
    return views.me(ctx.actor)


def change_profile(ctx: Context, *, name: str | None = None, time_zone: str | None = None,
                   digest: bool | None = None) -> Json:
    """Change my name, my time zone, or whether I want a daily mail of what I have not read: what is not None."""
    fields = {"name": name, "time_zone": time_zone, "digest": digest}
    changes: Json = {field: value for field, value in fields.items() if value is not None}

    def work(unit: Unit) -> Json:
        before = unit.store.people.get(ctx.actor.user_id)
        row = unit.store.people.change(ctx.actor.user_id, changes, now=unit.now)
        changed = {field: value for field, value in changes.items() if before.get(field) != value}
        if changed:
            renamed = {"name_before": before["name"]} if "name" in changed else {}
            unit.audit.record(Action.PROFILE_CHANGED, subject=("user", ctx.actor.user_id),
                              details={**changed, **renamed})
        return row

    row = ctx.unit(work)
    spread_epoch(ctx, ctx.actor.user_id, (row["session_epoch"], row["version"]))
    return views.me(replace(ctx.actor, **changes))


def change_password(ctx: Context, current: str, new: str, key_hash: str, platform: Platform) -> SignedIn:
    """Change my password, end all my other sessions, and go on with a new cookie; `key_hash` is of the present one.

    Raises:
        Unauthenticated: `wrong_credentials`; the current password is not right. Counted like a failed sign-in.
    """
    limit = ("password", ctx.actor.user_id, ctx.settings.limits.sign_in_per_minute, 60)
    with ctx.limits.attempt(limit):
        if not ctx.hasher.verify(current, ctx.store.people.get_password_hash(ctx.actor.user_id)):
            raise Unauthenticated("The current password is wrong.", code="wrong_credentials")
    fields = {"password_hash": ctx.hasher.hash(new)}

    def work(unit: Unit) -> Json:
        unit.audit.record(Action.PASSWORD_CHANGED, subject=("user", ctx.actor.user_id))
        return unit.store.people.change(ctx.actor.user_id, fields, now=unit.now, sign_out=True)

    row = ctx.unit(work)
    renewed = renew_session(ctx, platform, key_hash)
    spread_epoch(ctx, ctx.actor.user_id, (row["session_epoch"], row["version"]))
    revoke_all_of(ctx, ctx.actor.user_id, but=ctx.actor.session_id)
    return renewed


def request_reset(platform: Platform, email: str, client: Client) -> None:
    """Send a link for a new password to an address, if it has an account; say nothing either way.

    Raises:
        RateLimited: asked too often from this address or for this email.
    """
    limits = platform.settings.limits
    platform.limits.take(("reset_address", client.address, limits.sign_in_address_per_minute, 60),
                         ("reset_email", token_hash(email), limits.sign_in_email_per_quarter, 900))
    account = platform.directory.find_by_email(email)
    if account is None or not account["active"]:
        return
    reset_id = new_id()
    token = derive_token(platform.settings.secret_key, "reset", reset_id)

    def work(unit: Unit) -> None:
        platform.directory.add_reset({
            "_id": reset_id, "user_id": account["_id"], "tenant_id": account["tenant_id"], "used_at": None,
            "token_hash": token_hash(token), "expires_at": unit.now + timedelta(minutes=RESET_MINUTES)}, unit.tx)
        unit.jobs.add(Job.SEND_PASSWORD_RESET, {"reset_id": reset_id}, front=True)  # before a morning's digests

    platform.unit(account["tenant_id"], account["_id"], work)


def confirm_reset(platform: Platform, token: str, password: str, client: Client) -> SignedIn:
    """Set a new password by the link that was sent, end every session, and sign in.

    Raises:
        NotFound: the link is wrong, used, or too old.
    """
    hashed = platform.hasher.hash(password)
    known = platform.directory.find_reset(token_hash(token), now=platform.now)
    if known is None:
        raise NotFound("This link is not valid any more. Please ask for a new one.")

    def work(unit: Unit) -> tuple[str, tuple[int, int]]:
        reset = platform.directory.use_reset(known["token_hash"], now=unit.now, tx=unit.tx)
        if reset is None:
            raise NotFound("This link is not valid any more. Please ask for a new one.")
        row = unit.store.people.change(reset["user_id"], {"password_hash": hashed}, now=unit.now, sign_out=True)
        unit.audit.record(Action.PASSWORD_RESET, subject=("user", reset["user_id"]))
        return reset["user_id"], (row["session_epoch"], row["version"])

    user_id, epoch = platform.unit(known["tenant_id"], known["user_id"], work, address=client.address)
    spread_epoch(platform, user_id, epoch)
    return start_session(platform, user_id, client)


def describe_invitation(platform: Platform, token: str) -> Json:
    """Say who invites to what, for the page that accepts.

    Raises:
        NotFound: the invitation is wrong, accepted, withdrawn, or too old.
    """
    invitation = _open_invitation(platform, token)
    inviter = platform.directory.find_account(invitation["invited_by"])
    return {"organization": inviter["organization"]["name"] if inviter else "", "email": invitation["email"],
            "role": invitation["role"], "invited_by": inviter["name"] if inviter else ""}


def accept_invitation(platform: Platform, token: str, name: str, password: str, client: Client,
                      time_zone: str | None = None) -> SignedIn:
    """Join an organization by an invitation, and sign in.

    Raises:
        NotFound: the invitation is wrong, accepted, withdrawn, or too old.
        Conflict: `email_taken`; the address has an account in the meantime.
    """
    invitation = _open_invitation(platform, token)
    _refuse_taken(platform, invitation["email"])
    user_id, hashed = new_id(), platform.hasher.hash(password)

    def work(unit: Unit) -> None:
        if not unit.store.invitations.accept(invitation["_id"], now=unit.now):
            raise _no_invitation()
        person = new_person(name, invitation["email"], Role(invitation["role"]), hashed, unit.now,
                            time_zone)
        unit.store.people.add(user_id, person)
        unit.audit.record(Action.INVITATION_ACCEPTED, subject=("invitation", invitation["_id"]),
                          details={"email": invitation["email"], "role": invitation["role"]})
        join_default_channels(unit, user_id, Role(invitation["role"]))

    platform.unit(invitation["tenant_id"], user_id, work, address=client.address)
    return start_session(platform, user_id, client)


def new_person(name: str, email: str, role: Role, password_hash: str, now: datetime,
               time_zone: str | None = None) -> Json:
    """Make the row of a new person, without id and tenant."""
    return {"name": name, "email": email, "role": role.value, "active": True, "password_hash": password_hash,
            "session_epoch": 1, "version": 1, "created_at": now, "changed_at": now,
            **({"time_zone": time_zone} if time_zone else {})}


def _prove_password(platform: Platform, email: str, password: str, client: Client) -> str:
    """Give the id of the account that email and password belong to, or raise `Unauthenticated`."""
    _delay(platform, email)
    account = platform.directory.find_by_email(email)
    usable = account is not None and account["active"]
    right = platform.hasher.verify(password, account["password_hash"] if account and usable else None)
    if account is None or not right:
        platform.limits.take(("sign_in_email", token_hash(email), 1_000_000, 900))
        _account_for_failure(platform, account, client)
        raise Unauthenticated("The email address or the password is wrong.", code="wrong_credentials")
    platform.limits.clear("sign_in_email", token_hash(email))
    return str(account["_id"])


def _account_for_failure(platform: Platform, account: Json | None, client: Client) -> None:
    """Record a failed sign-in in the log of the account's organization; whoever tried knew its address, no more.

    Without an account it goes into the installation's own log, so that it takes the same time.
    """
    tenant_id, user_id = (account["tenant_id"], account["_id"]) if account else (INSTALLATION, INSTALLATION)
    platform.unit(tenant_id, user_id, address=client.address, work=lambda unit: unit.audit.record(
        Action.SESSION_REFUSED, subject=("user", user_id), details={"device": client.device}))


def _delay(platform: Platform, email: str) -> None:
    """Slow the guessing of one account's password from many addresses, without locking its owner out."""
    failures = platform.limits.count("sign_in_email", token_hash(email))
    beyond = failures - platform.settings.limits.sign_in_email_per_quarter
    if beyond >= 0:
        time.sleep(min(_LONGEST_DELAY, 0.5 * (beyond + 1)))


def _refuse_taken(platform: Platform, email: str) -> None:
    if platform.directory.find_by_email(email) is not None:
        raise Conflict("This email address has an account already.", code="email_taken")


def _open_invitation(platform: Platform, token: str) -> Json:
    invitation = platform.directory.find_invitation(token_hash(token))
    if invitation is None or invitation["accepted_at"] is not None or invitation["expires_at"] <= platform.now:
        raise _no_invitation()
    return invitation


def _no_invitation() -> NotFound:
    return NotFound("This invitation is not valid any more. Please ask for a new one.")
