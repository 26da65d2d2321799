"""Folders of documents: names to find things by. They give nobody a right to read anything."""

from __future__ import annotations

from typing import Any

from dashify.context import Context
from dashify.domain.knowledge import MAX_DEPTH, MAX_FOLDERS
from dashify.domain.names import is_id, new_id
from dashify.errors import Forbidden, NotAllowedNow, NotFound
from dashify.services import views
from dashify.units import Unit

Json = dict[str, Any]
Row = dict[str, Any]


def list_folders(ctx: Context) -> Json:
    """List every folder by name; guests, who see single documents only, get none."""
    rows = ctx.store.folders.list_all() if ctx.actor.may("document.write") else []
    return {"folders": [views.folder(row) for row in rows], "next": None}


def create_folder(ctx: Context, name: str, parent_id: str | None) -> Json:
    """Make a folder, inside another one where that is named.

    Raises:
        Forbidden: guests make no folders.
        NotFound: there is no such parent.
        Conflict: `name_taken`, in the same place.
        NotAllowedNow: `folder_depth`, `too_many_folders`.
    """
    _permit(ctx)
    folder_id = new_id()

    def work(unit: Unit) -> Row:
        known = _by_id(unit)
        if len(known) >= MAX_FOLDERS:
            raise NotAllowedNow("There are too many folders already.", code="too_many_folders")
        if len(_path(known, parent_id)) >= MAX_DEPTH:
            raise NotAllowedNow(f"Folders go {MAX_DEPTH} deep at most.", code="folder_depth")
        fields = {"name": name, "name_key": name.casefold(), "parent_id": parent_id, "created_at": unit.now}
        unit.store.folders.add(folder_id, fields)
        return {"_id": folder_id, **fields}

    return views.folder(ctx.unit(work))


def change_folder(ctx: Context, folder_id: str, change: Row) -> Json:
    """Rename a folder or put it into another one, with all that is in it.

    Raises:
        As `create_folder`, and NotAllowedNow `folder_cycle`: a folder cannot be inside itself.
    """
    _permit(ctx)

    def work(unit: Unit) -> Row:
        known = _by_id(unit)
        if folder_id not in known:
            raise NotFound("There is no such folder.")
        row = {**known[folder_id], **change}
        path = _path(known, row["parent_id"])
        if folder_id in path:
            raise NotAllowedNow("A folder cannot be inside itself.", code="folder_cycle")
        if len(path) + _height(known, folder_id) > MAX_DEPTH:
            raise NotAllowedNow(f"Folders go {MAX_DEPTH} deep at most.", code="folder_depth")
        unit.store.folders.change(folder_id, {**change, "name_key": row["name"].casefold()})
        return row

    return views.folder(ctx.unit(work))


def remove_folder(ctx: Context, folder_id: str) -> None:
    """Remove a folder; what is in it, documents that I may not read among it, moves to where the folder was.

    Raises:
        Forbidden: guests remove no folders.
        NotFound: there is no such folder.
        Conflict: `name_taken`; a folder in it has the name of one that is there.
    """
    _permit(ctx)

    def work(unit: Unit) -> None:
        known = _by_id(unit)
        if folder_id not in known:
            raise NotFound("There is no such folder.")
        parent_id = known[folder_id]["parent_id"]
        unit.store.folders.remove(folder_id)
        for row in known.values():
            if row["parent_id"] == folder_id:
                unit.store.folders.change(row["_id"], {"parent_id": parent_id})
        unit.store.documents.move_all(folder_id, parent_id)

    ctx.unit(work)


def _permit(ctx: Context) -> None:
    if not ctx.actor.may("document.write"):
        raise Forbidden("Guests cannot change folders.")


def _by_id(unit: Unit) -> dict[str, Row]:
    return {row["_id"]: row for row in unit.store.folders.list_all()}


def _path(known: dict[str, Row], folder_id: str | None) -> list[str]:
    """Give the ids from a folder up to the top, `folder_id` None for none.

    Raises:
        NotFound: there is no such folder.
    """
    path: list[str] = []
    while folder_id is not None:
        if not is_id(folder_id) or folder_id not in known:
            raise NotFound("There is no such folder.")
        path.append(folder_id)
        folder_id = known[folder_id]["parent_id"]
    return path


def _height(known: dict[str, Row], folder_id: str) -> int:
    below = [row["_id"] for row in known.values() if row["parent_id"] == folder_id]
    return 1 + max((_height(known, one) for one in below), default=0)
