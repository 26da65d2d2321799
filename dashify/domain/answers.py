"""Questions and answers as values: where an answer stands, who asked in a channel, and the words that we say ourselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashify.domain.knowledge import Passage

MAX_QUESTION = 4_000
MAX_COMMENT = 1_000
MAX_TITLE = 80
MAX_PIECES = 120
MAX_CHARACTERS = 12_000
MAX_ANSWER_TOKENS = 800
PASSAGES = 8
NOTHING_FOUND = "I found nothing about that in what you may read."
NOTHING_SHARED = "I found nothing about that in what everybody in this channel may read."
WITHHELD = "(What is left out here rests on something that you may not read, or that was changed.)"
LOST = {"code": "interrupted", "message": "This answer was interrupted. Please ask again."}
_ASKED = re.compile(r"\s*/ask(?=\s)[:,]?\s*(?P<question>.*\S)\s*", re.IGNORECASE | re.DOTALL)
_CALLED = re.compile(r"(?<![\w@])@assistant(?!\w)[:,]?", re.IGNORECASE)
_FEW_WORDS = 4


class AnswerStatus(StrEnum):
    """Where an answer stands. The last three are for good."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


OPEN = (AnswerStatus.QUEUED.value, AnswerStatus.RUNNING.value)


@dataclass(frozen=True, slots=True)
class Cite:
    """Where a sentence comes from: which of the passages at hand, and the range of that passage's text."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer, without its numbers, and what it rests on; `lead` goes before it, `stop` after them."""

    lead: str
    text: str
    stop: str
    cites: tuple[Cite, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked before, and what was answered."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What is told at one time: `cites` are the numbers in its text, `new` the citations that come with it."""

    text: str
    cites: tuple[int, ...]
    new: tuple[dict[str, Any], ...]


class Numbering:
    """Numbers what is cited, from 1, in the order in which it comes; `known` is what an earlier run has numbered."""

    def __init__(self, passages: Sequence[Passage], known: Sequence[Mapping[str, Any]] = ()) -> None:
        self._passages = passages
        self._numbers = {_place(one): int(one["number"]) for one in known}

    def passage_of(self, known: Mapping[str, Any]) -> int:
        """Give the number, from 1, of the passage that holds a citation; 0 where none does."""
        for number, one in enumerate(self._passages, start=1):
            same = _place(known)[:3] == (one.kind, one.source_id, one.version)
            if same and one.start <= known["start"] and known["end"] <= one.end:
                return number
        return 0

    def piece(self, claim: Claim) -> Piece:
        """Give a claim as it is told."""
        new, numbers = [], []
        for cite in claim.cites:
            about = citation(self._passages[cite.passage], cite)
            place = _place(about)
            if place not in self._numbers:
                self._numbers[place] = len(self._numbers) + 1
                new.append({**about, "number": self._numbers[place]})
            numbers.append(self._numbers[place])
        told = sorted(set(numbers))
        marks = "".join(f"[{number}]" for number in told)
        return Piece(f"{claim.lead}{claim.text}{' ' if marks else ''}{marks}{claim.stop}", tuple(told), tuple(new))


def citation(passage: Passage, cite: Cite) -> dict[str, Any]:
    """Give what is kept of a citation: offsets are code points of the source's text at that version."""
    own = "document_id" if passage.kind == "document" else "message_id"
    return {"kind": passage.kind, "document_id": None, "message_id": None, own: passage.source_id,
            "channel_id": passage.channel_id, "version": passage.version, "title": passage.title,
            "quote": passage.text[cite.start:cite.end], "start": passage.start + cite.start,
            "end": passage.start + cite.end}


def asked(text: str) -> str | None:
    """Give the question that a message of a channel puts to the assistant, or None: `/ask …` or with `@assistant`."""
    found = _ASKED.fullmatch(text)
    if found:
        return found["question"][:MAX_QUESTION]
    if not _CALLED.search(text):
        return None
    return " ".join(_CALLED.sub(" ", text).split())[:MAX_QUESTION].strip() or None


def search_text(question: str, turns: Sequence[Turn]) -> str:
    """Give what to search for: a question of a few words means what was asked before it, too."""
    if turns and len(question.split()) <= _FEW_WORDS:
        return f"{turns[-1].question} {question}"
    return question


def title_of(question: str) -> str:
    """Give what a conversation that begins with `question` is called."""
    line = " ".join(question.split())
    return line if len(line) <= MAX_TITLE else line[:MAX_TITLE - 1].rstrip() + "…"


def month_of(now: datetime) -> str:
    """Name the month that tokens are counted in, in UTC: "2026-11"."""
    return f"{now:%Y-%m}"


def shown_pieces(pieces: Sequence[Mapping[str, Any]], held: frozenset[int]) -> list[str]:
    """Give the texts of pieces to somebody for whom the citations `held` hold.

    Each keeps its place; the text of one that rests on something else is left out, which is said once for each gap.
    """
    shown, gap = [], False
    for piece in pieces:
        if set(piece["cites"]) <= held:
            shown.append(piece["text"])
            gap = False
        else:
            shown.append("" if gap else f" {WITHHELD}")
            gap = True
    return shown


def _place(about: Mapping[str, Any]) -> tuple[Any, ...]:
    return about["kind"], about["document_id"] or about["message_id"], about["version"], about["start"], about["end"]
