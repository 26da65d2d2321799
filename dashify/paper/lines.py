"""Lines: text made fit for paper, broken to a width, and put into the order in which it is read from left to right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bidi import get_base_level, get_display
from bidi.mirror import MIRRORED

from dashify.paper.fonts import MISSING, Fonts, Piece, Style

_NEWLINE = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_UNSHOWABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# They could make a cell read as something that nobody wrote.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_IDEOGRAPHS = "\u2e80-\u2fff\u3040-\u9fff\uf900-\ufaff\uff01-\uffef\U00020000-\U0003ffff"
_CLOSING = "\u3001\u3002\u3009\u300b\u300d\u300f\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f"
# Spaces; one ideograph with what must not begin a line; a word.
_TOKENS = re.compile(f" +|[{_IDEOGRAPHS}][{_CLOSING}\ufe00-\ufe0f\U000e0100-\U000e01ef]*|[^ {_IDEOGRAPHS}]+")
_MOST_MARKS = 8
_JOINER = "\u2060"
_MARKS = {"L": "\u200e", "R": "\u200f"}
_INVISIBLE = re.compile(f"[{_JOINER}{''.join(_MARKS.values())}]")
_MIRRORED = re.compile("[" + re.escape("".join(MIRRORED)) + "]")
_TURNED = re.compile(f"{_JOINER}({_MIRRORED.pattern})")


@dataclass(frozen=True, slots=True)
class Line:
    """One line on paper: its pieces from left to right, its width in points, and whether it begins at the right."""

    pieces: tuple[Piece, ...]
    width: float
    from_right: bool = False


def prepare(text: str) -> str:
    """Give `text` with line ends as newlines and without what a page cannot show or what could play with its order."""
    text = _NEWLINE.sub("\n", text.strip("\r\n"))
    text = _DIRECTIONS.sub("", _UNSHOWABLE.sub(MISSING, text.replace("\t", "    ")))
    text = _BLANK_LINES.sub("\n\n", text)
    return text if text.isascii() else _with_few_marks(text)


def break_lines(fonts: Fonts, text: str, style: Style, width: float) -> list[Line]:
    """Break `text` into lines of at most `width` points: at spaces, at ideographs, and inside words that are longer."""
    return [_set_line(fonts, tokens, style, from_right=from_right)
            for paragraph in prepare(text).split("\n")
            for from_right in (_begins_at_right(paragraph),)
            for tokens in _fill(fonts, paragraph, style, width)]


def _fill(fonts: Fonts, paragraph: str, style: Style, width: float) -> Iterator[list[str]]:
    """Give the tokens of one line after the other."""
    line: list[str] = []
    used = 0.0
    for token in _TOKENS.findall(paragraph):
        for part, part_width in _parts(fonts, token, style, width):
            if line and used + part_width > width:
                yield line
                line, used = [], 0.0
                if part.startswith(" "):
                    continue
            line.append(part)
            used += part_width
    yield line


def _parts(fonts: Fonts, token: str, style: Style, width: float) -> Iterator[tuple[str, float]]:
    """Give a token with its width, or the parts of one that is too long for any line."""
    if len(token) < 200 and (whole := fonts.width(token, style)) <= width:
        yield token, whole
        return
    part, used = "", 0.0
    for cluster, cluster_width in _narrow_clusters(fonts, token, style, width):
        if part and used + cluster_width > width:
            yield part, used
            part, used = "", 0.0
        part += cluster
        used += cluster_width
    yield part, used


def _narrow_clusters(fonts: Fonts, token: str, style: Style, width: float) -> Iterator[tuple[str, float]]:
    """Give what of a token must stay together; what joiners have made wider than a line is taken apart all the same."""
    for cluster, cluster_width in fonts.clusters(token, style):
        if cluster_width <= width:
            yield cluster, cluster_width
        else:
            yield from ((char, fonts.width(char, style)) for char in cluster)


def _set_line(fonts: Fonts, tokens: Sequence[str], style: Style, *, from_right: bool) -> Line:
    while tokens and tokens[-1].startswith(" "):
        tokens = tokens[:-1]
    parts: Sequence[str] = tokens
    text = "".join(tokens)
    if _RIGHT_TO_LEFT.search(text):
        shown = as_seen(text, "R" if from_right else "L")
        # HarfBuzz wants a word that runs to the left in the order in which it is spoken.
        parts = ["".join(reversed(run)) if leftward else "".join(run)
                 for leftward, run in ((key, list(run)) for key, run in groupby(shown, _runs_leftward))]
    pieces = tuple(piece for part in parts for piece in fonts.pieces(part, style))
    return Line(pieces, sum(piece.width for piece in pieces) * style.size / 1000, from_right)


def as_seen(text: str, base: str) -> str:
    """Give a line from left to right as it is seen (Unicode's UAX 9), brackets turned where they run to the left.

    The library orders but does not turn. A joiner behind each bracket, which has no direction of its own, comes out in
    front of those that run to the left; the mark at the end keeps the last joiner from being reset to the line's own
    direction.
    """
    marked = _MIRRORED.sub(lambda found: found[0] + _JOINER, text) + _MARKS[base]
    ordered = str(get_display(marked, base_dir=base))
    return _INVISIBLE.sub("", _TURNED.sub(lambda found: MIRRORED[found[1]], ordered))


def _runs_leftward(char: str) -> bool:
    direction = unicodedata.bidirectional(char)
    return direction in ("R", "AL") or (direction == "NSM" and _RIGHT_TO_LEFT.match(char) is not None)


def _begins_at_right(paragraph: str) -> bool:
    return _RIGHT_TO_LEFT.search(paragraph) is not None and get_base_level(paragraph) == 1


def _with_few_marks(text: str) -> str:
    """Drop what exceeds 8 marks on one letter: a tower of them would cover the rows above."""
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
