"""PDF: the text of its pages, by PDFium. What becomes of their lines is decided in `pages.py`."""

from __future__ import annotations

import codecs
import math
import re

import pypdfium2 as pdfium
from pypdfium2 import raw

from dashify.domain.files import unreadable
from dashify.domain.knowledge import MAX_TEXT
from dashify.reading.pages import Line, text_of

MOST_PAGES = 5_000
_REASONS = {raw.FPDF_ERR_PASSWORD: "file_encrypted", raw.FPDF_ERR_SECURITY: "file_encrypted"}
_UTF_16 = codecs.lookup("utf-16-le")  # now, as nothing can be imported while a file is read
_SOFT_HYPHEN = "\x02"  # what PDFium makes of a hyphen where a line breaks a word
_WORD_GOES_ON = re.compile(r"\x02(?=[^\W\d_A-Z])")
_NO_TITLE = re.compile(r"untitled.*|microsoft (word|powerpoint|excel) - |\S+\.(docx?|pdf|tex|dvi|indd|odt|pptx?)$",
                       re.IGNORECASE)


def read(data: bytes) -> tuple[str, str]:
    """Give the title that the file carries, and its text.

    Raises:
        Unreadable: `file_encrypted`, `file_broken`, `file_too_large`.
    """
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise unreadable(_REASONS.get(getattr(error, "err_code", None), "file_broken")) from error
    if len(document) > MOST_PAGES:
        raise unreadable("file_too_large")
    pages: list[list[Line]] = []
    length = 0
    for number in range(len(document)):
        pages.append(_page(document, number))
        length += sum(len(line.text) for line in pages[-1])
        if length > MAX_TEXT:
            raise unreadable("file_too_large")
    title = document.get_metadata_value("Title") or ""
    return "" if _NO_TITLE.match(title.strip()) else title, text_of(pages)


def _page(document: pdfium.PdfDocument, number: int) -> list[Line]:
    try:
        page = document[number]
        found = page.get_textpage()
        count = found.count_chars()
        if count > MAX_TEXT:
            raise unreadable("file_too_large")
        lines = _lines(found, count)
        found.close()
        page.close()
    except pdfium.PdfiumError:
        return []  # one broken page does not take the others with it
    return lines


def _lines(page: pdfium.PdfTextPage, count: int) -> list[Line]:
    lines: list[Line] = []
    indices: list[int] = []
    characters: list[str] = []
    for index in range(count + 1):
        code = raw.FPDFText_GetUnicode(page, index) if index < count else ord("\n")
        if code in (0x0A, 0x0D):
            line = _line(page, indices, characters)
            if line is not None:
                lines.append(line)
            indices, characters = [], []
        elif 0 < code <= 0x10FFFF:
            indices.append(index)
            characters.append(chr(code))
    return lines


def _line(page: pdfium.PdfTextPage, indices: list[int], characters: list[str]) -> Line | None:
    """Make a line of its characters; None where it is blank."""
    said = [index for index, character in zip(indices, characters, strict=True) if not character.isspace()]
    if not said:
        return None
    halves = _UTF_16.encode("".join(characters), "surrogatepass")[0]
    text = _UTF_16.decode(halves, "replace")[0].strip()
    text = _WORD_GOES_ON.sub("", text).replace(_SOFT_HYPHEN, "-")
    first, last = raw.FS_RECTF(), raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(page, said[0], first)
    raw.FPDFText_GetLooseCharBox(page, said[-1], last)
    return Line(text, min(first.left, last.left), max(first.right, last.right), first.bottom, _size(page, said[0]))


def _size(page: pdfium.PdfTextPage, index: int) -> float:
    """Give a character's size on paper in points: its font's, as the page scales it."""
    scale = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(page, index, scale)
    size: float = raw.FPDFText_GetFontSize(page, index) * math.hypot(scale.c, scale.d)
    return round(size * 2) / 2
