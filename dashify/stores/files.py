"""The tenant wall for files: uploads, exports and results, in GridFS, never on a host's disk."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gridfs import GridFSBucket
from gridfs.errors import CorruptGridFile, NoFile
from gridfs.synchronous.grid_file import GridOut
from pymongo.database import Database

from dashify.domain.names import new_id
from dashify.errors import NotFound
from dashify.stores.mongo import Document, translated
from dashify.stores.tenant import WallError

CHUNK_BYTES = 255 * 1024
HALF_MADE_HOURS = 24
"""How long what a writer that died left of a file stays, where nobody comes to write or delete it again."""

_BUCKET = "files"
_FILE_ID = re.compile(r"[0-9a-f]{24}(-[0-9]{1,9})?")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff/\\:*?"<>|]+')


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is open for reading: `length` in bytes, `chunks` to be read once."""

    name: str
    content_type: str
    length: int
    chunks: Iterator[bytes]


class TenantFiles:
    """One tenant's files.

    GridFS looks a file and its chunks up by one key, and here that key begins with the tenant: no query can be without
    it, and another tenant's file is absent.
    """

    def __init__(self, database: Database[Document], tenant_id: str) -> None:
        if not isinstance(tenant_id, str) or not tenant_id:
            raise WallError("a tenant's files need a tenant")
        self._database = database
        self._tenant_id = tenant_id

    def put(self, name: str, content_type: str, chunks: Iterable[bytes], *, file_id: str | None = None,
            keep_days: int | None = None) -> str:
        """Keep a file, for `keep_days` where they are given, and give its id.

        Memory holds one GridFS chunk and one of `chunks`, however long the file is. If `chunks` raises, nothing is
        kept. A `file_id` of the caller's own replaces what was there under it.

        Raises:
            Unavailable: the database is away.
        """
        file_id = file_id or new_id()
        key = self._key(file_id)
        with translated():
            self._discard(key)
            try:
                # Chunks without a row would be found by nobody once their writer has died.
                self._note(key, name, content_type, 0, timedelta(hours=HALF_MADE_HOURS), whole=False)
                length = self._write(key, chunks)
                keep = timedelta(days=keep_days) if keep_days is not None else None
                self._note(key, name, content_type, length, keep, whole=True)
            except BaseException:
                self._discard(key)
                raise
        return file_id

    def open(self, file_id: str) -> StoredFile:
        """Open a file for reading.

        Raises:
            NotFound: this tenant has no such file.
            Unavailable: the database is away.
        """
        with translated():
            try:
                stream = self._bucket().open_download_stream(self._key(file_id))
            except NoFile as error:
                raise NotFound("There is no such file.") from error
        metadata = stream.metadata or {}
        if not metadata.get("whole", True):
            raise NotFound("There is no such file.")
        return StoredFile(stream.filename or "file", str(metadata.get("content_type", "application/octet-stream")),
                          stream.length, _read(stream))

    def delete(self, file_id: str) -> None:
        """Delete a file, or what a writer that died left of one; nothing happens where there is none."""
        with translated():
            self._discard(self._key(file_id))

    def _note(self, key: str, name: str, content_type: str, length: int, keep: timedelta | None, *,
              whole: bool) -> None:
        now = datetime.now(UTC)
        metadata = {"tenant_id": self._tenant_id, "content_type": content_type, "whole": whole,
                    "expires_at": now + keep if keep is not None else None}
        self._database[f"{_BUCKET}.files"].replace_one({"_id": key}, {
            "_id": key, "length": length, "chunkSize": CHUNK_BYTES, "uploadDate": now, "filename": safe_name(name),
            "metadata": metadata}, upsert=True)

    def _write(self, key: str, chunks: Iterable[bytes]) -> int:
        # PyMongo's own writer gathers up to 48 MB before it sends any.
        collection = self._database[f"{_BUCKET}.chunks"]
        collection.create_index([("files_id", 1), ("n", 1)], unique=True)
        length = 0
        for number, data in enumerate(_sized(chunks)):
            collection.insert_one({"files_id": key, "n": number, "data": data})
            length += len(data)
        return length

    def _discard(self, key: str) -> None:
        with contextlib.suppress(NoFile):  # raised after the chunks were deleted all the same
            self._bucket().delete(key)

    def _bucket(self) -> GridFSBucket:
        return GridFSBucket(self._database, bucket_name=_BUCKET, chunk_size_bytes=CHUNK_BYTES)

    def _key(self, file_id: str) -> str:
        if not _FILE_ID.fullmatch(file_id):
            raise NotFound("There is no such file.")
        return f"{self._tenant_id}:{file_id}"


class ExpiredFiles:
    """Every tenant's files whose time is over. They belong to nobody any more, so this stands above tenants."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def remove(self, *, now: datetime, limit: int) -> int:
        """Delete up to `limit` files whose time was over before `now`; give their number."""
        with translated():
            found = self._database[f"{_BUCKET}.files"].find({"metadata.expires_at": {"$lt": now}}, {"_id": 1})
            keys = [row["_id"] for row in found.limit(limit)]
            bucket = GridFSBucket(self._database, bucket_name=_BUCKET)
            for key in keys:
                with contextlib.suppress(NoFile):  # another worker was faster
                    bucket.delete(key)
        return len(keys)


def safe_name(name: str) -> str:
    """Give `name` fit for a download: no path, no control or direction characters, 1 to 120 characters."""
    cleaned = _UNSAFE.sub("-", name).strip(" .-")
    stem, dot, extension = cleaned.rpartition(".")
    if dot and len(extension) <= 10:
        return f"{stem[:109]}.{extension}"
    return cleaned[:120] or "file"


def _sized(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut and join `chunks` to GridFS's size: every piece but the last one is full."""
    rest = bytearray()
    for chunk in chunks:
        rest += chunk
        while len(rest) >= CHUNK_BYTES:
            yield bytes(rest[:CHUNK_BYTES])
            del rest[:CHUNK_BYTES]
    if rest:
        yield bytes(rest)


def _read(stream: GridOut) -> Iterator[bytes]:
    with translated():
        try:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk
        except CorruptGridFile as error:
            raise NotFound("This file was deleted while it was read.") from error
