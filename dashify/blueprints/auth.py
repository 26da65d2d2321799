"""Proving who one is: signing up, signing in, joining by invitation, a new password by mail."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.answers import MeAnswer
from dashify.blueprints.guards import entering, guarded
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import Acceptance, ResetConfirmation, SignIn, SignUp
from dashify.blueprints.session import the_session
from dashify.blueprints.visitor import the_client
from dashify.context import Platform
from dashify.domain.accounts import SignedIn
from dashify.services import accounts

blueprint = guarded("auth", entering)


@endpoint(blueprint, "POST", "/auth/signup", answers={201: MeAnswer}, errors=(409, 429))
def sign_up(platform: Platform, body: SignUp) -> dict[str, Any]:
    """Make an organization and its owner, and sign in."""
    return entered(accounts.sign_up(platform, body.organization, body.name, body.email, body.password, the_client(),
                                    body.time_zone))


@endpoint(blueprint, "POST", "/auth/login", answers={200: MeAnswer}, errors=(401, 429))
def sign_in(platform: Platform, body: SignIn) -> dict[str, Any]:
    """Sign in by email and password."""
    return entered(accounts.sign_in(platform, body.email, body.password, the_client()))


@endpoint(blueprint, "POST", "/auth/password-reset/confirm", answers={200: MeAnswer}, errors=(404,))
def confirm_reset(platform: Platform, body: ResetConfirmation) -> dict[str, Any]:
    """Set a new password by the link that was mailed, and sign in."""
    return entered(accounts.confirm_reset(platform, body.token, body.password, the_client()))


@endpoint(blueprint, "POST", "/invitations/accept", answers={201: MeAnswer}, errors=(404, 409))
def accept_invitation(platform: Platform, body: Acceptance) -> dict[str, Any]:
    """Join an organization by an invitation, and sign in."""
    return entered(accounts.accept_invitation(platform, body.token, body.name, body.password, the_client(),
                                              body.time_zone))


def entered(signed: SignedIn) -> dict[str, Any]:
    """Have the answer carry the new session's cookie, and say who has signed in."""
    the_session().enter(signed)
    return {"user": accounts.describe(signed.actor)}
