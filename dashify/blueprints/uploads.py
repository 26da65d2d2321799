"""Files that come in: a form with one file and plain fields, bounded before and while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Generic, TypeVar

from flask import Request
from gunicorn.http.errors import ParseException
from pydantic import BaseModel
from werkzeug.exceptions import ClientDisconnected

from dashify.blueprints.bodies import read_fields
from dashify.errors import Invalid

M = TypeVar("M", bound=BaseModel)
FORM = "multipart/form-data"
HEAD_BYTES = 4096
_CHUNK_BYTES = 64 * 1024
_FIELD_BYTES = 64 * 1024
_MOST_PARTS = 20
_LONGEST_NAME = 200


class SentFile(Generic[M]):
    """A file as it was sent, with the form's fields: `name` is what the sender called it, `head` its first bytes."""

    def __init__(self, name: str, stream: IO[bytes], fields: M) -> None:
        self.name = name
        self.fields = fields
        self.head = stream.read(HEAD_BYTES)
        stream.seek(0)
        self._stream = stream

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes in pieces, once."""
        while chunk := self._stream.read(_CHUNK_BYTES):
            yield chunk


def is_form(request: Request) -> bool:
    """Tell whether a request brings a form with files."""
    return request.mimetype == FORM


def read_upload(model: type[M], request: Request, most_bytes: int) -> SentFile[M]:
    """Read a form with exactly one `file` of at most `most_bytes`; its other fields are `model`.

    Raises:
        RequestEntityTooLarge: the form is larger than that, found before or while reading.
        Invalid: there is no file in it, or a field is wrong.
    """
    request.max_content_length = most_bytes + _FIELD_BYTES
    request.max_form_memory_size = _FIELD_BYTES
    request.max_form_parts = _MOST_PARTS
    try:
        files, form = request.files, request.form
    except ClientDisconnected as error:
        raise Invalid("The form ended before it was complete.") from error
    except ParseException as error:
        raise Invalid("The form is not sent in the chunks that HTTP knows.") from error
    sent = files.getlist("file")
    if len(sent) != 1 or set(files) != {"file"} or not sent[0].filename:
        raise Invalid("The form must bring exactly one file.",
                      details=[{"field": "file", "problem": "must be exactly one file"}])
    fields = read_fields(model, form)
    return SentFile(_last_part(sent[0].filename), sent[0].stream, fields)


def _last_part(name: str) -> str:
    """Give a file's name without its folders, which some browsers send along."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, extension = last.rpartition(".")
    cut = f"{stem[:_LONGEST_NAME - len(extension) - 1]}.{extension}" if dot and len(extension) < 10 else last
    return cut[:_LONGEST_NAME] or "file"
