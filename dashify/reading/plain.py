"""Markdown and plain text: decoded, and kept as it is."""

from __future__ import annotations

import codecs
from pathlib import Path

from dashify.domain.files import unreadable


def read(path: Path) -> tuple[str, str]:
    """Give no title, and the text."""
    return "", decoded(path.read_bytes())


def decoded(data: bytes) -> str:
    """Decode by the mark of byte order where there is one, else as UTF-8, else as what Western Windows writes.

    Raises:
        Unreadable: `file_kind`; this is no text.
    """
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
                           (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\x00" in data:
        raise unreadable("file_kind")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
