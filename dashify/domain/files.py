"""Files that become documents: which kinds there are, told by name and first bytes, and why one cannot be read."""

from __future__ import annotations

import codecs
from enum import StrEnum

from dashify.errors import NotAllowedNow

_PDF, _ZIP, _OLE = b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FEWEST = 4  # characters, below which zeros say nothing
_MOSTLY = 0.4  # of the characters of any European text are ASCII
_PDF_WITHIN = 1024  # bytes before the mark that readers pass over


class Unreadable(NotAllowedNow):
    """A file that does not become a document; its code begins with `file_`, its message is for whoever sent it."""


WHY = {
    "file_broken": "This file is damaged, so it cannot be read.",
    "file_encrypted": "This file is protected by a password. Please upload it without one.",
    "file_too_large": "This file holds too much to be read as one document.",
    "file_too_complex": "Reading this file takes too much time or memory.",
    "file_empty": "There is no text in this file. If its pages are pictures, such as scans, it has none to read.",
    "file_kind": "Only Markdown, text, HTML, PDF and DOCX files can be documents.",
}
_NOT_WHAT_IT_SAYS = "What is in this file is not what its name says."


class FileKind(StrEnum):
    """What a document can be uploaded as."""

    MARKDOWN = "markdown"
    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"

    @property
    def content_type(self) -> str:
        """What the file is served as."""
        return _CONTENT_TYPES[self]


_CONTENT_TYPES = {
    FileKind.MARKDOWN: "text/markdown", FileKind.TEXT: "text/plain", FileKind.HTML: "text/html",
    FileKind.PDF: "application/pdf",
    FileKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_EXTENSIONS = {
    "md": FileKind.MARKDOWN, "markdown": FileKind.MARKDOWN, "txt": FileKind.TEXT, "text": FileKind.TEXT,
    "log": FileKind.TEXT, "html": FileKind.HTML, "htm": FileKind.HTML, "pdf": FileKind.PDF, "docx": FileKind.DOCX,
    "docm": FileKind.DOCX,
}


def kind_of(name: str, head: bytes) -> FileKind:
    """Tell what a file is by its name, where its first bytes (some thousand, if there are as many) agree with that.

    Raises:
        Unreadable: `file_kind`, `file_empty`, `file_encrypted` (an Office file within an older one's shell).
    """
    kind = _EXTENSIONS.get(name.rpartition(".")[2].lower()) if "." in name else None
    if kind is None:
        raise unreadable("file_kind")
    if not head:
        raise Unreadable("This file is empty.", code="file_empty")
    if kind is FileKind.DOCX and head.startswith(_OLE):
        raise unreadable("file_encrypted")
    agrees = {FileKind.PDF: _PDF in head[:_PDF_WITHIN], FileKind.DOCX: head.startswith(_ZIP)}.get(kind, _is_text(head))
    if not agrees:
        raise Unreadable(_NOT_WHAT_IT_SAYS, code="file_kind")
    return kind


def unreadable(code: str) -> Unreadable:
    """Make the failure that a code of `WHY` stands for."""
    return Unreadable(WHY[code], code=code)


def unmarked_utf16(head: bytes) -> str:
    """Name the variant of UTF-16 that text without a mark is in, told by where its zeros are; "" if it is not."""
    pairs = len(head) // 2
    first, second = head[0:pairs * 2:2].count(0), head[1:pairs * 2:2].count(0)
    if pairs >= _FEWEST and max(first, second) > _MOSTLY * pairs and min(first, second) == 0:
        return "utf-16-le" if second else "utf-16-be"
    return ""


def _is_text(head: bytes) -> bool:
    if head.startswith(_BOMS):
        return True
    return not head.startswith((_PDF, _ZIP, _OLE)) and (b"\x00" not in head or bool(unmarked_utf16(head)))
