"""The audit log, for owners and admins."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.audit_answers import AuditAnswer, AuditCheckAnswer
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import AuditPage
from dashify.context import Context
from dashify.services import audit

blueprint = guarded("audit", signed_in)


@endpoint(blueprint, "GET", "/audit", answers={200: AuditAnswer}, errors=(403,))
def list_entries(ctx: Context, query: AuditPage) -> dict[str, Any]:
    """List what was done in my organization, newest first."""
    return audit.list_entries(ctx, query.cursor, query.limit, query.action, query.actor_id)


@endpoint(blueprint, "GET", "/audit/check", answers={200: AuditCheckAnswer}, errors=(403,))
def check_log(ctx: Context) -> dict[str, Any]:
    """Check that no entry was changed, removed or put in since it was sealed."""
    return audit.check_log(ctx)
