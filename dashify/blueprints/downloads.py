"""Files that go out: always as a download, never shown, whatever they hold."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response

from dashify.blueprints.headers import FILE_POLICY
from dashify.stores.files import StoredFile

# What a header can carry as it is; the full name travels beside it in RFC 5987's form.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-")


def download(file: StoredFile) -> Response:
    """Answer with a file that is to be saved, streamed."""
    response = Response(file.chunks, content_type=file.content_type)
    response.content_length = file.length
    response.headers["Content-Disposition"] = disposition(file.name)
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response


def disposition(name: str) -> str:
    """Give the header that saves a download under `name` instead of showing it."""
    plain = "".join(one if one in _PLAIN else "_" for one in name).strip() or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"
