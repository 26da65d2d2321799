"""Sessions: proving who asks, and taking that proof away again so that it stays away."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from dashify.context import Context, Platform
from dashify.domain.accounts import Actor, Client, Role, SignedIn, new_token, token_hash
from dashify.domain.audit import Action
from dashify.domain.digests import USUAL_ZONE
from dashify.domain.names import is_id, new_id
from dashify.errors import NotFound, Unauthenticated, Unavailable
from dashify.services import views
from dashify.stores.sessions import SessionRead, SessionRecord
from dashify.units import Unit

_MOST_IDENTITIES = 20_000
Json = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A proven session: who acts, whether the session was just extended, and its record and key."""

    actor: Actor
    touched: bool
    record: SessionRecord
    key_hash: str


def authenticate(platform: Platform, cookie: str) -> Seen:
    """Prove a session cookie, in one round trip to Redis, or from MongoDB while Redis is away.

    Raises:
        Unauthenticated: there is no such session, or it was revoked or has expired.
        Unavailable: neither store can say.
    """
    return authenticate_key(platform, token_hash(cookie))


def authenticate_key(platform: Platform, key_hash: str) -> Seen:
    """Prove a session by the hash of its cookie; as `authenticate`. For a socket, which keeps no cookie."""
    platform.revocations.ensure_loaded()
    read = _read(platform, key_hash)
    if read is None:
        raise _signed_out()
    actor = check(platform, read.record, read.epoch)
    if read.touched:
        platform.sessions.mark_seen(read.record.id, platform.now)
    return Seen(actor, read.touched, read.record, key_hash)


def check(platform: Platform, record: SessionRecord, epoch: tuple[int, int] | None) -> Actor:
    """Give the actor behind a session's record unless something known here voids it.

    `epoch` is what Redis says of the user, None where it does not know.

    Raises:
        Unauthenticated: the session is revoked, older than the user's session epoch, or past its absolute end.
    """
    latest = platform.revocations.latest(record.user_id, epoch)
    actor = _identify(platform, record.user_id, latest)
    session_epoch = max(_epoch_of(actor)[0], latest[0] if latest else 0)
    too_old = time.time() - record.created_at > platform.settings.session_absolute_seconds
    if platform.revocations.holds(record.id) or record.epoch < session_epoch or too_old:
        raise _signed_out()
    return replace(actor, session_id=record.id)


def identify(platform: Platform, actor: Actor) -> Actor:
    """Give an actor as they are now, by the latest that is known here of their epoch; raises as `check`."""
    return replace(_identify(platform, actor.user_id, platform.revocations.latest(actor.user_id, None)),
                   session_id=actor.session_id)


def load_actor(platform: Platform, user_id: str) -> Actor | None:
    """Give a person as MongoDB has them now, without a session; None for somebody who is not active."""
    account = platform.directory.find_account(user_id)
    if account is None or not account["active"] or account["organization"] is None:
        return None
    # After the account: a later membership under an earlier version is loaded again, the other way round it would last.
    joined = platform.directory.list_memberships(account["tenant_id"], user_id)
    return Actor(
        user_id=user_id, tenant_id=account["tenant_id"], role=Role(account["role"]), name=account["name"],
        email=account["email"], organization=account["organization"]["name"],
        version=f"{account['session_epoch']}:{account['version']}",
        private_channels=frozenset(channel for channel, private in joined if private),
        joined=frozenset(channel for channel, _ in joined), time_zone=account.get("time_zone", USUAL_ZONE),
        digest=account.get("digest", True), superadmin=bool(account.get("superadmin", False)))


def start_session(platform: Platform, user_id: str, client: Client) -> SignedIn:
    """Begin a session for somebody whose identity was just proven.

    Raises:
        Unauthenticated: the account is not active any more.
        Unavailable: Redis or MongoDB is away; there is no session then.
    """
    actor = _identify(platform, user_id, None)
    now = platform.now
    cookie = new_token()
    record = SessionRecord(new_id(), user_id, actor.tenant_id, _epoch_of(actor)[0], now.timestamp())
    expires_at = now + timedelta(seconds=platform.settings.session_absolute_seconds)
    about = {"device": client.device, "address": client.address, "expires_at": expires_at}

    def work(unit: Unit) -> None:
        platform.sessions.add(record, token_hash(cookie), about, now, unit.tx)
        unit.audit.record(Action.SESSION_STARTED, subject=("session", record.id), details={"device": client.device})

    platform.sessions.ensure_reachable()
    platform.unit(actor.tenant_id, user_id, work, address=client.address)
    platform.sessions.put(record, token_hash(cookie))
    return SignedIn(replace(actor, session_id=record.id), cookie)


def renew_session(ctx: Context, platform: Platform, key_hash: str) -> SignedIn:
    """Give the present session a new cookie and the user's present epoch.

    Raises:
        Unauthenticated: the session is gone.
    """
    actor = _identify(platform, ctx.actor.user_id, None)
    cookie = new_token()
    created_at = ctx.now.timestamp()
    record = SessionRecord(ctx.actor.session_id or "", actor.user_id, actor.tenant_id,
                           _epoch_of(actor)[0], created_at)
    if not platform.sessions.replace(record, key_hash, token_hash(cookie)):
        raise _signed_out()
    return SignedIn(replace(actor, session_id=ctx.actor.session_id), cookie)


