"""Markdown and plain text: decoded, and kept as it is."""

from __future__ import annotations

import codecs
import re

from dashify.domain.files import unmarked_utf16, unreadable

# What is declared as one of these has been its larger variant all along.
_LARGER = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
           "shift_jis": "cp932", "euc_kr": "cp949"}
_NAMES = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "ascii", "mac-roman", "cp866", "cp874", "cp932",
          "cp949", "koi8-r", "koi8-u", "gb18030", "gb2312", "gbk", "big5", "big5hkscs", "euc_jp", "iso2022_jp",
          "shift_jis", "euc_kr", "tis-620", *(f"cp{number}" for number in range(1250, 1259)),
          *(f"iso8859-{number}" for number in range(1, 17) if number != 12))
# Looked up now, as nothing can be opened while a file is read; others are not for texts, or expand them.
_CODECS = {codecs.lookup(name).name: codecs.lookup(_LARGER.get(name, name)) for name in _NAMES}
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE = 4096
_NO_TEXT = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_CONTROLS = 0.02


def read(data: bytes) -> tuple[str, str]:
    """Give no title, and the text."""
    return "", decoded(data)


def decoded(data: bytes, declared: str = "") -> str:
    """Decode by the mark of byte order if there is one, as what is declared, as UTF-8, or as Western Windows writes.

    Raises:
        Unreadable: `file_kind`; this is no text.
    """
    text = _decoded(data, declared)
    sample = text[:_SAMPLE]
    if len(_NO_TEXT.findall(sample)) > _MOST_CONTROLS * len(sample):
        raise unreadable("file_kind")
    return text


def _decoded(data: bytes, declared: str) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    unmarked = unmarked_utf16(data[:_SAMPLE])
    if unmarked:
        return data.decode(unmarked, "replace")
    if b"\x00" in data:
        raise unreadable("file_kind")
    codec = _codec(declared)
    if codec is not None:
        return codec.decode(data, "replace")[0]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _codec(declared: str) -> codecs.CodecInfo | None:
    try:
        codec = _CODECS.get(codecs.lookup(declared).name) if declared else None
    except (LookupError, OSError, ValueError):
        return None
    # A page cannot say in UTF-16 that it is in ASCII, nor the other way round.
    return None if codec is None or codec.name.startswith("utf-16") else codec
