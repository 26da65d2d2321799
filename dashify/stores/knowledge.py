"""Documents, their versions, drafts and folders, and what links to them: one tenant's."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from dashify.domain.knowledge import DocumentStatus
from dashify.domain.names import new_id
from dashify.errors import Conflict, NotFound
from dashify.stores.mongo import Document
from dashify.stores.tenant import TenantCollection


class Documents:
    """Documents without their texts: `_id title title_key author_id updated_by visibility channel_id readers folder_id
    version revision status error source characters passages created_at updated_at order deleted_at`.

    `version` counts texts and titles; `revision` rises with every change that the index must know, readers too.
    A deleted one stays as a tombstone until its traces are gone.
    """

    def __init__(self, documents: TenantCollection) -> None:
        self._documents = documents

    def add(self, document_id: str, fields: Document) -> None:
        """Add a document."""
        self._documents.insert({"_id": document_id, "deleted_at": None, **fields})

    def get(self, document_id: str) -> Document:
        """Give one document that is not deleted, or raise `NotFound`."""
        return self._documents.one({"_id": document_id, "deleted_at": None})

    def find_any(self, document_id: str) -> Document | None:
        """Give one document, also a tombstone, or None."""
        found = self._documents.find({"_id": document_id}, limit=1)
        return found[0] if found else None

    def list_some(self, document_ids: Collection[str]) -> list[Document]:
        """List those of `document_ids` that exist and are not deleted."""
        return self._documents.find({"_id": {"$in": sorted(document_ids)}, "deleted_at": None})

    def list_readable(self, readers: Collection[str], *, before: str | None, limit: int, folder_id: str | None = None,
                      anywhere: bool = True, title: str = "", author_id: str | None = None) -> list[Document]:
        """List what `readers` may read, latest change first: in one folder unless `anywhere`, with `title` in the
        title, by one author where they are given."""
        where: Document = {"readers": {"$in": sorted(readers)}, "deleted_at": None}
        if before:
            where["order"] = {"$lt": before}
        if not anywhere:
            where["folder_id"] = folder_id
        if title:
            where["title_key"] = {"$regex": re.escape(title.casefold())}
        if author_id:
            where["author_id"] = author_id
        return self._documents.find(where, sort=[("order", -1)], limit=limit)

    def list_all(self, *, after: str | None, limit: int) -> list[Document]:
        """List documents by id, tombstones among them, those after `after`."""
        return self._documents.find({} if after is None else {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=limit)

    def change(self, document_id: str, revision: int, fields: Document) -> bool:
        """Set `fields` of a document that is still at `revision` and not deleted; tell whether it was."""
        return self._documents.update({"_id": document_id, "revision": revision, "deleted_at": None},
                                      {"$set": fields}) == 1

    def mark(self, document_id: str, revision: int, status: DocumentStatus, *, error: Mapping[str, str] | None = None,
             passages: int | None = None) -> Document | None:
        """Note how far a revision is; give the document then, or None where the revision is not the latest any more."""
        fields: Document = {"status": status.value, "error": error}
        if passages is not None:
            fields["passages"] = passages
        return self._documents.one({"_id": document_id}) if self.change(document_id, revision, fields) else None

    def bury(self, document_id: str, *, now: datetime) -> bool:
        """Make a tombstone of a document: nobody finds it from now on; tell whether it was there."""
        return self._documents.update(
            {"_id": document_id, "deleted_at": None},
            {"$set": {"deleted_at": now, "title": "", "title_key": "", "readers": []}, "$inc": {"revision": 1}}) == 1

    def remove(self, document_id: str) -> None:
        """Remove a tombstone."""
        self._documents.delete({"_id": document_id, "deleted_at": {"$ne": None}})

    def move_all(self, folder_id: str, target_id: str | None) -> None:
        """Put every document of a folder into another one, None for none."""
        self._documents.update({"folder_id": folder_id}, {"$set": {"folder_id": target_id}}, many=True)


class Versions:
    """Every text that a document has had: `document_id version title text characters author_id created_at`."""

    def __init__(self, versions: TenantCollection) -> None:
        self._versions = versions

    def add(self, document_id: str, version: int, fields: Document) -> None:
        """Add a version.

        Raises:
            Conflict: `version_conflict`; somebody else has added it.
        """
        try:
            self._versions.insert({"_id": new_id(), "document_id": document_id, "version": version, **fields})
        except DuplicateKeyError as error:
            raise Conflict("Somebody else has changed this document meanwhile.", code="version_conflict") from error

    def get(self, document_id: str, version: int) -> Document:
        """Give one version with its text, or raise `NotFound`."""
        return self._versions.one({"document_id": document_id, "version": version})

    def list_pairs(self, pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Document]:
        """Give those of `(document_id, version)` that exist."""
        wanted = [{"document_id": document_id, "version": version} for document_id, version in sorted(set(pairs))]
        rows = self._versions.find({"$or": wanted}) if wanted else []
        return {(row["document_id"], row["version"]): row for row in rows}

    def list_of(self, document_id: str, *, before: int | None, limit: int) -> list[Document]:
        """List a document's versions without their texts, latest first."""
        where: Document = {"document_id": document_id}
        if before is not None:
            where["version"] = {"$lt": before}
        return self._versions.find(where, sort=[("version", -1)], limit=limit,
                                   fields=["document_id", "version", "title", "characters", "author_id", "created_at"])

    def remove_all(self, document_id: str) -> int:
        """Remove every version of a document; give their number."""
        return self._versions.delete({"document_id": document_id})


