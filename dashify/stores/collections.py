"""The collections of the vector store: one for each embedding model and shape of its points, and which one is searched.

What is searched goes by an alias, what is being built beside it by another one: that, and the model that a collection
names in its own metadata, is all there is to know, so every process finds it in the vector store itself.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashify.errors import Conflict, NotFound
from dashify.later import Later
from dashify.settings import Settings
from dashify.stores.tenant import TENANT
from dashify.stores.vectors import DENSE, KEY, SPARSE, vectors_translated

if TYPE_CHECKING:
    import qdrant_client
    from qdrant_client import QdrantClient, models
else:
    qdrant_client = Later("qdrant_client")
    models = Later("qdrant_client.models")

ALIAS, NEXT_ALIAS = "dashify", "dashify_next"
SCHEMA = 1  # of the points: a change of what they hold needs another collection
_SECONDS = 5.0
_TIMEOUT_SECONDS = 10
_LINKS = 16  # of the graph, each tenant's apart from the others'
_KEYWORDS = (KEY, "kind", "source_id", "readers", "channel_id", "folder_id", "hash")
_NUMBERS = ("revision", "version")


@dataclass(frozen=True, slots=True)
class Known:
    """A collection, and the model whose vectors it holds."""

    name: str
    model: str
    dimensions: int


def open_qdrant(settings: Settings) -> QdrantClient:
    """Open a client whose every call has a time limit."""
    return qdrant_client.QdrantClient(
        url=settings.qdrant_url, api_key=settings.qdrant_api_key or None, timeout=_TIMEOUT_SECONDS,
        check_compatibility=False, prefer_grpc=False, trust_env=False)


class Collections:
    """Every tenant's points are in all of these, apart by their tenant. `measure` gives a model's dimensions."""

    def __init__(self, client: QdrantClient, settings: Settings, measure: Callable[[str], int]) -> None:
        self._client, self._settings, self._measure = client, settings, measure
        self._lock = threading.Lock()
        self._seen: tuple[float, list[Known]] = (-_SECONDS, [])

    def active(self) -> Known:
        """Give the collection that is searched, made where there is none; known for up to 5 s.

        Raises:
            Unavailable: the vector store is away, or the model hosts where the collection is to be made.
        """
        return self._known()[0]

    def targets(self) -> list[tuple[str, str]]:
        """Give `(collection, model)` of all that is to be written to: what is searched, and what is being built."""
        return [(one.name, one.model) for one in self._known()]

    def begin(self, model: str) -> Known:
        """Make the collection of another model, to be filled beside the one that is searched; doing it again is safe.

        Raises:
            Conflict: it is the model that is searched, or yet another one is being built.
            Unavailable: the vector store or the model hosts are away.
        """
        known = self._look()
        if known[0].model == model:
            raise Conflict(f"{model} is what is searched already.", code="model_active")
        if len(known) > 1 and known[1].model != model:
            raise Conflict(f"The collection of {known[1].model} is being built.", code="model_building")
        made = self._make(model)
        self._point(NEXT_ALIAS, made.name)
        self._forget()
        return made

    def switch(self) -> Known:
        """Search what was being built from now on, in one step; the one before stays until it is dropped.

        Raises:
            NotFound: nothing is being built.
        """
        known = self._look()
        if len(known) < 2:
            raise NotFound("No collection is being built.")
        with vectors_translated():
            self._client.update_collection_aliases([
                models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=ALIAS)),
                models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=NEXT_ALIAS)),
                models.CreateAliasOperation(create_alias=models.CreateAlias(
                    collection_name=known[1].name, alias_name=ALIAS))])
        self._forget()
        return known[1]

    def counts(self) -> dict[str, int]:
        """Count the points of every collection of ours, those nobody searches any more too."""
        with vectors_translated():
            names = sorted(one.name for one in self._client.get_collections().collections
                           if one.name.startswith(f"{ALIAS}_"))
            return {name: self._client.count(name, exact=True).count for name in names}

    def drop(self, name: str) -> None:
        """Remove a collection that is neither searched nor written to.

        Raises:
            Conflict: it is.
        """
        if name in {known.name for known in self._look()}:
            raise Conflict("This collection is in use.", code="collection_in_use")
        with vectors_translated():
            self._client.delete_collection(name)

    def _known(self) -> list[Known]:
        with self._lock:
            at, known = self._seen
            if not known or time.monotonic() - at > _SECONDS:
                known = self._look()
                self._seen = (time.monotonic(), known)
            return known

    def _look(self) -> list[Known]:
        with vectors_translated():
            aliases = {one.alias_name: one.collection_name for one in self._client.get_aliases().aliases}
        if ALIAS not in aliases:
            first = self._make(self._settings.embedding_model)
            self._point(ALIAS, first.name)
            aliases[ALIAS] = first.name
        return [self._describe(aliases[alias]) for alias in (ALIAS, NEXT_ALIAS) if alias in aliases]

    def _describe(self, name: str) -> Known:
        with vectors_translated():
            config = self._client.get_collection(name).config
        vectors = config.params.vectors
        assert isinstance(vectors, dict)
        return Known(name, str((config.metadata or {})["model"]), vectors[DENSE].size)

    def _make(self, model: str) -> Known:
        """Make a model's collection with an index of every field that is asked for; harmless where it is there."""
        name = f"{ALIAS}_{re.sub(r'[^a-z0-9]+', '_', model.lower()).strip('_')}_{SCHEMA}"
        with vectors_translated():
            there = self._client.collection_exists(name)
        dimensions = self._describe(name).dimensions if there else self._measure(model)
        with vectors_translated():
            if not there:
                self._create(name, model, dimensions)
            self._client.create_payload_index(name, TENANT, models.KeywordIndexParams(
                type=models.KeywordIndexType.KEYWORD, is_tenant=True), wait=True)
            for field in _KEYWORDS:
                self._client.create_payload_index(name, field, models.PayloadSchemaType.KEYWORD, wait=True)
            for field in _NUMBERS:
                self._client.create_payload_index(name, field, models.PayloadSchemaType.INTEGER, wait=True)
        return Known(name, model, dimensions)

    def _create(self, name: str, model: str, dimensions: int) -> None:
        try:
            self._client.create_collection(
                name, vectors_config={DENSE: models.VectorParams(size=dimensions, distance=models.Distance.COSINE)},
                sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                # No graph over all tenants: nobody ever searches all of them.
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=_LINKS), metadata={"model": model, "schema": SCHEMA},
                shard_number=self._settings.qdrant_shards, replication_factor=self._settings.qdrant_replicas)
        except Exception:
            if not self._client.collection_exists(name):  # another process was faster
                raise

    def _point(self, alias: str, name: str) -> None:
        with vectors_translated():
            self._client.update_collection_aliases([models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=name, alias_name=alias))])

    def _forget(self) -> None:
        with self._lock:
            self._seen = (-_SECONDS, [])
