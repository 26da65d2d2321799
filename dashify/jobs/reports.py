"""Reports: made batch by batch into the tenant's files, and deleted when their time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dashify.context import Context, Platform
from dashify.domain.reports import KEEP_DAYS, ReportFormat, ReportKind
from dashify.jobs.report_formats import FORMATS, Rows
from dashify.jobs.report_sources import AuditRows, ChannelRows, MemberRows, Source
from dashify.jobs.running import Run, Superseded
from dashify.paper.sheets import About
from dashify.services.channels import access_channel
from dashify.services.reports import permit_report
from dashify.stores.files import ExpiredFiles

REMOVED_AT_ONCE = 100


def export_channel(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Write a channel's messages, replies among them; the asker must still be allowed to read them."""
    _make(run, ReportKind.CHANNEL, lambda ctx: ChannelRows(ctx, access_channel(ctx, payload["channel_id"])))


def export_members(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Write who belongs to the asker's organization; they must still be allowed to know all of it."""
    _make(run, ReportKind.MEMBERS, MemberRows)


def export_audit(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Write the audit log of the asker's organization; they must still be allowed to read it."""
    _make(run, ReportKind.AUDIT, AuditRows)


def remove_old_files(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Delete every tenant's files whose time is over: reports after 30 days, and what died half-made after a day."""
    expired = ExpiredFiles(platform.resources.database)
    removed = 0
    while count := expired.remove(now=platform.now, limit=REMOVED_AT_ONCE):
        removed += count
        run.check()
    run.finish(lambda unit: {"removed": removed})


def _make(run: Run, kind: ReportKind, open_source: Callable[[Context], Source]) -> None:
    """Write a report into the asker's files and end the run with it, or leave nothing."""
    ctx = run.context()
    permit_report(ctx, kind)
    source = open_source(ctx)
    # An earlier run may have died half-way through its own file.
    for attempt in range(1, run.attempt):
        ctx.files.delete(f"{run.job_id}-{attempt}")
    # The release before this one asked without a format.
    wanted = ReportFormat(run.payload.get("format", ReportFormat.CSV))
    counted = _Counted(source, run)
    about = About(source.title, ctx.actor.organization, f"{ctx.actor.name} <{ctx.actor.email}>", ctx.now)
    name = f"{source.name}-{about.made_at:%Y-%m-%d}.{wanted.value}"
    form = FORMATS[wanted]
    file_id = ctx.files.put(name, form.content_type, form.write(about, source.columns, counted.batches()),
                            file_id=f"{run.job_id}-{run.attempt}", keep_days=KEEP_DAYS)
    try:
        run.finish(lambda unit: {"file_id": file_id, "name": name, "rows": counted.rows})
    except Superseded:
        ctx.files.delete(file_id)
        raise


class _Counted:
    """A source's rows as they are written: counted, and telling how far the run is, which ends it when it is over."""

    def __init__(self, source: Source, run: Run) -> None:
        self.rows = 0
        self._source = source
        self._run = run

    def batches(self) -> Iterator[Rows]:
        """Give the rows, each batch once the one before is written."""
        for rows, done in self._source.batches():
            yield rows
            self.rows += len(rows)
            self._run.progress(done)
