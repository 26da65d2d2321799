"""Search in documents and messages together, as one types: by meaning and words, and by the beginnings of titles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from dashify.context import Context
from dashify.domain.knowledge import Passage
from dashify.errors import Invalid
from dashify.services import views
from dashify.services.knowledge import principals_of
from dashify.services.retrieval import KINDS, find_passages

MOST_RESULTS = 100
SNIPPET = 240
_BEFORE = 60
_MOST_TITLES = 5
_WORD = re.compile(r"\w+")
# What makes up a page and is in the way in one line of it: headings, rules of tables, emphasis, code marks.
_MARKUP = re.compile(r"^[ \t]*(?:#{1,6}[ \t]|```.*$|\|?[ \t]*:?-{3,}[-:| \t]*$)|\*\*|__|`", re.MULTILINE)
Json = dict[str, Any]
Row = dict[str, Any]


def search(ctx: Context, query: str, cursor: str | None, limit: int, kind: str | None) -> Json:
    """Find what I may read: documents whose titles hold `query` first, then passages, best first; 100 at most.

    Raises:
        Invalid: the cursor is none of ours.
        Unavailable: the index or the database is away.
    """
    start = _start_of(cursor)
    size = min(start + limit, MOST_RESULTS) + 1
    kinds = (kind,) if kind else KINDS
    mine = principals_of(ctx)
    titled = _by_title(ctx, query, mine) if "document" in kinds else []
    named = {row["id"] for row in titled}
    passages = [one for one in find_passages(ctx, query, mine, limit=size, kinds=kinds) if one.source_id not in named]
    results = [*titled, *_shown(ctx, _best_of_each(passages), query)]
    following = start + limit
    return {"results": results[start:following],
            "next": str(following) if len(results) > following and following < MOST_RESULTS else None}


def snippet_of(text: str, words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Give the part of a text around the first of some words, on one line, and where in it, in code points, they are.
    """
    line = " ".join(_MARKUP.sub(" ", text).split())
    first = min((match.start() for word in words for match in _matches(line, word)), default=0)
    start = max(0, first - _BEFORE)
    if start:
        start = line.find(" ", start, first) + 1 or start
    part = line[start:start + SNIPPET]
    shown = ("…" if start else "") + part + ("…" if start + SNIPPET < len(line) else "")
    return shown, _joined(match.span() for word in words for match in _matches(shown, word))


def words_of(query: str) -> list[str]:
    """Give the words of a query that are worth marking: those of two letters and more, 20 at most."""
    return list(dict.fromkeys(word for word in _WORD.findall(query.casefold()) if len(word) > 1))[:20]


def _by_title(ctx: Context, query: str, mine: frozenset[str]) -> list[Json]:
    rows = ctx.store.documents.list_readable(mine, before=None, limit=_MOST_TITLES, title=query)
    texts = ctx.store.versions.list_pairs((row["_id"], row["version"]) for row in rows)
    shown = []
    for row in rows:
        version = texts.get((row["_id"], row["version"]))
        snippet, marks = snippet_of(version["text"] if version else "", words_of(query))
        shown.append(_result("document", row["_id"], row["title"], snippet, marks, {
            "version": row["version"], "author_id": row["author_id"], "at": views.moment(row["updated_at"])}))
    return shown


def _shown(ctx: Context, passages: Sequence[Passage], query: str) -> list[Json]:
    messages = {row["_id"]: row for row in ctx.store.messages.list_standing(
        {one.source_id for one in passages if one.kind == "message"})}
    documents = {row["_id"]: row for row in ctx.store.documents.list_some(
        {one.source_id for one in passages if one.kind == "document"})}
    shown = []
    for one in passages:
        row = messages.get(one.source_id) or documents.get(one.source_id)
        if row is None:
            continue  # deleted within the last moment
        snippet, marks = snippet_of(one.text, words_of(query))
        about = {"channel_id": one.channel_id, "version": one.version, "start": one.start, "end": one.end,
                 "author_id": row["author_id"], "seq": row["seq"] if one.kind == "message" else None,
                 "at": views.moment(row["created_at"] if one.kind == "message" else row["updated_at"])}
        shown.append(_result(one.kind, one.source_id, one.title, snippet, marks, about))
    return shown


def _result(kind: str, source_id: str, title: str, snippet: str, marks: list[tuple[int, int]], about: Json) -> Json:
    nothing = dict.fromkeys(("channel_id", "seq", "version", "start", "end", "author_id", "at"))
    return {"kind": kind, "id": source_id, "title": title, "snippet": snippet, "marks": [list(one) for one in marks],
            **nothing, **about}


def _best_of_each(passages: Iterable[Passage]) -> list[Passage]:
    best: dict[str, Passage] = {}
    for one in passages:
        best.setdefault(one.source_id, one)
    return list(best.values())


def _matches(text: str, word: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<!\w){re.escape(word)}\w*", text, re.IGNORECASE))


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give ranges in order, those that touch each other as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _start_of(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 3 or int(cursor) > MOST_RESULTS:
        raise Invalid("This is no cursor of a search.", details=[{"field": "cursor", "problem": "is not one of ours"}])
    return int(cursor)
