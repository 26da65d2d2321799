"""Reports: made row by row into the tenant's files, with memory for one batch."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dashify.context import Context, Platform
from dashify.errors import Forbidden, NotFound
from dashify.jobs.running import Run, Superseded
from dashify.services.channels import access_channel
from dashify.services.views import moment

BATCH = 500
HEADINGS = ("time", "author", "email", "text", "thread", "reactions", "edited", "deleted")
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_BOM = "\ufeff"  # without it Excel reads UTF-8 as something else
Row = Mapping[str, Any]


def export_channel(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Write a channel's messages, replies among them, as CSV; the asker must still be allowed to read them."""
    ctx = run.context()
    channel = access_channel(ctx, payload["channel_id"])
    if not ctx.actor.may("report.channel"):
        raise Forbidden("You cannot make reports.")
    # An earlier run may have died half-way through its own file.
    for attempt in range(1, run.attempt):
        ctx.files.delete(f"{run.job_id}-{attempt}")
    export = _Export(ctx, channel, run)
    name = f"{channel['name']}-{ctx.now:%Y-%m-%d}.csv"
    file_id = ctx.files.put(name, "text/csv; charset=utf-8", export.chunks(), file_id=f"{run.job_id}-{run.attempt}")
    try:
        run.finish(lambda unit: {"file_id": file_id, "name": name, "rows": export.rows})
    except Superseded:
        ctx.files.delete(file_id)
        raise


class _Export:
    """One pass over a channel's messages, up to the head that it had at the start, counting what it wrote."""

    def __init__(self, ctx: Context, channel: Row, run: Run) -> None:
        self.rows = 0
        self._ctx = ctx
        self._channel_id = channel["_id"]
        self._head = channel["head"]
        self._run = run
        self._people: dict[str, tuple[str, str]] = {}

    def chunks(self) -> Iterator[bytes]:
        """Give the file a batch at a time."""
        yield (_BOM + _lines([HEADINGS])).encode()
        place = 0
        while batch := self._ctx.store.messages.list_after(self._channel_id, place, BATCH):
            batch = [row for row in batch if row["seq"] <= self._head]
            self._learn_people(batch)
            yield _lines(self._cells(row) for row in batch).encode(errors="replace")
            self.rows += len(batch)
            if not batch:
                return
            place = batch[-1]["seq"]
            self._run.progress(place / max(1, self._head))

    def _learn_people(self, batch: Sequence[Row]) -> None:
        for user_id in {row["author_id"] for row in batch} - self._people.keys():
            try:
                person = self._ctx.store.people.get(user_id)
                self._people[user_id] = (person["name"], person["email"])
            except NotFound:
                self._people[user_id] = ("", "")

    def _cells(self, row: Row) -> list[str]:
        name, email = self._people[row["author_id"]]
        reactions = " ".join(f"{emoji} {len(users)}" for emoji, users in row["reactions"].items())
        times = (moment(row["edited_at"]) or "", moment(row["deleted_at"]) or "")
        return [moment(row["created_at"]) or "", name, email, row["text"], row["thread_id"] or "", reactions, *times]


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str) -> str:
    """Give a cell that no spreadsheet takes for a formula: one that begins like it gets an apostrophe in front."""
    return "'" + cell if _FORMULA.match(cell) else cell
