"""How the rows of a report become a file, a batch at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from dashify.domain.reports import Cell, Column, ReportFormat, harmless, printed_text, stored_text
from dashify.paper.sheets import About
from dashify.paper.table import print_table

Rows = list[list[Cell]]
Writer = Callable[[About, Sequence[Column], Iterable[Rows]], Iterator[bytes]]
_BOM = "\ufeff"  # without it Excel reads UTF-8 as something else


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: its content type, and what writes it out of a report's description, columns and batches."""

    content_type: str
    write: Writer


def write_csv(about: About, columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    """Give every column as CSV with a heading (RFC 4180), each cell harmless in a spreadsheet."""
    yield (_BOM + _lines([[column.heading for column in columns]])).encode()
    for batch in batches:
        yield _lines([[harmless(stored_text(cell)) for cell in row] for row in batch]).encode(errors="replace")


def write_pdf(about: About, columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    """Give the columns that are printed as a PDF."""
    printed = [index for index, column in enumerate(columns) if column.share]
    rows = ([printed_text(row[index]) for index in printed] for batch in batches for row in batch)
    yield from print_table(about, [columns[index] for index in printed], rows)


FORMATS: dict[ReportFormat, Format] = {
    ReportFormat.CSV: Format("text/csv; charset=utf-8", write_csv),
    ReportFormat.PDF: Format("application/pdf", write_pdf),
}


def _lines(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
