"""DOCX: headings, paragraphs, lists and tables in their order. What the archive claims is checked before it is opened.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
from docx.document import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from dashify.domain.files import unreadable
from dashify.domain.knowledge import MAX_TEXT

_MOST_ENTRIES = 5_000
_MOST_BYTES = 200 * 1024 * 1024
_MOST_PART_BYTES = 100 * 1024 * 1024
_MOST_RATIO = 200  # XML packs well, but not like a bomb
_SMALL = 1024 * 1024
_ENCRYPTED = 0x1
_HEADING = re.compile(r"heading ([1-6])$")


def read(path: Path) -> tuple[str, str]:
    """Give the document's title and its text.

    Raises:
        Unreadable: `file_broken`, `file_encrypted`, `file_too_large`.
    """
    _check_archive(path)
    try:
        document = docx.Document(str(path))
    except (PackageNotFoundError, KeyError, ValueError) as error:
        raise unreadable("file_broken") from error
    pieces, length = [], 0
    for piece in _pieces(document):
        length += len(piece)
        if length > MAX_TEXT:
            raise unreadable("file_too_large")
        pieces.append(piece)
    return document.core_properties.title or "", "\n".join(pieces)


def _check_archive(path: Path) -> None:
    """Refuse an archive that would grow out of all proportion, by what its directory says of it.

    A directory that lies is caught by zipfile itself, which reads no more of a part than it was told.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise unreadable("file_broken") from error
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise unreadable("file_encrypted")
    expanded = sum(entry.file_size for entry in entries)
    bomb = any(entry.file_size > _SMALL and entry.file_size > _MOST_RATIO * max(1, entry.compress_size)
               for entry in entries)
    if len(entries) > _MOST_ENTRIES or expanded > _MOST_BYTES or bomb or any(
            entry.file_size > _MOST_PART_BYTES for entry in entries):
        raise unreadable("file_too_large")


def _pieces(document: Document) -> Iterator[str]:
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield from _table(block)
        else:
            yield _paragraph(block)
            yield ""


def _paragraph(paragraph: Paragraph) -> str:
    text = paragraph.text.strip()
    style = (paragraph.style.name or "").lower() if paragraph.style is not None else ""
    heading = _HEADING.search(style)
    if not text:
        return ""
    if heading:
        return f"{'#' * int(heading.group(1))} {text}"
    if style == "title":
        return f"# {text}"
    numbered = paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None
    return f"- {text}" if numbered or style.startswith("list") else text


def _table(table: Table) -> Iterator[str]:
    for row in table.rows:
        seen: list[str] = []
        for cell in row.cells:
            text = " ".join(cell.text.split())
            if not seen or seen[-1] != text:  # a cell that spans columns comes once for each
                seen.append(text)
        yield f"| {' | '.join(seen)} |"
    yield ""
