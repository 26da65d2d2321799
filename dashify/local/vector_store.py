"""The folder of vectors that one process owns: Qdrant's local mode behind one lock, plus the payload indexes.

Local mode searches without indexes and forgets which were asked for; a program that looks whether its index is there
must find it, so their definitions are kept beside the collections.
"""

from __future__ import annotations

import json
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models

from dashify.local.json_server import Refused

INDEX_FILE = "payload_indexes.json"
MISSING = re.compile(r"not found|does not exist")


class VectorStore:
    """One open folder. Everything goes through `collection` or `all_collections`, which hold the lock."""

    def __init__(self, folder: Path) -> None:
        """Open `folder`, creating it.

        Raises:
            RuntimeError: another process has it open.
        """
        # It says on every start that a server would be faster.
        warnings.filterwarnings("ignore", module="qdrant_client|dashify")
        self._client = QdrantClient(path=str(folder), force_disable_check_same_thread=True)
        self._lock = threading.RLock()
        self._file = folder / INDEX_FILE
        self._indexes: dict[str, dict[str, Any]] = json.loads(self._file.read_text()) if self._file.exists() else {}

    @contextmanager
    def all_collections(self) -> Iterator[QdrantClient]:
        """Give the client alone, and turn its complaints into Qdrant's refusals.

        Raises:
            Refused: 404, 409 or 400, in the store's own words.
        """
        with self._lock:
            try:
                yield self._client
            except (ValueError, TypeError, AssertionError, NotImplementedError) as error:
                raise Refused(_status(str(error)), f"Wrong input: {error}") from error

    @contextmanager
    def collection(self, name: str) -> Iterator[QdrantClient]:
        """Give the client alone for work on the collection or alias `name`.

        Raises:
            Refused: 404, there is no such collection; 400, the store refuses the work.
        """
        with self.all_collections() as client:
            if not client.collection_exists(name):
                raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
            yield client

    def describe(self, name: str) -> models.CollectionInfo:
        """Describe a collection with the payload indexes it was given.

        Raises:
            Refused: 404, there is no such collection.
        """
        with self.collection(name) as client:
            info = client.get_collection(name)
            for field_name, schema in self._indexes.get(self._real_name(name), {}).items():
                detailed = isinstance(schema, dict)
                info.payload_schema[field_name] = models.PayloadIndexInfo.model_validate({
                    "data_type": schema["type"] if detailed else schema, "params": schema if detailed else None,
                    "points": info.points_count or 0,
                })
            return info

    def add_index(self, name: str, field: models.CreateFieldIndex) -> models.UpdateResult:
        """Remember the payload index `field` of a collection.

        Raises:
            Refused: 404, there is no such collection; 400, the index has no type.
        """
        if field.field_schema is None:
            raise Refused(400, "Wrong input: field_schema is missing")
        with self.collection(name) as client:
            result = client.create_payload_index(name, field.field_name, field.field_schema)
            schema = field.model_dump(mode="json", exclude_none=True)["field_schema"]
            self._indexes.setdefault(self._real_name(name), {})[field.field_name] = schema
            self._save_indexes()
            return result

    def remove_index(self, name: str, field_name: str) -> models.UpdateResult:
        """Forget a payload index.

        Raises:
            Refused: 404, there is no such collection.
        """
        with self.collection(name) as client:
            result = client.delete_payload_index(name, field_name)
            self._indexes.get(self._real_name(name), {}).pop(field_name, None)
            self._save_indexes()
            return result

    def remove(self, name: str) -> bool:
        """Delete a collection and its aliases; tell whether it was there."""
        with self.all_collections() as client:
            removed = client.delete_collection(name)
            if self._indexes.pop(name, None) is not None:
                self._save_indexes()
            return removed

    def close(self) -> None:
        """Close the folder after the work in progress."""
        with self._lock:
            self._client.close()

    def _real_name(self, name: str) -> str:
        aliases = {alias.alias_name: alias.collection_name for alias in self._client.get_aliases().aliases}
        return aliases.get(name, name)

    def _save_indexes(self) -> None:
        draft = self._file.with_suffix(".tmp")
        draft.write_text(json.dumps(self._indexes))
        os.replace(draft, self._file)


def _status(complaint: str) -> int:
    if "already exists" in complaint:
        return 409
    return 404 if complaint.startswith(("Collection ", "Alias ")) and MISSING.search(complaint) else 400
