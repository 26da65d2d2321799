"""Texts of strangers made harmless: for a prompt, where they are data, and for an answer, which is text and no more."""

from __future__ import annotations

import re
import unicodedata

LINK = "(link)"
_KEPT = "\n\t\u200c\u200d\ufe0f"  # line ends; what joins letters of some scripts and signs of emoji
_SELECTORS = re.compile("[\ufe00-\ufe0e\U000e0100-\U000e01ef]")
# What chat models take for the beginning or end of somebody's turn, whoever wrote it.
_TURN = re.compile(
    r"<(?=\|)|(?<=\|)>"
    r"|<(?=/?\s{0,3}(?:s|bos|eos|unk|pad|think|tool_\w{1,20}|start_of_turn|end_of_turn)\s?>)"
    r"|<(?=<\s{0,3}/?\s{0,3}SYS)|\[(?=/?\s{0,3}(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS)\s?\])", re.IGNORECASE)
_BROKEN = {"<": "\u2039", ">": "\u203a", "[": "("}
_IMAGE_OR_LINK = re.compile(
    r"!?\[(?P<label>[^\[\]\n]{0,300})\]\([^()\n]{0,2000}(?:\([^()\n]{0,500}\)[^()\n]{0,500})?\)")
_TAG = re.compile(r"</?[A-Za-z!][^<>\n]{0,2000}>")
_ADDRESS = re.compile(
    r"<?\b(?:[a-z][a-z0-9+.-]{1,20}://|(?:mailto|javascript|data|tel|vbscript|file):|www\d{0,2}\.)[^\s<>\"'\]]{1,2000}>?"
    r"|\b(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?::\d{1,5})?[/?][^\s<>\"'\]]{1,2000}", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*\*|__(?=\S)|(?<=\S)__")


def visible(text: str) -> str:
    """Leave out what nobody sees and a model reads: control and format signs, private ones, and odd variants."""
    plain = _SELECTORS.sub("", text)
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(one for one in plain if one in _KEPT or unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cn"))


def harmless(text: str) -> str:
    """Make a text safe to be put before a model as data: what is hidden is gone, and no turn begins or ends in it."""
    return _TURN.sub(lambda found: _BROKEN[found.group()], visible(text))


def addresses(text: str) -> list[str]:
    """Give the addresses in a text, as they stand there."""
    return [found.strip("<>()[].,;:!") for found in _ADDRESS.findall(visible(text))]


def plain(text: str) -> str:
    """Make a text safe to be told: no markup, and no address that somebody could be led to or that carries data."""
    shown = _IMAGE_OR_LINK.sub(lambda found: found["label"] or LINK, visible(text))
    # Twice, since what stood around a mark may be one without it.
    for pattern, instead in ((_ADDRESS, LINK), (_TAG, ""), (_TAG, ""), (_ADDRESS, LINK), (_EMPHASIS, "")):
        shown = pattern.sub(instead, shown)
    return shown
