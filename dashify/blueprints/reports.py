"""Asking for reports, which are made in the background."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.answers import JobAnswer
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import NewReport
from dashify.context import Context
from dashify.domain.reports import ReportFormat, ReportKind
from dashify.services import reports

blueprint = guarded("reports", signed_in)


@endpoint(blueprint, "POST", "/reports", answers={202: JobAnswer}, errors=(403, 404, 422))
def request_report(ctx: Context, body: NewReport) -> dict[str, Any]:
    """Ask for a report; its job tells how far it is, and where the file is in the end."""
    kind, form = ReportKind(body.kind), ReportFormat(body.format)
    return {"job": reports.request_report(ctx, kind, body.channel_id, form)}
