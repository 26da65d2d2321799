"""An answer without a language model: the few sentences that answer best, as they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from dashify.domain.answers import Claim
from dashify.domain.cleaning import plain
from dashify.domain.evidence import Evidence, Sentence, meaning

ENOUGH = 0.55
"""How much of a question a sentence must be about to be an answer to it; found by the tests of unrelated questions."""
_NEAR_THE_BEST = 0.72
_MOST_SENTENCES = 5
_MOST_SOURCES = 3
_BULLET = re.compile(r"^(?:[-*+•]|\d{1,3}[.)]|#{1,6})\s+")
_ROW = re.compile(r"\s*\|\s*")


def extract(question: str, evidence: Evidence, near: Sequence[float] = ()) -> list[Claim]:
    """Choose the sentences that answer a question: five at most, grouped by source, best source first; none where none
    is near enough. The same passages give the same answer.

    `near` is by how much each sentence is alike to the question in meaning, 0 where it is not alike enough: so an
    answer is found, too, that uses other words.
    """
    fits = evidence.fits(meaning(question))
    if near:
        fits = [max(fit, ENOUGH + (1.0 - ENOUGH) * alike if alike > 0 else 0.0)
                for fit, alike in zip(fits, near, strict=True)]
    least = max(ENOUGH, max(fits, default=0.0) * _NEAR_THE_BEST)
    ranked = sorted((-fit, at) for at, fit in enumerate(fits) if fit >= least)
    chosen: list[int] = []
    said: set[str] = set()
    for _, at in ranked:
        one = evidence.sentences[at]
        text = _told(evidence, one).casefold()
        sources = {_source(evidence, evidence.sentences[other]) for other in chosen} | {_source(evidence, one)}
        if text and text not in said and len(sources) <= _MOST_SOURCES:
            chosen.append(at)
            said.add(text)
        if len(chosen) == _MOST_SENTENCES:
            break
    return _grouped(evidence, chosen)


def _grouped(evidence: Evidence, chosen: list[int]) -> list[Claim]:
    order = list(dict.fromkeys(_source(evidence, evidence.sentences[at]) for at in chosen))
    placed = sorted((order.index(_source(evidence, evidence.sentences[at])), at) for at in chosen)
    claims: list[Claim] = []
    for _, group in groupby(placed, key=lambda pair: pair[0]):
        for first, (_, at) in enumerate(group):
            one = evidence.sentences[at]
            title = plain(evidence.passages[one.cite.passage].title)
            lead = " " if first else ("\n\n" if claims else "") + f"{title}: "
            claims.append(Claim(lead, _told(evidence, one), "", (one.cite,)))
    return claims


def _told(evidence: Evidence, one: Sentence) -> str:
    quote = evidence.passages[one.cite.passage].text[one.cite.start:one.cite.end]
    line = _BULLET.sub("", " ".join(quote.split()))
    if line.startswith("|"):
        line = _ROW.sub(" · ", line.strip("| "))
    return plain(line).strip()


def _source(evidence: Evidence, one: Sentence) -> tuple[str, str]:
    passage = evidence.passages[one.cite.passage]
    return passage.kind, passage.source_id
