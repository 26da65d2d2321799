"""The folder of vectors that one process owns: a shard of Qdrant's engine for each collection, and the list of them.

The engine writes ahead what it is told, so a killed process loses nothing that it answered for.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import qdrant_edge as edge
from qdrant_client import models

from dashify.local.json_server import Refused
from dashify.local.vector_shapes import to_config, to_index, to_info

CATALOG, LOCK, SHARDS = "catalog.json", "lock", "shards"
NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
DONE = models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)


class VectorStore:
    """One open folder; one call at a time."""

    def __init__(self, folder: Path) -> None:
        """Open `folder`, creating it.

        Raises:
            RuntimeError: another process has it open.
        """
        (folder / SHARDS).mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._held = (folder / LOCK).open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._held.close()
            raise RuntimeError("another process uses this folder") from error
        self._lock = threading.RLock()
        self._configs: dict[str, models.CreateCollection] = {}
        self._aliases: dict[str, str] = {}
        self._shards: dict[str, edge.EdgeShard] = {}
        self._read_catalog()

    def names(self) -> list[str]:
        """List the collections."""
        with self._lock:
            return sorted(self._configs)

    def aliases(self, name: str | None = None) -> list[models.AliasDescription]:
        """List the aliases of one collection, or all.

        Raises:
            Refused: 404, there is no such collection.
        """
        with self._lock:
            real = None if name is None else self._real_name(name)
            return [models.AliasDescription(alias_name=alias, collection_name=target)
                    for alias, target in sorted(self._aliases.items()) if real in (None, target)]

    def exists(self, name: str) -> bool:
        """Tell whether there is a collection or alias of this name."""
        with self._lock:
            return name in self._configs or name in self._aliases

    @contextmanager
    def shard(self, name: str) -> Iterator[edge.EdgeShard]:
        """Give the points of the collection or alias `name` alone.

        Raises:
            Refused: 404, there is no such collection; 400, the engine refuses the work.
        """
        with self._lock:
            shard = self._shards[self._real_name(name)]
            with _refusals():
                yield shard

    def update(self, name: str, operation: Callable[[], edge.UpdateOperation]) -> models.UpdateResult:
        """Change points; when it returns they are found and survive a kill.

        Raises:
            Refused: 404, there is no such collection; 400, the engine refuses the change.
        """
        with self.shard(name) as shard:
            shard.update(operation())
        return DONE

    def describe(self, name: str) -> models.CollectionInfo:
        """Describe a collection.

        Raises:
            Refused: 404, there is no such collection.
        """
        with self.shard(name) as shard:
            return to_info(self._configs[self._real_name(name)], shard.info())

    def create(self, name: str, config: models.CreateCollection) -> bool:
        """Make a collection.

        Raises:
            Refused: 409, the name is taken; 400, it or the settings are not possible.
        """
        with self._lock:
            if self.exists(name):
                raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
            if not NAME.fullmatch(name):
                raise Refused(400, f"Wrong input: {name!r} is no name for a collection")
            # What a killed process left behind before it was listed.
            shutil.rmtree(self._path(name), ignore_errors=True)
            self._path(name).mkdir()
            with _refusals():
                self._shards[name] = edge.EdgeShard.create(str(self._path(name)), to_config(config))
            self._configs[name] = config
            self._write_catalog()
            return True

    def remove(self, name: str) -> bool:
        """Delete a collection and its aliases; tell whether it was there."""
        with self._lock:
            if self._configs.pop(name, None) is None:
                return False
            self._aliases = {alias: target for alias, target in self._aliases.items() if target != name}
            self._write_catalog()
            self._shards.pop(name).close()
            shutil.rmtree(self._path(name), ignore_errors=True)
            return True

    def change_aliases(self, change: models.ChangeAliasesOperation) -> bool:
        """Carry out all changes of aliases, or none.

        Raises:
            Refused: 404, one of them names what is not there; 409, an alias would hide a collection.
        """
        with self._lock:
            aliases = dict(self._aliases)
            for action in change.actions:
                match action:
                    case models.CreateAliasOperation(create_alias=wanted):
                        if wanted.alias_name in self._configs:
                            raise Refused(409, f"Wrong input: Collection `{wanted.alias_name}` already exists!")
                        self._known(wanted.collection_name, self._configs)
                        aliases[wanted.alias_name] = wanted.collection_name
                    case models.DeleteAliasOperation(delete_alias=gone):
                        aliases.pop(gone.alias_name, None)
                    case models.RenameAliasOperation(rename_alias=renamed):
                        self._known(renamed.old_alias_name, aliases)
                        aliases[renamed.new_alias_name] = aliases.pop(renamed.old_alias_name)
            self._aliases = aliases
            self._write_catalog()
            return True

    def add_index(self, name: str, field: models.CreateFieldIndex) -> models.UpdateResult:
        """Index a field of the payload.

        Raises:
            Refused: 404, there is no such collection; 400, the index has no type, or one that is not served.
        """
        if field.field_schema is None:
            raise Refused(400, "Wrong input: field_schema is missing")
        return self.update(name, lambda: edge.UpdateOperation.create_field_index(
            field.field_name, to_index(field.field_schema)))

    def close(self) -> None:
        """Close the folder after the work in progress."""
        with self._lock:
            while self._shards:
                self._shards.popitem()[1].close()
            self._held.close()

    def _path(self, name: str) -> Path:
        return self._folder / SHARDS / name

    def _real_name(self, name: str) -> str:
        real = self._aliases.get(name, name)
        self._known(real, self._configs)
        return real

    @staticmethod
    def _known(name: str, known: dict[str, Any]) -> None:
        if name not in known:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")

    def _read_catalog(self) -> None:
        file = self._folder / CATALOG
        held = json.loads(file.read_text()) if file.exists() else {"collections": {}, "aliases": {}}
        self._aliases = held["aliases"]
        for name, config in held["collections"].items():
            self._configs[name] = models.CreateCollection.model_validate(config)
            shard = self._shards[name] = edge.EdgeShard.load(str(self._path(name)))
            # What was replaced or deleted before leaves the disk here, where nobody waits yet.
            shard.optimize()

    def _write_catalog(self) -> None:
        draft = self._folder / f"{CATALOG}.tmp"
        configs = {name: config.model_dump(mode="json", exclude_none=True) for name, config in self._configs.items()}
        with draft.open("w") as file:
            json.dump({"aliases": self._aliases, "collections": configs}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._folder / CATALOG)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn the engine's complaints, which are all plain exceptions, into Qdrant's refusals."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        raise Refused(400, f"Wrong input: {error}") from error
