"""Printed lines made text again: paragraphs joined, larger lines told to be headings, running titles left out.

PDF knows neither paragraphs nor headings; both are guessed from where lines stand and how large they are, and a guess
never leaves anything out but what stands on most pages at the very same place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_LARGER = 1.15  # times the size of the text: a heading's
_LONGEST_HEADING = 160
_MOST_HEADINGS = 0.25  # of all characters: where more is large, size means nothing
_LEVELS = 6
_SAME = 0.95  # of the size next larger: the same level
_PARTED = 1.35  # times the usual distance of lines: a new paragraph's
_FULL = 0.85  # of the width of its column: a line that was broken as it was full
_SHORTEST_FULL = 20
_INDENT = 3.0  # sizes by which lines of one column begin apart
_MOST_PAGES, _FEWEST = 0.6, 4
_NUMBER = re.compile(r"^\D{0,8}\d{1,5}(?:\s?\D{1,4}\s?\d{1,5})?$")  # "12", "Page 12", "12 of 40"
_BULLET = re.compile(r"^[•◦▪‣·●○■\u2013][ \t]+|^[\uf0b7\uf0a7\u25aa]\s*")
_NEW_ITEM = re.compile(r"^(?:- |\(?\d{1,3}[.)] |\(?[a-z][.)] |\[\d{1,3}\] )")
_LEADERS = re.compile(r"(?:\. ?){4,}\s*\w{1,5}$")  # an entry of a table of contents, and its page
_BROKEN_WORD = re.compile(r"[^\W\d_]-$")
_ENDED = (*".:!?;|", "\u3002", "\uff01", "\uff1f")
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line: its text, and where it stands in points, from the left and from the bottom of its page."""

    text: str
    left: float
    right: float
    bottom: float
    size: float


def text_of(pages: Sequence[Sequence[Line]]) -> str:
    """Give the text of pages, with a blank line between them."""
    kept = _without_running_titles(pages)
    levels = _levels([line for page in kept for line in page])
    return "\n\n".join(_written(page, levels) for page in kept if page)


def _levels(lines: Sequence[Line]) -> dict[float, int]:
    """Tell which sizes are those of headings, the largest being of level 1."""
    weights: Counter[float] = Counter()
    for line in lines:
        weights[line.size] += len(line.text)
    if not weights:
        return {}
    usual = weights.most_common(1)[0][0]
    larger = sorted((size for size in weights if size >= usual * _LARGER), reverse=True)
    if sum(weights[size] for size in larger) > _MOST_HEADINGS * weights.total():
        return {}
    levels: dict[float, int] = {}
    for before, size in pairwise([float("inf"), *larger]):
        level = levels.get(before, 0) + (size < before * _SAME)
        levels[size] = min(level, _LEVELS)
    return levels


def _written(page: Sequence[Line], levels: dict[float, int]) -> str:
    usual, widest = _usual_distance(page), _right_edges(page)
    pieces = [_begun(page[0], levels)]
    for before, line in pairwise(page):
        level, same = _level(line, levels), line.size == before.size
        distance = before.bottom - line.bottom
        if level or _level(before, levels):
            goes_on = same and 0 < distance < 2 * line.size and _level(before, levels) == level
            pieces += [" ", line.text] if goes_on else ["\n\n", _begun(line, levels)]
        elif distance > usual * _PARTED:
            pieces += ["\n\n", _begun(line, levels)]
        elif _BULLET.match(line.text) or _NEW_ITEM.match(line.text):
            pieces += ["\n", _begun(line, levels)]
        elif _BROKEN_WORD.search(before.text) and line.text[0].islower():
            pieces += [pieces.pop()[:-1], line.text]
        else:
            pieces += [_joint(before, line, widest), line.text]
    return "".join(pieces)


def _begun(line: Line, levels: dict[float, int]) -> str:
    level = _level(line, levels)
    return "#" * level + " " + line.text if level else _BULLET.sub("- ", line.text)


def _level(line: Line, levels: dict[float, int]) -> int:
    sayable = sum(character.isalpha() for character in line.text) > 1 and len(line.text) <= _LONGEST_HEADING
    sayable = sayable and not _LEADERS.search(line.text)
    return levels.get(line.size, 0) if sayable else 0


def _joint(before: Line, line: Line, widest: dict[int, float]) -> str:
    edge = max(widest.get(column, 0.0) for column in _columns(before))
    full = len(before.text) >= _SHORTEST_FULL and before.right - before.left >= _FULL * (edge - before.left)
    goes_on = line.text[0].islower() and not before.text.endswith(_ENDED)
    is_next_column = line.bottom > before.bottom + before.size
    if (not goes_on and (not full or is_next_column)) or _LEADERS.search(before.text):
        return "\n"
    return "" if _CJK.match(before.text[-1]) and _CJK.match(line.text) else " "


def _usual_distance(page: Sequence[Line]) -> float:
    apart = [before.bottom - line.bottom for before, line in pairwise(page)
             if 0 < before.bottom - line.bottom < 3 * line.size]
    return median(apart) if apart else float("inf")


def _columns(line: Line) -> tuple[int, int]:
    column = int(line.left / (_INDENT * max(line.size, 1.0)))
    return column, column + 1


def _right_edges(page: Sequence[Line]) -> dict[int, float]:
    """Tell how far to the right lines go that begin at about the same place."""
    edges: dict[int, float] = {}
    for line in page:
        for column in _columns(line):
            edges[column] = max(edges.get(column, 0.0), line.right)
    return edges


def _without_running_titles(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Leave out page numbers, and all but the first of lines that most pages begin or end with."""
    kept = [list(page) for page in pages]
    if len(kept) < _FEWEST:
        return kept
    for place in (0, -1, 0, -1):
        seen = Counter(_running(page[place]) for page in kept if page)
        common, times = seen.most_common(1)[0] if seen else (("", 0), 0)
        if times < max(_FEWEST - 1, _MOST_PAGES * len(kept)):
            continue
        spared = common[0] == "#"
        for page in kept:
            if page and _running(page[place]) == common:
                if spared:
                    del page[place]
                spared = True
    return kept


def _running(line: Line) -> tuple[str, int]:
    return ("#" if _NUMBER.match(line.text) else line.text, round(line.bottom))
