"""A table on paper: heads on every page, cells of many lines, rows that go over pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dashify.domain.reports import Column
from dashify.paper.fonts import Style
from dashify.paper.lines import Line, break_lines
from dashify.paper.sheets import BOTTOM, INNER, MARGIN, About, Sheets

_TEXT = Style(8)
_HEAD = Style(8, bold=True)
_LEADING = 11.0
_GAP = 8.0
_PADDING = 4.0
_WHOLE_LINES = 12  # a row of so many lines is not cut where a page of its own saves it


def print_table(about: About, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Give a PDF of `rows`, a page at a time; memory holds one page and one row, however many there are.

    The last line says how many rows there were.
    """
    sheets = Sheets(about)
    table = _Table(sheets, columns)
    yield sheets.begin()
    table.draw_head()
    count = 0
    for row in rows:
        count += 1
        yield from table.add(row)
    ending = break_lines(sheets.fonts, f"{count:,} {'row' if count == 1 else 'rows'} in all.", _HEAD, INNER)[0]
    if sheets.y - 2 * _LEADING < BOTTOM:
        yield from sheets.turn()
    sheets.y -= _PADDING
    sheets.write(ending, _HEAD)
    yield from sheets.end()


class _Table:
    """The columns, with where each begins and how wide it is."""

    def __init__(self, sheets: Sheets, columns: Sequence[Column]) -> None:
        self._sheets = sheets
        shares = sum(column.share for column in columns)
        room = INNER - _GAP * (len(columns) - 1)
        self._widths = [room * column.share / shares for column in columns]
        self._lefts = [MARGIN + sum(self._widths[:index]) + _GAP * index for index in range(len(columns))]
        self._head = self._lines([column.heading.capitalize() for column in columns], _HEAD)

    def draw_head(self) -> None:
        """Draw the columns' headings here."""
        self._draw(self._head, 0, _height(self._head), _HEAD)
        self._sheets.rule(self._sheets.y - _PADDING, 0.8)
        self._sheets.y -= _PADDING

    def add(self, row: Sequence[str]) -> Iterator[bytes]:
        """Draw a row; give the pages that it fills."""
        cells = self._lines(row, _TEXT)
        begun, height = 0, _height(cells)
        while begun < height:
            room = int((self._sheets.y - _PADDING - BOTTOM) // _LEADING)
            if room < 1 or (begun == 0 and room < height <= _WHOLE_LINES):
                yield from self._sheets.turn()
                self.draw_head()
                continue
            self._draw(cells, begun, begun + room, _TEXT)
            begun += room
        self._sheets.rule(self._sheets.y - _PADDING, 0.15)
        self._sheets.y -= _PADDING

    def _lines(self, texts: Sequence[str], style: Style) -> list[list[Line]]:
        fonts = self._sheets.fonts
        return [break_lines(fonts, text, style, width) for text, width in zip(texts, self._widths, strict=True)]

    def _draw(self, cells: list[list[Line]], begin: int, end: int, style: Style) -> None:
        """Draw lines `begin` to `end` of a row and go on below them."""
        for lines, left, width in zip(cells, self._lefts, self._widths, strict=True):
            for depth, line in enumerate(lines[begin:end], 1):
                self._sheets.place(line, left, style, width, y=self._sheets.y - depth * _LEADING)
        self._sheets.y -= _LEADING * min(end - begin, _height(cells) - begin)


def _height(cells: list[list[Line]]) -> int:
    return max(len(lines) for lines in cells)
