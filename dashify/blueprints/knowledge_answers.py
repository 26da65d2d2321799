"""What goes out about documents, folders and search."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dashify.blueprints.answers import Moment, Outgoing
from dashify.blueprints.knowledge_schemas import VisibilityName


class Source(Outgoing):
    """The file that a document was uploaded as."""

    name: str
    content_type: str
    bytes: int


class Problem(Outgoing):
    """Why something did not work."""

    code: str
    message: str


class ListedDocument(Outgoing):
    """A document without its text. `version` is 0 until an uploaded file has been read."""

    id: str
    title: str
    version: int
    visibility: VisibilityName
    channel_id: str | None
    folder_id: str | None
    status: Literal["queued", "indexing", "ready", "failed"]
    error: Problem | None
    author_id: str
    updated_by: str
    created_at: Moment
    updated_at: Moment
    characters: int
    source: Source | None


class Draft(Outgoing):
    """What I am writing and have not saved."""

    title: str
    text: str
    base_version: int
    saved_at: Moment


class FullDocument(ListedDocument):
    """A document as one person reads it."""

    text: str
    editable: bool = Field(description="Whether I may change the text.")
    manageable: bool = Field(description="Whether I may delete it or change who reads it.")
    draft: Draft | None


class DocumentAnswer(Outgoing):
    """One document."""

    document: FullDocument


class DocumentsAnswer(Outgoing):
    """Documents, latest change first."""

    documents: list[ListedDocument]
    next: str | None


class DraftAnswer(Outgoing):
    """My draft as it was kept."""

    draft: Draft


class ListedVersion(Outgoing):
    """One version without its text."""

    version: int
    title: str
    characters: int
    author_id: str
    created_at: Moment


class Version(ListedVersion):
    """One version."""

    text: str


class VersionAnswer(Outgoing):
    """One version of a document."""

    version: Version


class VersionsAnswer(Outgoing):
    """Versions, latest first."""

    versions: list[ListedVersion]
    next: str | None


class LinkingMessage(Outgoing):
    """A message that links to a document."""

    id: str
    channel_id: str
    channel_name: str
    seq: int
    author_id: str
    text: str
    created_at: Moment


class LinkingDocument(Outgoing):
    """A document that links to another one."""

    id: str
    title: str


class LinksAnswer(Outgoing):
    """What links to a document, of what I may read."""

    documents: list[LinkingDocument]
    messages: list[LinkingMessage]


class Folder(Outgoing):
    """A folder; `parent_id` is null at the top."""

    id: str
    name: str
    parent_id: str | None


class FolderAnswer(Outgoing):
    """One folder."""

    folder: Folder


class FoldersAnswer(Outgoing):
    """Every folder, by name."""

    folders: list[Folder]
    next: str | None


class Found(Outgoing):
    """Something that was found. `marks` are ranges of the snippet's code points that match; `start` and `end` are where
    the passage is in the document's text at `version`.
    """

    kind: Literal["document", "message"]
    id: str
    title: str
    snippet: str
    marks: list[tuple[int, int]]
    channel_id: str | None
    seq: int | None
    version: int | None
    start: int | None
    end: int | None
    author_id: str | None
    at: Moment | None


class SearchAnswer(Outgoing):
    """What was found, best first."""

    results: list[Found]
    next: str | None