class Drafts:
    """What somebody is writing and has not saved: `document_id user_id title text base_version saved_at`."""

    def __init__(self, drafts: TenantCollection) -> None:
        self._drafts = drafts

    def find(self, document_id: str, user_id: str) -> Document | None:
        """Give one person's draft of a document, or None."""
        found = self._drafts.find({"document_id": document_id, "user_id": user_id}, limit=1)
        return found[0] if found else None

    def save(self, document_id: str, user_id: str, fields: Document) -> None:
        """Keep one person's draft of a document in place of the one before."""
        self._drafts.upsert({"document_id": document_id, "user_id": user_id}, {"$set": fields})

    def remove(self, document_id: str, user_id: str) -> None:
        """Forget one person's draft of a document."""
        self._drafts.delete({"document_id": document_id, "user_id": user_id})

    def remove_all(self, document_id: str) -> int:
        """Forget everybody's drafts of a document; give their number."""
        return self._drafts.delete({"document_id": document_id})


class Folders:
    """Folders: `_id name name_key parent_id created_at`; `parent_id` None at the top."""

    def __init__(self, folders: TenantCollection) -> None:
        self._folders = folders

    def list_all(self) -> list[Document]:
        """List every folder by name; there are at most 1,000."""
        return self._folders.find({}, sort=[("name_key", 1)])

    def get(self, folder_id: str) -> Document:
        """Give one folder, or raise `NotFound`."""
        return self._folders.one({"_id": folder_id})

    def add(self, folder_id: str, fields: Document) -> None:
        """Add a folder.

        Raises:
            Conflict: `name_taken`.
        """
        try:
            self._folders.insert({"_id": folder_id, **fields})
        except DuplicateKeyError as error:
            raise _folder_taken() from error

    def change(self, folder_id: str, fields: Document) -> None:
        """Set `fields`.

        Raises:
            NotFound: there is no such folder.
            Conflict: `name_taken`.
        """
        try:
            if not self._folders.update({"_id": folder_id}, {"$set": fields}):
                raise NotFound("There is no such folder.")
        except DuplicateKeyError as error:
            raise _folder_taken() from error

    def remove(self, folder_id: str) -> None:
        """Remove a folder."""
        self._folders.delete({"_id": folder_id})


class Links:
    """Which message or document links to which document: `source_kind source_id channel_id document_id`."""

    def __init__(self, links: TenantCollection) -> None:
        self._links = links

    def replace(self, source_kind: str, source_id: str, channel_id: str | None, document_ids: Sequence[str]) -> None:
        """Have exactly `document_ids` linked to from a source; inside a unit, in one step with what it says."""
        source = {"source_kind": source_kind, "source_id": source_id}
        self._links.delete(source)
        self._links.insert_many({"_id": new_id(), **source, "channel_id": channel_id, "document_id": document_id}
                                for document_id in document_ids)

    def list_to(self, document_id: str, source_kind: str, limit: int) -> list[Document]:
        """List the sources of one kind that link to a document, latest first."""
        return self._links.find({"document_id": document_id, "source_kind": source_kind}, sort=[("_id", -1)],
                                limit=limit)

    def remove_all(self, document_id: str) -> int:
        """Forget every link from and to a document; give their number."""
        here: dict[str, Any] = {"source_kind": "document", "source_id": document_id}
        return self._links.delete({"$or": [{"document_id": document_id}, here]})


def _folder_taken() -> Conflict:
    return Conflict("There is a folder of this name here already.", code="name_taken")
