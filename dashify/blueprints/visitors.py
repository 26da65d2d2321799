"""What somebody may ask without having signed in: a reset link, what an invitation is for, what this interface is."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from dashify.blueprints.answers import Document, InvitationPreview
from dashify.blueprints.guards import anybody, guarded
from dashify.blueprints.openapi import document
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import InvitationToken, ResetRequest
from dashify.blueprints.visitor import the_client
from dashify.context import Platform
from dashify.services import accounts

blueprint = guarded("visitors", anybody)


@endpoint(blueprint, "POST", "/auth/password-reset", answers={202: None}, errors=(429,))
def request_reset(platform: Platform, body: ResetRequest) -> None:
    """Have a link for a new password mailed; the answer is the same whether or not there is such an account."""
    accounts.request_reset(platform, body.email, the_client())


@endpoint(blueprint, "GET", "/invitations/preview", answers={200: InvitationPreview}, errors=(404,))
def preview_invitation(platform: Platform, query: InvitationToken) -> dict[str, Any]:
    """Say who invites to what."""
    return accounts.describe_invitation(platform, query.token)


@endpoint(blueprint, "GET", "/openapi.json", answers={200: Document})
def describe_interface() -> Response:
    """Describe this interface as OpenAPI 3.1."""
    return Response(document(current_app), content_type="application/json")
