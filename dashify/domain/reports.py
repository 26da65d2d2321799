"""Reports as values: their kinds and formats, their columns, and how a cell is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from dashify.domain.jobs import Job

KEEP_DAYS = 30
"""How long the file of a report can be fetched: as long as the row of the job that made it lives."""

# What spreadsheets take for the beginning of a formula, in the forms of East Asian keyboards too.
_FORMULA = re.compile("^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
Cell = str | int | bool | datetime | None


class ReportKind(StrEnum):
    """What a report is about."""

    CHANNEL = "channel"
    MEMBERS = "members"
    AUDIT = "audit"

    @property
    def permission(self) -> str:
        """The permission that making such a report takes."""
        return f"report.{self.value}"

    @property
    def job(self) -> Job:
        """The job that makes such a report."""
        return Job[f"EXPORT_{self.name}"]


class ReportFormat(StrEnum):
    """What kind of file a report is."""

    CSV = "csv"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its `heading`, and its `share` of the width of a page; one without a share is not printed."""

    heading: str
    share: float = 0.0


def stored_text(cell: Cell) -> str:
    """Write a cell for a program: times as `2026-01-02T03:04:05.678Z`."""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _plain(cell)


def printed_text(cell: Cell) -> str:
    """Write a cell for a person: times as `2026-01-02 03:04:05`, in UTC."""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return _plain(cell)


def harmless(cell: str) -> str:
    """Give a cell that no spreadsheet takes for a formula: one that begins like it gets an apostrophe in front."""
    return "'" + cell if _FORMULA.match(cell) else cell


def _plain(cell: str | int | bool | None) -> str:
    if cell is None:
        return ""
    return ("yes" if cell else "no") if isinstance(cell, bool) else str(cell)