def list_sessions(ctx: Context) -> list[Json]:
    """List my live sessions, last used first."""
    alive_since = ctx.now - timedelta(seconds=ctx.settings.session_seconds)
    rows = ctx.store.sessions.list_of(ctx.actor.user_id, alive_since=alive_since)
    return [views.session(row, ctx.actor.session_id) for row in rows]


def revoke_session(ctx: Context, session_id: str, action: Action = Action.SESSION_REVOKED) -> None:
    """End one of my sessions, accounted for as `action`: nothing of it that arrives after this returns is served.

    Raises:
        NotFound: I have no such session.
        Unavailable: recorded, but not yet sure everywhere; asking again is safe.
    """
    rows = _mark_revoked(ctx, ctx.actor.user_id, action, only=session_id) if is_id(session_id) else []
    if not rows:
        raise NotFound("You have no such session.")
    _spread(ctx, ctx.actor.user_id, rows)


def revoke_other_sessions(ctx: Context) -> None:
    """End all of my sessions but this one; as `revoke_session`."""
    revoke_all_of(ctx, ctx.actor.user_id, but=ctx.actor.session_id)


def revoke_all_of(ctx: Context, user_id: str, *, but: str | None = None) -> None:
    """End every session of a person of my organization, or all but one; as `revoke_session`."""
    rows = _mark_revoked(ctx, user_id, but=but)
    _spread(ctx, user_id, rows)


def spread_epoch(ctx: Context | Platform, user_id: str, epoch: tuple[int, int]) -> None:
    """Tell everybody that what is cached of a person is stale: this process, the other instances, and Redis.

    Raises:
        Unavailable: `redis_unavailable`; everybody finds out within 10 s all the same.
    """
    ctx.revocations.note_epoch(user_id, epoch)
    ctx.publisher.control("epoch", user_id=user_id, epoch=list(epoch))
    ctx.sessions.raise_epoch(user_id, epoch)


def _mark_revoked(ctx: Context, user_id: str, action: Action = Action.SESSION_REVOKED, *, only: str | None = None,
                  but: str | None = None) -> list[Row]:
    """Mark sessions as revoked in MongoDB, and account for those that were not before; give them all."""
    def work(unit: Unit) -> list[Row]:
        rows = unit.store.sessions.revoke(user_id, now=unit.now, only=only, but=but)
        fresh = [row for row in rows if row["revoked_at"] == unit.now]
        if fresh and only is not None:
            unit.audit.record(action, subject=("session", only), details={"device": fresh[0]["device"]})
        elif fresh:
            unit.audit.record(action, subject=("user", user_id), details={"sessions": len(fresh)})
        return rows

    return ctx.unit(work)


def _spread(ctx: Context, user_id: str, rows: list[Row]) -> None:
    for row in rows:
        ctx.revocations.note_session(row["_id"])
    if rows:
        ctx.publisher.control("revoked", user_id=user_id, session_ids=[row["_id"] for row in rows])
    ctx.sessions.drop([row["key_hash"] for row in rows])


def _read(platform: Platform, key_hash: str) -> SessionRead | None:
    try:
        read = platform.sessions.read(key_hash)
    except Unavailable:
        return platform.sessions.find_mirrored(key_hash, platform.now)
    if read is None:
        read = platform.sessions.find_mirrored(key_hash, platform.now)
        if read is not None:
            _rebuild(platform, read.record, key_hash)
    return read


def _rebuild(platform: Platform, record: SessionRecord, key_hash: str) -> None:
    if platform.revocations.holds(record.id):
        return
    try:
        platform.sessions.put(record, key_hash)
    except Unavailable:
        return  # the mirror has answered; Redis gets it back with a later request


def _identify(platform: Platform, user_id: str, epoch: tuple[int, int] | None) -> Actor:
    """Give a person as of at least `epoch`; from memory where that is what memory holds."""
    cached = platform.resources.identities.get(user_id)
    if epoch is not None and cached is not None and _epoch_of(cached)[1] >= epoch[1]:
        return cached
    actor = load_actor(platform, user_id)
    if actor is None:
        raise _signed_out()
    _remember(platform, actor)
    if epoch is None:
        _share_epoch(platform, user_id, _epoch_of(actor))
    return actor


def _remember(platform: Platform, actor: Actor) -> None:
    identities = platform.resources.identities
    if len(identities) >= _MOST_IDENTITIES:
        identities.clear()
    identities[actor.user_id] = actor


def _share_epoch(platform: Platform, user_id: str, epoch: tuple[int, int]) -> None:
    try:
        platform.sessions.raise_epoch(user_id, epoch)
    except Unavailable:
        return  # without Redis the epoch is read from MongoDB each time


def _epoch_of(actor: Actor) -> tuple[int, int]:
    session_epoch, version = actor.version.split(":")
    return int(session_epoch), int(version)


def _signed_out() -> Unauthenticated:
    return Unauthenticated("You are not signed in.")
