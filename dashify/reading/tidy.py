"""Text as Dashify keeps it: NFC, lines ended by a line feed, no control characters, no more than one blank line."""

from __future__ import annotations

import re
import unicodedata

from dashify.domain.knowledge import MAX_TITLE

_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
# Controls, halves of surrogate pairs, soft hyphens, what turns the direction of text around, and marks of byte order.
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u202a-\u202e\u2066-\u2069"
                     r"\ud800-\udfff\ufeff\ufffe\uffff]")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_BLANK = re.compile(r"\n{3,}")
_SPACE = re.compile(r"\s+")


def tidied(text: str) -> str:
    """Give `text` as it is kept."""
    plain = _UNSEEN.sub("", _ENDS.sub("\n", text))
    return _BLANK.sub("\n\n", _TRAILING.sub("", unicodedata.normalize("NFC", plain))).strip("\n")


def tidied_title(title: str) -> str:
    """Give `title` on one line, of 200 characters at most."""
    return _SPACE.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFC", title))).strip()[:MAX_TITLE].rstrip()
