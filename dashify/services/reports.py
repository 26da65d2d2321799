"""Reports: files made in the background from what the person who asks can see."""

from __future__ import annotations

from typing import Any

from dashify.context import Context
from dashify.domain.audit import Action
from dashify.domain.reports import ReportFormat, ReportKind
from dashify.errors import Forbidden, NotAllowedNow
from dashify.services.channels import access_channel, audit_details
from dashify.services.jobs import describe_job
from dashify.units import Unit

Json = dict[str, Any]
_WHO = {
    ReportKind.CHANNEL: "You cannot make reports.",
    ReportKind.MEMBERS: "Only owners and admins can make a report of the members.",
    ReportKind.AUDIT: "Only owners and admins can make a report of the audit log.",
}


def request_report(ctx: Context, kind: ReportKind, channel_id: str | None,
                   format: ReportFormat) -> Json:  # noqa: A002 - the API's word
    """Ask for a report; give the job that makes it. The file is for me alone.

    Raises:
        NotAllowedNow: no channel was named.
        Forbidden: I may not make reports of this kind.
        NotFound: the channel is not for me.
        RateLimited: too many reports this hour.
    """
    permit_report(ctx, kind)
    payload = {"format": format.value}
    details: Json = {"kind": kind.job.kind, "format": format.value}
    if kind is ReportKind.CHANNEL:
        if channel_id is None:
            raise NotAllowedNow("Please name the channel of which you want a report.", code="report_channel")
        channel = access_channel(ctx, channel_id)
        payload["channel_id"] = channel["_id"]
        details |= audit_details(channel)
    ctx.limits.take(("report", ctx.actor.user_id, ctx.settings.limits.reports_per_hour, 3600))

    def work(unit: Unit) -> Json:
        job_id = unit.jobs.add(kind.job, payload)
        unit.audit.record(Action.REPORT_REQUESTED, subject=("job", job_id), details=details)
        return describe_job(unit.store.jobs.get(job_id))

    return ctx.unit(work)


def permit_report(ctx: Context, kind: ReportKind) -> None:
    """Raise `Forbidden` unless I may make reports of this kind."""
    if not ctx.actor.may(kind.permission):
        raise Forbidden(_WHO[kind])
