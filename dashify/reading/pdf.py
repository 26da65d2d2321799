"""PDF: the text of its pages, lines joined to paragraphs where they plainly go on. By PDFium."""

from __future__ import annotations

import re
from pathlib import Path

import pypdfium2 as pdfium
from pypdfium2 import raw

from dashify.domain.files import unreadable
from dashify.domain.knowledge import MAX_TEXT

MOST_PAGES = 5_000
_HYPHEN = re.compile(r"(?<=[^\W\d_])[\u00ad\ufffe\u0002-]\n(?=[a-z\u00df-\u00ff])")
_GOES_ON = re.compile(r"(?<=[^\s.!?:;|])\n(?=[a-z\u00df-\u00ff(])")
_NUMBER = re.compile(r"^\D{0,8}\d{1,5}(?:\s?\D{1,4}\s?\d{1,5})?$")  # "12", "Page 12", "12 of 40"
_NEARLY_ALL = 0.8
_REASONS = {raw.FPDF_ERR_PASSWORD: "file_encrypted", raw.FPDF_ERR_SECURITY: "file_encrypted"}


def read(path: Path) -> tuple[str, str]:
    """Give the title that the file carries, and the text of its pages with a blank line between them.

    Raises:
        Unreadable: `file_encrypted`, `file_broken`, `file_too_large`.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise unreadable(_REASONS.get(getattr(error, "err_code", None), "file_broken")) from error
    if len(document) > MOST_PAGES:
        raise unreadable("file_too_large")
    pages, length = [], 0
    for number in range(len(document)):
        text = _page(document, number)
        length += len(text)
        if length > MAX_TEXT:
            raise unreadable("file_too_large")
        pages.append(text)
    return document.get_metadata_value("Title") or "", "\n\n".join(_without_furniture(pages))


def _page(document: pdfium.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        text = page.get_textpage().get_text_bounded()
        page.close()
    except pdfium.PdfiumError:
        return ""  # one broken page does not take the others with it
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _GOES_ON.sub(" ", _HYPHEN.sub("", text))


def _without_furniture(pages: list[str]) -> list[str]:
    """Leave out the first or last line of pages where nearly all pages have the very same one, or a mere number."""
    if len(pages) < 4:
        return pages
    lines = [page.strip("\n").split("\n") for page in pages]
    for place in (0, -1):
        seen = [_NUMBER.sub("0", one[place].strip()) for one in lines if one]
        common = max(set(seen), key=seen.count)
        if common and seen.count(common) >= _NEARLY_ALL * len(pages):
            for one in lines:
                if one and _NUMBER.sub("0", one[place].strip()) == common:
                    del one[place]
    return ["\n".join(one) for one in lines]
