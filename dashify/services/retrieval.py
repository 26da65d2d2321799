"""Finding passages for somebody: the index is asked only for what they may read, and MongoDB decides once more.

What is found is checked again by what is there now: who may read it, and whether the text still says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dashify.context import Context
from dashify.domain.knowledge import Passage, channel_readers
from dashify.domain.names import is_id
from dashify.domain.terms import query_terms
from dashify.errors import Unavailable
from dashify.services.indexing import passage_hash
from dashify.services.knowledge import principals_of
from dashify.stores.store import Store
from dashify.stores.vectors import Hit, Sparse

KINDS = ("document", "message")
_ASKED_FOR_EACH = 4  # what is merged, said twice or not to be read any more is left out of what is found
_MOST_MERGED = 2_400  # code points
_GAP = 3  # blank lines between neighbors, in code points
Json = Mapping[str, Any]
Row = dict[str, Any]
Found = tuple[Passage, str]
"""A passage, and the whole text that it is a part of."""


def find_passages(ctx: Context, query: str, principals: frozenset[str], *, limit: int = 8,
                  kinds: Sequence[str] = KINDS) -> list[Passage]:
    """Find what of documents and messages is nearest to `query`, best first, among what `principals` and I may read.

    Neighbors of one text come as one passage, and what is said twice comes once.

    Raises:
        Unavailable: `vectors_unavailable`, or MongoDB is away. Without model hosts words alone are compared.
    """
    hits = _ask_index(ctx, query, principals, limit * _ASKED_FOR_EACH, kinds)
    found = [*_document_passages(ctx, hits, principals), *_message_passages(ctx, hits, principals)]
    return _without_doubles(_merged(found))[:limit]


def check_citations(ctx: Context, citations: Sequence[Json], principals: frozenset[str] | None = None) -> list[bool]:
    """Tell of each citation whether I may read it now, and its source still says so at its version.

    A citation names `document_id` or `message_id`, `version`, `start`, `end` and `quote`. With `principals` it holds
    only if these may read it, too.
    """
    mine = principals_of(ctx) if principals is None else principals & principals_of(ctx)
    documents = readable_documents(ctx.store, [one["document_id"] for one in citations if one.get("document_id")], mine)
    versions = ctx.store.versions.list_pairs((one["document_id"], one["version"]) for one in citations
                                             if one.get("document_id") in documents)
    messages = readable_messages(ctx.store, [one["message_id"] for one in citations if one.get("message_id")], mine)
    texts = {**{(document_id, version): row["text"] for (document_id, version), row in versions.items()},
             **{(message_id, 0): row["text"] for message_id, (row, _) in messages.items()}}

    def holds(one: Json) -> bool:
        key = (one["document_id"], one["version"]) if one.get("document_id") else (one.get("message_id", ""), 0)
        return key in texts and texts[key][one["start"]:one["end"]] == one["quote"]

    return [holds(one) for one in citations]


def _ask_index(ctx: Context, query: str, principals: frozenset[str], limit: int, kinds: Sequence[str]) -> list[Hit]:
    searched = ctx.collections.active()
    vectors = ctx.vectors(searched.name)
    sparse = Sparse(*query_terms(query))
    where = {"readers": sorted(principals), "kind": list(kinds)}
    try:
        [dense] = ctx.models.embed([query], model=searched.model)
    except Unavailable:
        # Words alone find less than meaning and words, and more than nothing.
        return vectors.sparse(sparse, limit=limit, where=where) if sparse.indices else []
    return vectors.hybrid(dense, sparse, limit=limit, where=where, floor=ctx.settings.embedding_floor)


def _document_passages(ctx: Context, hits: Sequence[Hit], principals: frozenset[str]) -> Iterable[Found]:
    own = [hit for hit in hits if hit.payload["kind"] == "document"]
    rows = readable_documents(ctx.store, [hit.payload["source_id"] for hit in own], principals & principals_of(ctx))
    texts = ctx.store.versions.list_pairs((hit.payload["source_id"], hit.payload["version"]) for hit in own
                                          if hit.payload["source_id"] in rows)
    for hit in own:
        about = hit.payload
        version = texts.get((about["source_id"], about["version"]))
        if version is not None:
            yield _passage(hit, version["text"], rows[about["source_id"]]["title"], about["version"])


def _message_passages(ctx: Context, hits: Sequence[Hit], principals: frozenset[str]) -> Iterable[Found]:
    own = [hit for hit in hits if hit.payload["kind"] == "message"]
    rows = readable_messages(ctx.store, [hit.payload["source_id"] for hit in own], principals & principals_of(ctx))
    for hit in own:
        about = hit.payload
        if about["source_id"] not in rows:
            continue
        message, channel = rows[about["source_id"]]
        said = message["text"][about["start"]:about["end"]]
        # A reaction gives a message another number and the same text; an edit gives it another text.
        if passage_hash(said, (about["heading"],)) == about["hash"]:
            yield _passage(hit, message["text"], f"#{channel['name']}", message["changed_seq"])


def readable_documents(store: Store, ids: Iterable[str], principals: frozenset[str]) -> dict[str, Row]:
    """Give those of some documents that are there and for `principals`, by id."""
    rows = store.documents.list_some({one for one in ids if is_id(one)})
    return {row["_id"]: row for row in rows if not principals.isdisjoint(row["readers"])}


def readable_messages(store: Store, ids: Iterable[str], principals: frozenset[str]) -> dict[str, tuple[Row, Row]]:
    """Give those of some messages that stand and are for `principals`, by id, each with its channel."""
    rows = store.messages.list_standing({one for one in ids if is_id(one)})
    channels = {row["_id"]: row for row in store.channels.list_some({row["channel_id"] for row in rows})
                if not principals.isdisjoint(channel_readers(row["_id"], row["private"]))}
    return {row["_id"]: (row, channels[row["channel_id"]]) for row in rows if row["channel_id"] in channels}


def _passage(hit: Hit, text: str, title: str, version: int) -> Found:
    about = hit.payload
    start, end = int(about["start"]), int(about["end"])
    return Passage(about["kind"], about["source_id"], version, title, about["heading"], start, end, text[start:end],
                   hit.score, about["channel_id"]), text


def _merged(found: Sequence[Found]) -> list[Passage]:
    """Join passages of one text that follow each other; the best one says how good they are together. Best first."""
    merged: list[Passage] = []
    for one, text in sorted(found, key=lambda pair: _place(pair[0])):
        if merged and _follows(merged[-1], one):
            before, end = merged[-1], max(merged[-1].end, one.end)
            merged[-1] = replace(before, end=end, text=text[before.start:end], score=max(before.score, one.score))
        else:
            merged.append(one)
    return sorted(merged, key=lambda passage: -passage.score)


def _place(one: Passage) -> tuple[str, str, int, int]:
    return one.kind, one.source_id, one.version, one.start


def _follows(before: Passage, one: Passage) -> bool:
    same = _place(before)[:3] == _place(one)[:3]
    return same and one.start <= before.end + _GAP and one.end - before.start <= _MOST_MERGED


def _without_doubles(found: Iterable[Passage]) -> list[Passage]:
    seen: dict[str, Passage] = {}
    for one in found:
        seen.setdefault(" ".join(one.text.split()).casefold(), one)
    return list(seen.values())
