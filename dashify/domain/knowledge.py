"""Documents as values: who may read one, where it stands, and what a passage of it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Document = dict[str, Any]  # as stored

MAX_TITLE = 200
MAX_TEXT = 2_000_000  # code points; what a person sends as JSON is bounded by the body's size well before
MAX_FOLDERS = 1_000
MAX_DEPTH = 8
DRAFT_DAYS = 90
ORGANIZATION = "organization"
ASSISTANT = "assistant"  # in an author's place: what nobody wrote
_LINK = re.compile(r"/documents/([0-9a-f]{24})(?![0-9a-f])")
_MOST_LINKS = 200


class Visibility(StrEnum):
    """Who may read a document: its author, the people of one channel, or everybody but guests."""

    PRIVATE = "private"
    GROUP = "group"
    ORGANIZATION = "organization"


class DocumentStatus(StrEnum):
    """How far a document is on its way into the index. `FAILED` comes with an error that says why."""

    QUEUED = "queued"
    INDEXING = "indexing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text that was found: `text` is `[start:end]`, in code points, of the source's text at `version`.

    `kind` is "document" or "message" (whose version is its change number); `heading` is the path of headings above it,
    empty where there are none; `score` compares passages of one search only, higher is better.
    """

    kind: str
    source_id: str
    version: int
    title: str
    heading: str
    start: int
    end: int
    text: str
    score: float
    channel_id: str | None


def reader_of_user(user_id: str) -> str:
    """Name the principal that is one person."""
    return f"user:{user_id}"


def reader_of_channel(channel_id: str) -> str:
    """Name the principal that is everybody in a channel."""
    return f"channel:{channel_id}"


def channel_readers(channel_id: str, private: bool) -> list[str]:
    """Give who may read what belongs to a channel: those in it, and where it is public everybody but guests."""
    inside = reader_of_channel(channel_id)
    return [inside] if private else [inside, ORGANIZATION]


def readers_of(visibility: Visibility, author_id: str, channel: Document | None) -> list[str]:
    """Give the principals that may read a document; `channel` is the row of the one it is shared with.

    Only a private document names its author: whoever leaves a channel, or becomes a guest, loses what they wrote for
    those who are in it.
    """
    if visibility is Visibility.PRIVATE:
        return [reader_of_user(author_id)]
    if visibility is Visibility.GROUP:
        assert channel is not None
        return channel_readers(channel["_id"], channel["private"])
    return [ORGANIZATION]


def linked_documents(text: str) -> list[str]:
    """Give the ids of the documents that a text links to, in order, each once, 200 at most."""
    return list(dict.fromkeys(_LINK.findall(text)))[:_MOST_LINKS]


def order_key(now: datetime, document_id: str) -> str:
    """Give what documents are listed by, latest change last: 12 hex digits of the time, then of the id."""
    return f"{int(now.timestamp() * 1000):012x}{document_id[-12:]}"


def indexing_key(document_id: str, revision: int, part: int = 0) -> str:
    """Name the job that indexes one revision of a document from one part on, so that it is asked for once."""
    return f"index-{document_id}-{revision}-{part}"
