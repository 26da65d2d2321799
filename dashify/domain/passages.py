"""Texts cut into passages to find them by, and into sentences to quote them by. Offsets count Unicode code points.

A passage stays under one heading, ends where a sentence does wherever that can be, and is about 150 words long: what a
small embedding model reads at once, and a person at a glance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_USUAL_TOKENS = 170  # a passage is closed once it has as many
_MOST_TOKENS = 230  # models read 256, and the titles above the passage are among them
_ENOUGH = 0.6  # of the usual length, so that a new paragraph begins a new passage
_HEADING = re.compile(r"(#{1,6})[ \t]+(.{1,300}?)[ \t#]*$")
_FENCE = re.compile(r"[ \t]{0,3}(```|~~~)")
_LIST_OR_ROW = r"[ \t]{0,40}(?:[-*+\u2022][ \t]|\d{1,3}[.)][ \t]|\||#{1,6}[ \t])"
# Each alternative begins where nothing before it can belong to it, so that no text makes it look twice at a place.
_BOUNDARY = re.compile(
    r"(?P<stop>(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019)\]\u00bb]*+)(?P<gap>\s++)"
    r"|[\u3002\uff01\uff1f\uff61]++[\u201d\u2019\uff09\u300d\u300f]*+\s*+"
    r"|\n[ \t]*+\n\s*+"
    rf"|\n(?={_LIST_OR_ROW})")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:[^\W\d_]|[^\W\d_]\.[^\W\d_]|e\.g|i\.e|etc|vs|cf|al|fig|no|nr|vol|pp|ed|eds|dr|mr|mrs|ms|prof|st|jr|"
    r"sr|inc|ltd|co|bzw|usw|ca|ggf|evtl|vgl|abs|art|bd|hrsg|str|tel|max|min|approx)$", re.IGNORECASE)
_LOOK_BACK = 12
_WORD = re.compile(r"\S+\s*")
# What a model reads a token for each of: Chinese, Japanese and Korean signs.
_DENSE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff]")
_PLAIN = re.compile(r"[\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Cut:
    """One passage: `[start:end]` of the text, the path of headings above it ("Setup > Linux"), its number from 0."""

    start: int
    end: int
    heading: str
    ordinal: int


def cut(text: str) -> list[Cut]:
    """Cut a text into passages, in order and without overlap; blank lines and headings are left out.

    A heading with nothing below it is a passage by itself, so that it can be found.
    """
    cuts: list[Cut] = []
    for start, end, heading in _sections(text):
        for first, last in _grouped(text, start, end):
            cuts.append(Cut(first, last, heading, len(cuts)))
    return cuts


def sentences(text: str) -> list[tuple[int, int]]:
    """Give the ranges of a text's sentences, items of lists and rows of tables, in order and without blank ends."""
    return list(_sentences(text, 0, len(text)))


def tokens(text: str) -> float:
    """Estimate how many tokens a model reads in a text: one in four letters, one for each sign of dense scripts."""
    dense = len(_DENSE.findall(text))
    plain = len(_PLAIN.findall(text))
    return plain / 4 + dense + (len(text) - plain - dense) / 2


def _sections(text: str) -> Iterator[tuple[int, int, str]]:
    """Give the ranges between headings, with the path of headings above each; headings in code are none."""
    path: list[tuple[int, str]] = []
    start, place, fence = 0, 0, ""
    line_of_heading = (0, 0)
    while place <= len(text):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        # A line that is no heading need not be copied to learn so.
        opened = _FENCE.match(text, place, min(end, place + 10))
        if opened:
            mark = opened.group(1)
            fence = "" if fence == mark else fence or mark
        marked = not fence and text.startswith("#", place)
        heading = _HEADING.match(text[place:min(end, place + 400)]) if marked else None
        if heading:
            yield from _section(text, start, place, path, line_of_heading)
            level = len(heading.group(1))
            path = [*[one for one in path if one[0] < level], (level, heading.group(2).strip())]
            line_of_heading, start = (place, end), end
        place = end + 1
    yield from _section(text, start, len(text), path, line_of_heading)


def _section(text: str, start: int, end: int, path: list[tuple[int, str]],
             line: tuple[int, int]) -> Iterator[tuple[int, int, str]]:
    heading = " > ".join(name for _, name in path)[-300:]
    if text[start:end].strip():
        yield start, end, heading
    elif line[1] > line[0]:
        yield line[0], line[1], " > ".join(name for _, name in path[:-1])[-300:]


def _grouped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Join sentences to passages of the usual length."""
    first = last = -1
    weight = 0.0
    for begin, close in _sentences(text, start, end):
        for piece_start, piece_end in _bounded(text, begin, close):
            more = tokens(text[last if first >= 0 else piece_start:piece_end])
            fresh = first >= 0 and weight >= _ENOUGH * _USUAL_TOKENS and "\n\n" in text[last:piece_start]
            if first >= 0 and (weight + more > _MOST_TOKENS or weight >= _USUAL_TOKENS or fresh):
                yield first, last
                first, weight = -1, 0.0
            first = piece_start if first < 0 else first
            last, weight = piece_end, weight + more
    if first >= 0:
        yield first, last


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for found in _BOUNDARY.finditer(text, start, end):
        if found.group("stop") and not _is_end(text, found):
            continue
        stop = found.end("stop") if found.group("stop") else found.end()
        yield from _trimmed(text, begin, stop)
        begin = found.end()
    yield from _trimmed(text, begin, end)


def _is_end(text: str, found: re.Match[str]) -> bool:
    """Tell whether a full stop ends a sentence, and not an abbreviation, an initial or the number of a list."""
    if "\n\n" in found.group("gap"):
        return True
    after = text[found.end():found.end() + 1]
    if found.group("stop") != ".":
        return not after.islower()
    before = text[max(0, found.start() - _LOOK_BACK):found.start()]
    return not (after.islower() or _ABBREVIATION.search(before) or before.strip().isdigit())


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Split what is longer than a passage at words, and a word that is longer still anywhere."""
    if tokens(text[start:end]) <= _MOST_TOKENS:
        yield start, end
        return
    first, weight = start, 0.0
    for word in _WORD.finditer(text, start, end):
        for place in range(word.start(), word.end(), _MOST_TOKENS):
            more = tokens(text[place:min(word.end(), place + _MOST_TOKENS)])
            if weight + more > _MOST_TOKENS and place > first:
                yield from _trimmed(text, first, place)
                first, weight = place, 0.0
            weight += more
    yield from _trimmed(text, first, end)
