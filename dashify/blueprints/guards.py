"""Who may come in. Every blueprint has exactly one of these guards, and there is no other way to make a blueprint."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import Blueprint, current_app, g, request

from dashify import logs
from dashify.blueprints.csrf import check_token
from dashify.blueprints.rates import Rates
from dashify.blueprints.session import the_session
from dashify.blueprints.visitor import the_address
from dashify.context import Platform
from dashify.errors import Forbidden, NotFound, Unauthenticated
from dashify.services import sessions

Guard = Callable[[], None]


def anybody() -> None:
    """Let everybody in, signed in or not; a write with a session cookie still needs its token."""
    check_token()


def entering() -> None:
    """Let in who is about to prove who they are. No token: there is no session yet, and the body must be JSON."""


def signed_in() -> None:
    """Let in who has a session, and give the view its context.

    Raises:
        Forbidden: `csrf_failed`; a write without its token.
        Unauthenticated: no session, or one that does not hold any more; or a bearer token, of which there are none yet.
        RateLimited: more requests in one second than one person may make of this instance.
        Unavailable: neither Redis nor MongoDB can say.
    """
    if request.headers.get("Authorization", "").split(" ")[0].lower() == "bearer":
        raise Unauthenticated("This access token is not valid.", code="token_invalid")
    check_token()
    mine = the_session()
    if mine.sid is None:
        raise Unauthenticated("You are not signed in.")
    platform = the_platform()
    seen = sessions.authenticate(platform, mine.sid)
    mine.touched = seen.touched
    logs.add_to_scope(user_id=seen.actor.user_id, tenant_id=seen.actor.tenant_id)
    rates().take("requests", seen.actor.user_id, platform.settings.limits.requests_per_second)
    g.ctx, g.seen = platform.context(seen.actor, the_address()), seen


def superadmin() -> None:
    """Let in SuperAdmins; to everybody else there is nothing here, as at any address that nothing serves.

    Raises:
        NotFound: it is somebody else.
        Unavailable: neither Redis nor MongoDB can say.
    """
    try:
        signed_in()
    except (Unauthenticated, Forbidden):
        raise NotFound("There is no such thing here.") from None
    if not g.ctx.actor.superadmin:
        raise NotFound("There is no such thing here.")


GUARDS: frozenset[Guard] = frozenset({anybody, entering, signed_in, superadmin})


def guarded(name: str, guard: Guard, *, url_prefix: str | None = "/api/v1") -> Blueprint:
    """Make a blueprint behind `guard`; one under a prefix answers 503 until the database has our schema."""
    blueprint = Blueprint(name, __name__, url_prefix=url_prefix)
    if url_prefix is not None:
        blueprint.before_request(_on_our_schema)
    blueprint.before_request(guard)
    return blueprint


def _on_our_schema() -> None:
    """Serve nothing on a database that lacks an index which keeps doubles out, whoever sends requests here.

    Raises:
        Outdated, Unavailable: see `Standing.check`.
    """
    the_platform().resources.standing.require()


def the_platform() -> Platform:
    """Give the platform of the app that answers this request."""
    return cast(Platform, current_app.extensions["dashify.platform"])


def rates() -> Rates:
    """Give the counters of this instance."""
    return cast(Rates, current_app.extensions["dashify.rates"])
