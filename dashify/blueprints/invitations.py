"""Inviting people. `auth` and `visitors` have what is for those who are not here yet: accepting, and looking first."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.answers import InvitationAnswer, InvitationsAnswer
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import NewInvitation, Page
from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.services import people

blueprint = guarded("invitations", signed_in)


@endpoint(blueprint, "POST", "/invitations", answers={201: InvitationAnswer}, errors=(403, 409, 429))
def invite(ctx: Context, body: NewInvitation) -> dict[str, Any]:
    """Invite somebody by email."""
    return people.invite(ctx, body.email, Role(body.role))


@endpoint(blueprint, "GET", "/invitations", answers={200: InvitationsAnswer}, errors=(403,))
def list_invitations(ctx: Context, query: Page) -> dict[str, Any]:
    """List the invitations that can still be accepted, newest first; all of them at once, at most 200."""
    return people.list_invitations(ctx)


@endpoint(blueprint, "DELETE", "/invitations/<invitation_id>", answers={204: None}, errors=(403, 404))
def withdraw_invitation(ctx: Context, invitation_id: str) -> None:
    """Withdraw an invitation that nobody has accepted."""
    people.withdraw_invitation(ctx, invitation_id)
