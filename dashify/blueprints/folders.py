"""Folders of documents."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.knowledge_answers import FolderAnswer, FoldersAnswer
from dashify.blueprints.knowledge_schemas import FolderChange, NewFolder
from dashify.blueprints.routes import endpoint
from dashify.context import Context
from dashify.services import folders

blueprint = guarded("folders", signed_in)


@endpoint(blueprint, "GET", "/folders", answers={200: FoldersAnswer})
def list_folders(ctx: Context) -> dict[str, Any]:
    """List every folder; there are at most 1,000."""
    return folders.list_folders(ctx)


@endpoint(blueprint, "POST", "/folders", answers={201: FolderAnswer}, errors=(403, 404, 409, 422))
def create_folder(ctx: Context, body: NewFolder) -> dict[str, Any]:
    """Make a folder."""
    return {"folder": folders.create_folder(ctx, body.name, body.parent_id)}


@endpoint(blueprint, "PATCH", "/folders/<folder_id>", answers={200: FolderAnswer}, errors=(403, 404, 409, 422))
def change_folder(ctx: Context, folder_id: str, body: FolderChange) -> dict[str, Any]:
    """Rename a folder, or put it into another one."""
    return {"folder": folders.change_folder(ctx, folder_id, body.changes())}


@endpoint(blueprint, "DELETE", "/folders/<folder_id>", answers={204: None}, errors=(403, 404, 409))
def remove_folder(ctx: Context, folder_id: str) -> None:
    """Remove a folder; what is in it moves to where the folder was."""
    folders.remove_folder(ctx, folder_id)
