"""What may come in about documents, folders and search."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from dashify.blueprints.schemas import Flag, Line, Page, QueryNumber, ShortLine
from dashify.domain.inputs import Identifier, Input, Number, Text
from dashify.domain.knowledge import MAX_TEXT, MAX_TITLE

VisibilityName = Literal["private", "group", "organization"]


def _unix_lines(value: str) -> str:
    """Offsets count characters of what is kept, so a line ends in one way only."""
    return value.replace("\r\n", "\n").replace("\r", "\n")


Title = Annotated[Line, StringConstraints(min_length=1, max_length=MAX_TITLE)]
DocumentText = Annotated[Text, Field(max_length=MAX_TEXT), AfterValidator(_unix_lines)]
FolderName = Annotated[Line, StringConstraints(min_length=1, max_length=80)]
Question = Annotated[Line, StringConstraints(min_length=1, max_length=400)]


class NewDocument(Input):
    """A document to write. A `group` is the people of a channel, which has to be named."""

    title: Title
    text: DocumentText
    visibility: VisibilityName = "private"
    channel_id: Identifier | None = None
    folder_id: Identifier | None = None


class UploadFields(Input):
    """What comes with a file; without a title the file's own, or its name, is taken."""

    title: Title | None = None
    visibility: VisibilityName = "private"
    channel_id: Identifier | None = None
    folder_id: Identifier | None = None


class DocumentChange(Input):
    """What to change of a document; at least one of them. `version` is the one that the edit began from."""

    title: Title | None = None
    text: DocumentText | None = None
    version: Number | None = None
    visibility: VisibilityName | None = None
    channel_id: Identifier | None = None
    folder_id: Identifier | None = None

    @model_validator(mode="after")
    def _something(self) -> DocumentChange:
        if not self.changes():
            raise ValueError("title, text, visibility, channel_id or folder_id is required")
        return self

    def changes(self) -> dict[str, str | None]:
        """Give what was given; only the folder may be given as none."""
        given = self.model_dump(exclude_unset=True, exclude={"version"})
        return {name: value for name, value in given.items() if value is not None or name == "folder_id"}


class NewDraft(Input):
    """What somebody is writing, and the version that they began from."""

    title: Annotated[Line, StringConstraints(max_length=MAX_TITLE)]
    text: DocumentText
    base_version: Number


class DocumentPage(Page):
    """Which documents: of one folder, with `query` in the title, or only `mine`."""

    folder_id: ShortLine | None = None
    query: Annotated[Line, StringConstraints(max_length=MAX_TITLE)] = ""
    mine: Flag = False


class VersionPage(Page):
    """Which versions; `cursor` is a version's number."""

    cursor: QueryNumber | None = None  # type: ignore[assignment]  # a number where other lists have text


class NewFolder(Input):
    """A folder to make."""

    name: FolderName
    parent_id: Identifier | None = None


class FolderChange(Input):
    """A folder's new name or place; at least one of them."""

    name: FolderName | None = None
    parent_id: Identifier | None = None

    @model_validator(mode="after")
    def _something(self) -> FolderChange:
        if not self.changes():
            raise ValueError("name or parent_id is required")
        return self

    def changes(self) -> dict[str, str | None]:
        """Give what was given; only the parent may be given as none."""
        given = self.model_dump(exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None or name == "parent_id"}


class SearchPage(Page):
    """What to look for, and in what."""

    q: Question
    kind: Literal["document", "message"] | None = None
