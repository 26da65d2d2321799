"""What an answer may rest on: passages that the reader may read now, and what was said before as far as it still holds.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from operator import mul
from typing import Any

from dashify.context import Context
from dashify.domain.answers import PASSAGES, Cite, Turn, asked, citation, search_text, shown_pieces
from dashify.domain.evidence import Evidence, meaning
from dashify.domain.knowledge import Passage
from dashify.domain.names import is_id
from dashify.errors import Unavailable
from dashify.services.knowledge import principals_of, shared_principals
from dashify.services.retrieval import check_citations, find_passages

_TURNS = 6
_COMPARED = 16
_SPARE = 4  # questions to the assistant are found, too, and answer nothing
Row = dict[str, Any]


def readers_of_answer(ctx: Context, row: Row) -> frozenset[str]:
    """Give the principals that an answer is for: mine, or where it is for a channel those that all its people share.

    Raises:
        NotFound: the channel is not for me any more.
    """
    return principals_of(ctx) if row["scope_id"] is None else shared_principals(ctx, row["scope_id"])


def find_ground(ctx: Context, row: Row, turns: Sequence[Turn], principals: frozenset[str]) -> list[Passage]:
    """Find the passages that may answer a question, best first."""
    found = find_passages(ctx, search_text(row["question"], turns), principals, limit=PASSAGES + _SPARE)
    return [one for one in found if one.kind != "message" or asked(one.text) is None][:PASSAGES]


def keep_ground(passages: Sequence[Passage]) -> list[Row]:
    """Give what is kept of passages, so that another run finds the same again: no texts."""
    return [{"kind": one.kind, "source_id": one.source_id, "version": one.version, "title": one.title,
             "heading": one.heading, "start": one.start, "end": one.end, "score": one.score,
             "channel_id": one.channel_id, "hash": _hash(one.text)} for one in passages]


def read_ground(ctx: Context, kept: Sequence[Row], principals: frozenset[str]) -> list[Passage]:
    """Give those of the passages kept that `principals` and I may read now, and that still say the same."""
    versions = ctx.store.versions.list_pairs((one["source_id"], one["version"]) for one in kept
                                             if one["kind"] == "document")
    messages = ctx.store.messages.list_standing({one["source_id"] for one in kept
                                                 if one["kind"] == "message" and is_id(one["source_id"])})
    texts = {**{key: row["text"] for key, row in versions.items()}, **{row["_id"]: row["text"] for row in messages}}
    found = []
    for one in kept:
        key = (one["source_id"], one["version"]) if one["kind"] == "document" else one["source_id"]
        text = texts.get(key, "")[one["start"]:one["end"]]
        if text and _hash(text) == one["hash"]:
            about = {name: value for name, value in one.items() if name != "hash"}
            found.append(Passage(**about, text=text))
    held = check_citations(ctx, [citation(one, Cite(0, 0, len(one.text))) for one in found], principals)
    return [one for one, holds in zip(found, held, strict=True) if holds]


def nearness(ctx: Context, question: str, evidence: Evidence) -> list[float]:
    """Tell how much alike each sentence is to a question in meaning, see `Evidence.near`; nothing without model hosts.

    A sentence that answers is about twice as much alike as the least that a search finds.
    """
    places = evidence.worth_comparing(meaning(question), _COMPARED)
    try:
        asked_for, *found = ctx.models.embed([question, *map(evidence.text, places)])
    except Unavailable:
        return []
    likeness = {at: _cosine(asked_for, one) for at, one in zip(places, found, strict=True)}
    return evidence.near(likeness, min(0.9, 2 * ctx.settings.embedding_floor))


def recall(ctx: Context, row: Row, principals: frozenset[str]) -> list[Turn]:
    """Give what was said before in a talk, oldest first; a turn of which any source is lost to us is left out."""
    turns: list[Turn] = []
    for before in ctx.store.answers.list_turns(row["talk_id"], before=row["_id"], limit=_TURNS):
        if all(check_citations(ctx, before["citations"], principals)):
            cited = frozenset(one["number"] for one in before["citations"])
            turns.append(Turn(before["question"], "".join(shown_pieces(before["pieces"], cited)).strip()))
    return turns[::-1]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(map(mul, one, other)) / lengths if lengths else 0.0


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
