"""Reports: files made in the background from what the person who asks can see."""

from __future__ import annotations

from typing import Any

from dashify.context import Context
from dashify.domain.audit import Action
from dashify.domain.jobs import Job
from dashify.errors import Forbidden, NotAllowedNow
from dashify.services.channels import access_channel, audit_details
from dashify.services.jobs import describe_job
from dashify.units import Unit

Json = dict[str, Any]


def request_report(ctx: Context, kind: str, channel_id: str | None, format: str) -> Json:  # noqa: A002 - the API's word
    """Ask for a report; give the job that makes it.

    Raises:
        NotAllowedNow: there is no report of this kind in this format, or no channel was named.
        Forbidden: I may not make reports.
        NotFound: the channel is not for me.
        RateLimited: too many reports this hour.
    """
    if not ctx.actor.may("report.channel"):
        raise Forbidden("You cannot make reports.")
    if kind != "channel":
        raise NotAllowedNow("Only reports of a channel can be made at present.", code="report_kind")
    if format != "csv":
        raise NotAllowedNow("Reports can only be made as CSV at present.", code="report_format")
    if channel_id is None:
        raise NotAllowedNow("Please name the channel of which you want a report.", code="report_channel")
    channel = access_channel(ctx, channel_id)
    ctx.limits.take(("report", ctx.actor.user_id, ctx.settings.limits.reports_per_hour, 3600))

    def work(unit: Unit) -> Json:
        job_id = unit.jobs.add(Job.EXPORT_CHANNEL, {"channel_id": channel_id})
        unit.audit.record(Action.REPORT_REQUESTED, subject=("job", job_id), details={
            "kind": Job.EXPORT_CHANNEL.kind, "format": format, **audit_details(channel)})
        return describe_job(unit.store.jobs.get(job_id))

    return ctx.unit(work)
