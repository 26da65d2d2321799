"""Documents: writing and uploading, reading, sharing, drafts, versions, and what links to them."""

from __future__ import annotations

from typing import Any

from flask import Response

from dashify.blueprints.downloads import download
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.knowledge_answers import (
    DocumentAnswer,
    DocumentsAnswer,
    DraftAnswer,
    LinksAnswer,
    VersionAnswer,
    VersionsAnswer,
)
from dashify.blueprints.knowledge_schemas import (
    DocumentChange,
    DocumentPage,
    NewDocument,
    NewDraft,
    UploadFields,
    VersionPage,
)
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import PositiveNumber
from dashify.blueprints.uploads import SentFile
from dashify.context import Context
from dashify.domain.files import kind_of
from dashify.domain.knowledge import Visibility
from dashify.services import documents, versions
from dashify.services.documents import Place, Upload

blueprint = guarded("documents", signed_in)

_DOCUMENT = "/documents/<document_id>"
_VERSION = "/documents/<document_id>/versions/<version>"


@endpoint(blueprint, "GET", "/documents", answers={200: DocumentsAnswer}, errors=(404,))
def list_documents(ctx: Context, query: DocumentPage) -> dict[str, Any]:
    """List the documents that I may read, latest change first."""
    return documents.list_documents(ctx, query.cursor, query.limit, folder_id=query.folder_id, title=query.query,
                                    mine=query.mine)


@endpoint(blueprint, "POST", "/documents", answers={201: DocumentAnswer}, errors=(403, 404, 422, 429))
def create_document(ctx: Context, body: NewDocument | None, upload: SentFile[UploadFields] | None) -> dict[str, Any]:
    """Write a document, or upload a file as one: Markdown, text, HTML, PDF or DOCX."""
    if upload is None:
        assert body is not None
        return {"document": documents.create_document(ctx, body.title, body.text, _place(body))}
    kind = kind_of(upload.name, upload.head)
    sent = Upload(upload.name, kind.content_type, kind.value, upload.chunks())
    return {"document": documents.upload_document(ctx, upload.fields.title or "", sent, _place(upload.fields))}


@endpoint(blueprint, "GET", _DOCUMENT, answers={200: DocumentAnswer}, errors=(404,))
def show_document(ctx: Context, document_id: str) -> dict[str, Any]:
    """Give a document with its text, and my draft of it."""
    return {"document": documents.get_document(ctx, document_id)}


@endpoint(blueprint, "PUT", _DOCUMENT, answers={200: DocumentAnswer}, errors=(403, 404, 409, 422))
def change_document(ctx: Context, document_id: str, body: DocumentChange) -> dict[str, Any]:
    """Save a new version, or change who reads the document or where it is."""
    return {"document": documents.change_document(ctx, document_id, body.changes(), body.version)}


@endpoint(blueprint, "DELETE", _DOCUMENT, answers={204: None}, errors=(403, 404))
def delete_document(ctx: Context, document_id: str) -> None:
    """Delete a document with every trace of it."""
    documents.delete_document(ctx, document_id)


@endpoint(blueprint, "PUT", f"{_DOCUMENT}/draft", answers={200: DraftAnswer}, errors=(403, 404))
def save_draft(ctx: Context, document_id: str, body: NewDraft) -> dict[str, Any]:
    """Keep what I am writing; nobody else sees it."""
    return {"draft": versions.save_draft(ctx, document_id, body.title, body.text, body.base_version)}


@endpoint(blueprint, "DELETE", f"{_DOCUMENT}/draft", answers={204: None}, errors=(403, 404))
def discard_draft(ctx: Context, document_id: str) -> None:
    """Forget what I was writing."""
    versions.discard_draft(ctx, document_id)


@endpoint(blueprint, "GET", f"{_DOCUMENT}/versions", answers={200: VersionsAnswer}, errors=(404,))
def list_versions(ctx: Context, document_id: str, query: VersionPage) -> dict[str, Any]:
    """List a document's versions, latest first."""
    return versions.list_versions(ctx, document_id, query.cursor, query.limit)


@endpoint(blueprint, "GET", _VERSION, answers={200: VersionAnswer}, errors=(404,))
def show_version(ctx: Context, document_id: str, version: PositiveNumber) -> dict[str, Any]:
    """Give one version with its text."""
    return {"version": versions.get_version(ctx, document_id, version)}


@endpoint(blueprint, "POST", f"{_VERSION}/restore", answers={200: DocumentAnswer}, errors=(403, 404))
def restore_version(ctx: Context, document_id: str, version: PositiveNumber) -> dict[str, Any]:
    """Make a version the latest again."""
    return {"document": versions.restore_version(ctx, document_id, version)}


@endpoint(blueprint, "GET", f"{_DOCUMENT}/links", answers={200: LinksAnswer}, errors=(404,))
def list_links(ctx: Context, document_id: str) -> dict[str, Any]:
    """List what links to a document."""
    return versions.list_links(ctx, document_id)


@endpoint(blueprint, "GET", f"{_DOCUMENT}/file", answers={200: bytes}, errors=(404,))
def download_original(ctx: Context, document_id: str) -> Response:
    """Download the file that a document was uploaded as."""
    return download(documents.open_original(ctx, document_id))


def _place(given: NewDocument | UploadFields) -> Place:
    return Place(Visibility(given.visibility), given.channel_id, given.folder_id)
