"""Me: my profile, my password, my sessions, and signing out."""

from __future__ import annotations

from typing import Any

from flask import g

from dashify.blueprints.answers import MeAnswer, SessionsAnswer
from dashify.blueprints.auth import entered
from dashify.blueprints.guards import guarded, signed_in, the_platform
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import Page, PasswordChange, Profile
from dashify.blueprints.session import the_session
from dashify.context import Context
from dashify.services import accounts, sessions

blueprint = guarded("me", signed_in)


@endpoint(blueprint, "GET", "/me", answers={200: MeAnswer})
def show_me(ctx: Context) -> dict[str, Any]:
    """Say who I am."""
    return {"user": accounts.describe_me(ctx)}


@endpoint(blueprint, "PATCH", "/me", answers={200: MeAnswer})
def change_profile(ctx: Context, body: Profile) -> dict[str, Any]:
    """Change my name, my time zone, or whether I get a daily mail."""
    return {"user": accounts.change_profile(ctx, name=body.name, time_zone=body.time_zone, digest=body.digest)}


@endpoint(blueprint, "POST", "/me/password", answers={200: MeAnswer}, errors=(429,))
def change_password(ctx: Context, body: PasswordChange) -> dict[str, Any]:
    """Change my password; every other session of mine ends, and this one goes on with a new cookie."""
    return entered(accounts.change_password(ctx, body.current, body.password, g.seen.key_hash, the_platform()))


@endpoint(blueprint, "POST", "/auth/logout", answers={204: None})
def sign_out(ctx: Context) -> None:
    """End this session."""
    accounts.sign_out(ctx)
    the_session().leave()


@endpoint(blueprint, "GET", "/me/sessions", answers={200: SessionsAnswer})
def list_sessions(ctx: Context, query: Page) -> dict[str, Any]:
    """List my live sessions, last used first; all of them at once, at most 200."""
    return {"sessions": sessions.list_sessions(ctx), "next": None}


@endpoint(blueprint, "DELETE", "/me/sessions/<session_id>", answers={204: None}, errors=(404,))
def revoke_session(ctx: Context, session_id: str) -> None:
    """End one of my sessions: nothing of it that arrives after the answer is served."""
    sessions.revoke_session(ctx, session_id)


@endpoint(blueprint, "DELETE", "/me/sessions", answers={204: None})
def revoke_other_sessions(ctx: Context) -> None:
    """End all of my sessions but this one."""
    sessions.revoke_other_sessions(ctx)
