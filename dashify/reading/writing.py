"""Markdown-like text, written piece by piece: blank lines between blocks, headings and lists marked, tables as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dashify.domain.files import unreadable
from dashify.domain.knowledge import MAX_TEXT

_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_DEEPEST = 8  # levels of lists that are shown as such


def row_of(cells: Sequence[str]) -> str:
    """Give a table's row on one line, or "" where there is nothing in it."""
    plain = [_SPACE.sub(" ", cell).strip() for cell in cells]
    return f"| {' | '.join(plain)} |" if any(plain) else ""


def item_of(text: str, depth: int) -> str:
    """Give a list's item; `depth` counts from 0."""
    return f"{'  ' * min(max(depth, 0), _DEEPEST)}- {text}"


@dataclass(slots=True)
class _Sheet:
    """Text being written: the whole, or a table's cell. Breaks and marks wait for the text that follows them."""

    pieces: list[str] = field(default_factory=list)
    needed: int = 0
    mark: str = ""
    spaced: bool = True


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    is_layout: bool = False
    in_cell: bool = False


class Writer:
    """Writes what its caller walks through. Cells of tables that hold tables are blocks: such tables only place things.

    Raises:
        Unreadable: `file_too_large`.
    """

    def __init__(self) -> None:
        self._sheets = [_Sheet()]
        self._tables: list[_Table] = []
        self._lists = 0
        self._preformatted = 0
        self._length = 0

    def text(self) -> str:
        """Give what was written, tables and cells that were left open included."""
        while self._tables:
            self.leave_table()
        return "".join(self._sheets[0].pieces)

    def say(self, text: str) -> None:
        """Write text; its spaces count only where it is preformatted."""
        sheet = self._sheets[-1]
        if not self._preformatted:
            text = _SPACE.sub(" ", text)
            if sheet.spaced or sheet.needed or sheet.mark:
                text = text.lstrip(" ")
        if text:
            self._put(sheet, text)
            sheet.spaced = text[-1] in " \n"

    def part(self, lines: int) -> None:
        """Part what follows from what is written by a line's end (1) or a blank line (2)."""
        sheet = self._sheets[-1]
        if not sheet.mark:  # within an item or a heading that has not said anything yet, there is nothing to part
            sheet.needed = max(sheet.needed, lines)

    def prefix(self, mark: str) -> None:
        """Begin what follows with `mark`."""
        self._sheets[-1].mark = mark

    def enter_list(self) -> None:
        """Begin a list, or one within an item."""
        self._sheets[-1].mark = ""
        self.part(1 if self._lists else 2)
        self._lists += 1

    def leave_list(self) -> None:
        """End a list."""
        self._lists = max(0, self._lists - 1)
        self._sheets[-1].mark = ""
        self.part(1 if self._lists else 2)

    def item(self) -> None:
        """Begin an item of a list."""
        sheet = self._sheets[-1]
        sheet.needed, sheet.mark = 1 if sheet.needed < 2 or self._lists > 1 else 2, item_of("", self._lists - 1)

    def enter_preformatted(self) -> None:
        """Begin text that is kept line by line."""
        self.part(2)
        self._put(self._sheets[-1], "```\n")
        self._preformatted += 1

    def leave_preformatted(self) -> None:
        """End text that is kept line by line."""
        self._preformatted = max(0, self._preformatted - 1)
        sheet = self._sheets[-1]
        self._put(sheet, "```" if sheet.pieces and sheet.pieces[-1].endswith("\n") else "\n```")
        self.part(2)

    def enter_table(self) -> None:
        """Begin a table."""
        if self._tables:
            self._tables[-1].is_layout = True
        else:
            self.part(2)
        self._tables.append(_Table())

    def row(self) -> None:
        """Begin a row."""
        if self._tables:
            self._tables[-1].rows.append([])

    def enter_cell(self) -> None:
        """Begin a cell."""
        if self._tables and not self._tables[-1].in_cell:
            self._tables[-1].in_cell = True
            self._sheets.append(_Sheet())

    def leave_cell(self) -> None:
        """End a cell."""
        if not self._tables or not self._tables[-1].in_cell:
            return
        table, text = self._tables[-1], "".join(self._sheets.pop().pieces)
        table.in_cell = False
        if not table.rows:
            table.rows.append([])
        table.rows[-1].append(text)

    def leave_table(self) -> None:
        """End a table and write it."""
        if not self._tables:
            return
        self.leave_cell()
        table = self._tables.pop()
        if table.is_layout or max((len(row) for row in table.rows), default=0) < 2:
            parts = [cell for row in table.rows for cell in row if cell.strip()]
        else:
            parts = ["\n".join(filter(None, map(row_of, table.rows)))]
        for part in parts:
            self.part(2)
            if part:
                self._length -= len(part)  # it was counted when its cell was written
                self._put(self._sheets[-1], part)
        self.part(2)

    def _put(self, sheet: _Sheet, text: str) -> None:
        begun = ("\n" * sheet.needed if sheet.pieces else "") + sheet.mark
        sheet.needed, sheet.mark = 0, ""
        self._length += len(begun) + len(text)
        if self._length > 2 * MAX_TEXT:  # what is still to be tidied away is not counted against anybody
            raise unreadable("file_too_large")
        sheet.pieces.append(begun + text)
