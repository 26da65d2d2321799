"""Bringing texts into the index: what is there already is kept, and what is not embedded yet is, a bounded part a run.

Every point carries the revision of what it was made from, and an older one never overwrites a newer one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashify.context import Platform
from dashify.domain.knowledge import ASSISTANT, Document, channel_readers
from dashify.domain.passages import cut
from dashify.domain.terms import document_terms
from dashify.stores.vectors import Below, Point, Sparse, TenantVectors

EMBEDDED_AT_ONCE = 64
_PAGE = 256
Check = Callable[[], None]
Target = tuple[TenantVectors, str]
"""A collection of the tenant's, and the model whose vectors it holds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A passage as it is to be found: `text` is what it says, with its titles, and `payload` what is kept with it."""

    key: str
    text: str
    payload: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """What it was embedded from, so that the same text is never embedded twice in one place."""
        return str(self.payload["hash"])


def document_passages(row: Document, text: str) -> list[Wanted]:
    """Give the passages of a document at the version and revision of its row."""
    about = {"kind": "document", "source_id": row["_id"], "version": row["version"], "revision": row["revision"],
             "readers": row["readers"], "channel_id": row["channel_id"], "folder_id": row["folder_id"]}
    return [_wanted(f"d:{row['_id']}:{one.ordinal}", text, one, (row["title"], one.heading), about)
            for one in cut(text)]


def message_passages(channel: Document, message: Document, revision: int) -> list[Wanted]:
    """Give the passages of a message; of one that is deleted, or of the assistant's, there are none.

    `revision` is a change number up to which the channel was read.
    """
    if message["deleted_at"] is not None or message["author_id"] == ASSISTANT:
        return []
    about = {"kind": "message", "source_id": message["_id"], "version": message["changed_seq"],
             "revision": revision, "readers": channel_readers(channel["_id"], channel["private"]),
             "channel_id": channel["_id"], "folder_id": None}
    return [_wanted(f"m:{message['_id']}:{one.ordinal}", message["text"], one, (one.heading,), about)
            for one in cut(message["text"])]


def passage_hash(text: str, titles: Iterable[str] = ()) -> str:
    """Give the hash of what a passage is embedded from."""
    return hashlib.sha256("\n".join((*filter(None, titles), text)).encode()).hexdigest()[:32]


class Index:
    """One tenant's part of the index, in every collection that is written to: while a model is changed, in two."""

    def __init__(self, platform: Platform, tenant_id: str) -> None:
        self._platform = platform
        self._tenant_id = tenant_id

    def bring_in(self, wanted: Sequence[Wanted], source_ids: Sequence[str], revision: int, *, most: int,
                 check: Check) -> int:
        """Have the passages of some sources, all at `revision`, in the index; give how many are left, because `most`
        were embedded before.

        Raises:
            Unavailable: the vector store or the model hosts are away; what was done stays.
        """
        return max((self._bring_into(target, wanted, source_ids, revision, most, check)
                    for target in self._targets()), default=0)

    def remove(self, source_ids: Sequence[str], *, below: int | None = None) -> None:
        """Remove the passages of some sources, only those of a revision below `below` where it is given."""
        older = {} if below is None else {"revision": Below(below)}
        for start in range(0, len(source_ids), _PAGE):
            for vectors, _ in self._targets():
                vectors.delete({"source_id": source_ids[start:start + _PAGE], **older})

    def count(self) -> int:
        """Count everything of the tenant's, in all collections together."""
        return sum(vectors.count() for vectors, _ in self._targets())

    def remove_all(self) -> None:
        """Remove everything of the tenant's."""
        for vectors, _ in self._targets():
            vectors.delete({})

    def revisions(self, source_ids: Sequence[str]) -> dict[str, dict[int, int]]:
        """Give `{source_id: {revision: passages}}`, the smallest counts where there are two collections."""
        counts = [_count(vectors, source_ids) for vectors, _ in self._targets()]
        return {source_id: min((one.get(source_id, {}) for one in counts), key=lambda found: sum(found.values()))
                for source_id in source_ids}

    def list_sources(self, target: int, after: str | None) -> tuple[set[str], str | None] | None:
        """Give the ids of the sources of some points in the collection number `target`, and where to go on, None at its
        end; None in all where there is no such collection."""
        targets = self._targets()
        if target >= len(targets):
            return None
        page, following = targets[target][0].scroll(limit=_PAGE, where={}, after=after)
        return {str(hit.payload["source_id"]) for hit in page}, following

    def _bring_into(self, target: Target, wanted: Sequence[Wanted], source_ids: Sequence[str], revision: int,
                    most: int, check: Check) -> int:
        vectors, model = target
        known, current = self._known(vectors, source_ids, {one.hash for one in wanted})
        missing = [one for one in wanted if one.hash not in known]
        for start in range(0, min(most, len(missing)), EMBEDDED_AT_ONCE):
            check()
            batch = missing[start:min(most, start + EMBEDDED_AT_ONCE)]
            found = self._platform.models.embed([one.text for one in batch], model=model)
            self._keep(vectors, revision, zip(batch, found, strict=True))
        kept = [(one, known[one.hash]) for one in wanted
                if one.hash in known and current.get(one.key) != one.payload]
        for start in range(0, len(kept), _PAGE):
            check()
            self._keep(vectors, revision, kept[start:start + _PAGE])
        return max(0, len(missing) - most)

    @staticmethod
    def _keep(vectors: TenantVectors, revision: int, pairs: Iterable[tuple[Wanted, Sequence[float]]]) -> None:
        vectors.upsert([Point(one.key, list(dense), Sparse(*document_terms(one.text)), one.payload)
                        for one, dense in pairs], revision=revision)

    @staticmethod
    def _known(vectors: TenantVectors, source_ids: Sequence[str],
               hashes: set[str]) -> tuple[dict[str, Sequence[float]], dict[str, Mapping[str, Any]]]:
        """Give what is there of the sources: vectors by hash, and payloads by key."""
        known: dict[str, Sequence[float]] = {}
        current: dict[str, Mapping[str, Any]] = {}
        for page in _pages(vectors, {"source_id": list(source_ids)}, with_vectors=True):
            for hit in page:
                current[hit.key] = hit.payload
                if hit.payload["hash"] in hashes and hit.dense is not None:
                    known[str(hit.payload["hash"])] = hit.dense
        return known, current

    def _targets(self) -> list[Target]:
        return [(self._platform.vectors_of(self._tenant_id, name), model)
                for name, model in self._platform.collections.targets()]


def _wanted(key: str, text: str, one: Any, titles: Iterable[str], about: Mapping[str, Any]) -> Wanted:
    said = text[one.start:one.end]
    titles = [title for title in titles if title]
    payload = {**about, "start": one.start, "end": one.end, "ordinal": one.ordinal, "heading": one.heading,
               "hash": passage_hash(said, titles)}
    return Wanted(key, "\n".join([*titles, said]), payload)


def _pages(vectors: TenantVectors, where: Mapping[str, Any], *, with_vectors: bool = False) -> Iterator[list[Any]]:
    after: str | None = None
    while True:
        page, after = vectors.scroll(limit=_PAGE, where=where, after=after, with_vectors=with_vectors)
        yield page
        if after is None:
            return


def _count(vectors: TenantVectors, source_ids: Sequence[str]) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for page in _pages(vectors, {"source_id": list(source_ids)}):
        for hit in page:
            of_source = found.setdefault(str(hit.payload["source_id"]), {})
            of_source[int(hit.payload["revision"])] = of_source.get(int(hit.payload["revision"]), 0) + 1
    return found
