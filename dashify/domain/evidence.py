"""What passages say, sentence by sentence: how well each answers a question or bears out a claim."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashify.domain.answers import Cite
from dashify.domain.knowledge import Passage
from dashify.domain.passages import sentences
from dashify.domain.terms import common_words, words

MAX_QUOTE = 700  # code points
_MOST_SENTENCES = 400
_NEARBY = 0.5  # what a word counts that stands in the passage and not in the sentence
_ANNOUNCED = 0.95  # what a sentence has of the question or heading before it
_QUESTION_MARKS = ("?", "\uff1f", "?)", "?**", "\u061f")
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage: where it is, and its words that mean something.

    One that `announces` (a question, a heading) says what the next is about, and nothing by itself.
    """

    cite: Cite
    words: frozenset[str]
    announces: bool


class Claimed:
    """What somebody claims, ready to be looked for: its words, its numbers, and what must be there letter by letter.

    What is in `known`, such as the question, need not be in a passage.
    """

    def __init__(self, text: str, exact: Sequence[str], known: str) -> None:
        self.words = meaning(text)
        self.numbers = frozenset(_NUMBER.findall(text)) - frozenset(_NUMBER.findall(known))
        self.exact = [one for one in (*exact, *_SHOUTED.findall(text)) if one not in known]


class Evidence:
    """Passages at hand, ready to be compared with."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = list(passages)
        self.sentences: list[Sentence] = []
        self._around = [meaning(f"{one.title} {one.heading} {one.text}") for one in passages]
        self._above = [meaning(f"{one.title} {one.heading}") for one in passages]
        self._numbers = [set(_NUMBER.findall(f"{one.title} {one.heading} {one.text}")) for one in passages]
        for index, passage in enumerate(passages):
            for start, end in sentences(passage.text):
                if len(self.sentences) < _MOST_SENTENCES:
                    cite = Cite(index, start, min(end, start + MAX_QUOTE))
                    said = passage.text[start:end]
                    announces = said.endswith(_QUESTION_MARKS) or said.startswith("#")
                    self.sentences.append(Sentence(cite, meaning(said), announces))
        self._spread = Counter(word for one in self.sentences for word in one.words)

    def fits(self, question: frozenset[str]) -> list[float]:
        """Tell of each sentence how much of a question it is about, from 0 to 1; rare words count more.

        What stands in titles above it counts as if it were said; what only stands near it counts half.
        """
        return self._passed_on(self._shares(question))

    def worth_comparing(self, question: frozenset[str], most: int) -> list[int]:
        """Give the places of the sentences that are most about a question by their words, `most` at most, in order.

        To compare a sentence by meaning costs more than all else that an answer needs: sixteen chosen so answer as
        many questions as the first forty-eight of the best passages do (69 questions of the bench).
        """
        shares = self._shares(question)
        fits = [max(pair) for pair in zip(shares, self._passed_on(list(shares)), strict=True)]
        return sorted(sorted(range(len(fits)), key=lambda at: (-fits[at], at))[:most])

    def near(self, likeness: Mapping[int, float], least: float) -> list[float]:
        """Tell of each sentence by how much its `likeness` to a question is above `least`, from 0 to 1.

        `likeness` is by place; a sentence that was not compared is not alike.
        """
        return self._passed_on([max(0.0, (likeness.get(at, 0.0) - least) / (1.0 - least))
                                for at in range(len(self.sentences))])

    def text(self, at: int) -> str:
        """Give the sentence at a place, after its title, as it is to be compared by meaning."""
        cite = self.sentences[at].cite
        passage = self.passages[cite.passage]
        return f"{passage.title}: {passage.text[cite.start:cite.end]}"

    def bears_out(self, passage: int, claim: Claimed, least: float) -> Cite | None:
        """Give the sentence of a passage that best bears out a claim, or None where the passage does not say so.

        At least `least` of the claim's words must be in it, and every number and whatever else must be exact.
        """
        said, text = claim.words, self.passages[passage].text
        if not said or len(said & self._around[passage]) < least * len(said):
            return None
        if claim.numbers - self._numbers[passage] or not all(one in text for one in claim.exact):
            return None
        own = [one for one in self.sentences if one.cite.passage == passage]
        best = max(own, key=lambda one: sum(map(self._weight, said & one.words)), default=None)
        return best.cite if best is not None and best.words & said else None

    def _shares(self, question: frozenset[str]) -> list[float]:
        whole = sum(map(self._weight, question))
        return [self._about(one, question) / whole if whole and one.words & question else 0.0
                for one in self.sentences]

    def _passed_on(self, found: list[float]) -> list[float]:
        for at, one in enumerate(self.sentences):
            if one.announces:
                following = self.sentences[at + 1:at + 2]
                if following and following[0].cite.passage == one.cite.passage:
                    found[at + 1] = max(found[at + 1], found[at] * _ANNOUNCED)
                found[at] = 0.0
        return found

    def _about(self, one: Sentence, question: frozenset[str]) -> float:
        here = question & (one.words | self._above[one.cite.passage])
        near = (question & self._around[one.cite.passage]) - here
        return sum(map(self._weight, here)) + _NEARBY * sum(map(self._weight, near))

    def _weight(self, word: str) -> float:
        return math.log(1 + (len(self.sentences) + 1) / (self._spread[word] + 0.5))


def meaning(text: str) -> frozenset[str]:
    """Give the words of a text that mean something by themselves, normalized."""
    found = frozenset(words(text))
    return found - common_words()
