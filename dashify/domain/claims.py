"""What a language model writes, checked sentence by sentence before anybody sees it.

A sentence is told only if a passage bears it out: the one that the model names, or another that says the same.
Whatever else a model was talked into (links, orders, what it knows or makes up) is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dashify.domain.answers import MAX_CHARACTERS, Cite, Claim
from dashify.domain.cleaning import LINK, addresses, plain
from dashify.domain.evidence import Claimed, Evidence
from dashify.domain.passages import sentences
from dashify.domain.prompts import DECLINED

NAMED, UNNAMED = 0.55, 0.75
"""How much of a sentence's words must be in a passage that it names, and in one that it does not name."""
_MOST_CITES = 3
_DIGITS = re.compile(r"\d+")
_NUMBERS = r"[\[\u3010]\s*{}\d{{1,3}}(?:\s*[,;]\s*\d{{1,3}})*{}\s*[\]\u3011]"
_MARK = re.compile(r"\s*" + _NUMBERS.format("(?P<numbers>", ")"))
# A model writes "It rains. [1]" where "It rains [1]." is meant.
_AFTER = re.compile(rf"(?P<stop>[.!?\u3002\uff01\uff1f]+)(?P<marks>(?:\s*{_NUMBERS.format('', '')})+)")
_BEGINS_WITH_MARK = re.compile(r"[\[\u3010]")
_STOP = re.compile(r"[.!?\u3002\uff01\uff1f:]+$")
_HEAD = re.compile(r"^(?:#{1,6}|>)\s+")
_SETTLED = 12  # so much must have come after a sentence that no mark of it is still to come


class Checker:
    """Turns a model's text, as it comes, into claims. `told` is what an earlier run has told already.

    It has `declined` when it wrote what the prompt has it write where the passages do not answer.
    """

    def __init__(self, evidence: Evidence, question: str, told: str = "") -> None:
        self._evidence, self._question = evidence, question
        self._text = ""
        self._seen = {_folded(_MARK.sub("", told[start:end])) for start, end in sentences(told)}
        self._any = bool(told)
        self._length = len(told)
        self.dropped = 0
        self.declined = False

    @property
    def full(self) -> bool:
        """Tell whether the answer is as long as one may be."""
        return self._length >= MAX_CHARACTERS

    def feed(self, text: str) -> Iterator[Claim]:
        """Take the next piece of a model's text; give the claims that are complete with it."""
        self._text = _AFTER.sub(_marks_first, self._text + text)
        ranges = sentences(self._text)
        if len(ranges) < 2:
            if len(self._text) > MAX_CHARACTERS:  # one sentence without end is none
                self._text = ""
                self.dropped += 1
            return
        last, end = ranges[-1]
        settled = end - last >= _SETTLED and not _BEGINS_WITH_MARK.match(self._text, last)
        ready = ranges[:-1] if settled else ranges[:-2]
        if ready:
            kept, self._text = self._text, self._text[ready[-1][1]:]
            yield from self._judge_all(kept, ready)

    def close(self) -> Iterator[Claim]:
        """Give the claims that were waiting for more."""
        kept, self._text = self._text, ""
        yield from self._judge_all(kept, sentences(kept))

    def _judge_all(self, text: str, ranges: list[tuple[int, int]]) -> Iterator[Claim]:
        before = 0
        for start, end in ranges:
            lead = "\n" if "\n" in text[before:start] else " "
            before = end
            claim = self._judge(text[start:end], lead if self._any else "")
            if claim is None:
                self.dropped += 1
            elif not self.full:
                self._any = True
                self._length += len(claim.lead) + len(claim.text) + 8
                yield claim

    def _judge(self, sentence: str, lead: str) -> Claim | None:
        named = [int(number) - 1 for found in _MARK.finditer(sentence) for number in _DIGITS.findall(found["numbers"])]
        bare = _MARK.sub("", sentence)
        text = _HEAD.sub("", plain(bare)).strip()
        folded = _folded(text)
        self.declined = self.declined or folded == _folded(DECLINED)
        if not folded or folded in self._seen:
            return None
        cites = self._cites(Claimed(text.replace(LINK, ""), addresses(bare), self._question), named)
        if not cites:
            return None
        self._seen.add(folded)
        stop = _STOP.search(text)
        return Claim(lead, text[:stop.start()] if stop else text, stop.group() if stop else "", cites)

    def _cites(self, claim: Claimed, named: list[int]) -> tuple[Cite, ...]:
        count = len(self._evidence.passages)
        valid = [index for index in dict.fromkeys(named) if 0 <= index < count]
        found = [self._evidence.bears_out(index, claim, NAMED) for index in valid]
        if not any(found):
            others = (self._evidence.bears_out(index, claim, UNNAMED) for index in range(count))
            found = [next((one for one in others if one), None)]
        return tuple(one for one in found if one)[:_MOST_CITES]


def _marks_first(found: re.Match[str]) -> str:
    return f" {found['marks'].strip()}{found['stop']}"


def _folded(text: str) -> str:
    return "".join(one for one in text.casefold() if one.isalnum())
