"""Sheets: the pages of one document, each written once it is full, with its title, who made it, and page numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pydyf

from dashify.paper.fonts import Fonts, Style
from dashify.paper.lines import Line, break_lines
from dashify.paper.pdf import PdfFile, reference, text_string

WIDTH, HEIGHT = 841.89, 595.28  # A4, landscape, in points
MARGIN = 36.0
BOTTOM = MARGIN + 22.0
INNER = WIDTH - 2 * MARGIN
TITLE = Style(16, bold=True)
SMALL = Style(7)
_GRAY = "0.4 g"
_LINE = 1.4  # from one line to the next, as a multiple of the size
_TOTAL_WIDTH = 30.0


@dataclass(frozen=True, slots=True)
class About:
    """What a document is: its `title`, the `organization` it is of, and who made it when."""

    title: str
    organization: str
    made_by: str
    made_at: datetime

    @property
    def made(self) -> str:
        """Say who made it and when."""
        return f"Made by {self.made_by} on {self.made_at:%Y-%m-%d at %H:%M} UTC with Dashify. All times are UTC."


class Sheets:
    """The document while it grows. `y` is where the next thing goes, in points from the bottom of the page.

    The number of the last page is drawn from one place that all pages refer to and that is written at the end, so no
    page waits for it.
    """

    def __init__(self, about: About) -> None:
        self.fonts = Fonts()
        self.y = 0.0
        self._about = about
        self._file = PdfFile()
        self._catalog, self._tree, self._resources, self._total = (self._file.reserve() for _ in range(4))
        self._pages: list[int] = []
        self._content: list[str] = []
        self._footer = _cut(self.fonts, f"{about.organization} · {about.title}", SMALL, INNER / 2)

    def begin(self) -> bytes:
        """Open the first page with the title; give the first bytes of the file."""
        self.y = HEIGHT - MARGIN
        for line in break_lines(self.fonts, self._about.title, TITLE, INNER)[:3]:
            self.write(line, TITLE)
        self.y -= 2
        for text in (self._about.organization, self._about.made):
            self.write(_cut(self.fonts, text, SMALL, INNER), SMALL, gray=True)
        self.y -= 8
        return self._file.begin()

    def turn(self) -> Iterator[bytes]:
        """Give the page, which is full, and open the next one."""
        yield from self._finish_page()
        self.y = HEIGHT - MARGIN

    def end(self) -> Iterator[bytes]:
        """Give the last page and all that the pages refer to."""
        yield from self._finish_page()
        total = self._words(self._set(f" of {len(self._pages)}", SMALL), 0, 0, SMALL, gray=True)
        numbers = {face.name: self._file.reserve() for face in self.fonts.used}
        for face in self.fonts.used:
            yield from self._file.put_face(face, numbers[face.name])
        yield self._file.put(pydyf.Stream([total], {
            "Type": "/XObject", "Subtype": "/Form", "BBox": pydyf.Array([0, -5, _TOTAL_WIDTH, 10]),
            "Resources": reference(self._resources)}), self._total)
        fonts = pydyf.Dictionary({name: reference(number) for name, number in numbers.items()})
        yield self._file.put(pydyf.Dictionary({
            "Font": fonts, "XObject": pydyf.Dictionary({"Total": reference(self._total)})}), self._resources)
        yield self._file.put(pydyf.Dictionary({
            "Type": "/Pages", "Count": len(self._pages), "Kids": pydyf.Array(map(reference, self._pages))}), self._tree)
        yield self._file.put(pydyf.Dictionary({"Type": "/Catalog", "Pages": reference(self._tree)}), self._catalog)
        info = self._file.reserve()
        yield self._file.put(pydyf.Dictionary({
            "Title": text_string(self._about.title), "Author": text_string(self._about.made_by),
            "Creator": text_string("Dashify"), "CreationDate": f"(D:{self._about.made_at:%Y%m%d%H%M%S}Z)"}), info)
        yield from self._file.end(self._catalog, info)

    def write(self, line: Line, style: Style, *, gray: bool = False) -> None:
        """Write a line at the left margin and go on below it."""
        self.y -= style.size * _LINE
        self.place(line, MARGIN, style, INNER, gray=gray)

    def place(self, line: Line, x: float, style: Style, width: float, *, y: float | None = None,
              gray: bool = False) -> None:
        """Draw a line into a column of `width` that begins at `x`, at the height `y` or here."""
        if line.from_right:
            x += width - line.width
        self._content.append(self._words(line, x, self.y if y is None else y, style, gray=gray))

    def rule(self, y: float, darkness: float) -> None:
        """Draw a thin horizontal line across the page; `darkness` runs from 0 to 1."""
        self._content.append(f"{1 - darkness:.2f} G 0.5 w {MARGIN} {y:.2f} m {WIDTH - MARGIN:.2f} {y:.2f} l S")

    def _finish_page(self) -> Iterator[bytes]:
        number = self._set(f"Page {len(self._pages) + 1}", SMALL)
        x = WIDTH - MARGIN - _TOTAL_WIDTH
        self.rule(MARGIN + 10, 0.3)
        self.place(self._footer, MARGIN, SMALL, INNER, y=MARGIN, gray=True)
        self.place(number, x - number.width, SMALL, INNER, y=MARGIN, gray=True)
        self._content.append(f"q 1 0 0 1 {x:.2f} {MARGIN:.2f} cm /Total Do Q")
        content, page = self._file.reserve(), self._file.reserve()
        yield self._file.put(pydyf.Stream(list(self._content), compress=True), content)
        yield self._file.put(pydyf.Dictionary({
            "Type": "/Page", "Parent": reference(self._tree), "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT]),
            "Resources": reference(self._resources), "Contents": reference(content)}), page)
        self._pages.append(page)
        self._content.clear()

    def _set(self, text: str, style: Style) -> Line:
        return break_lines(self.fonts, text, style, INNER)[0]

    @staticmethod
    def _words(line: Line, x: float, y: float, style: Style, *, gray: bool) -> str:
        """Give the operators that draw a line; what they show is numbers of glyphs, never text."""
        parts = [f"BT {_GRAY if gray else '0 g'} 1 0 0 1 {x:.2f} {y:.2f} Tm"]
        face = None
        for piece in line.pieces:
            if piece.face != face:
                parts.append(f"{'] TJ ' if face else ''}/{piece.face} {style.size} Tf [")
                face = piece.face
            parts.append(piece.shown)
        return " ".join([*parts, "] TJ ET" if face else "ET"])


def _cut(fonts: Fonts, text: str, style: Style, width: float) -> Line:
    """Give `text` as one line of at most `width` points, with an ellipsis where it was cut."""
    lines = break_lines(fonts, text, style, width)
    if len(lines) == 1:
        return lines[0]
    room = width - fonts.width("…", style)
    first = break_lines(fonts, text, style, room)[0]
    dots = fonts.pieces("…", style)
    return Line((*first.pieces, *dots), first.width + width - room)
