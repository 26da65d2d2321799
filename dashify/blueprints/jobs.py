"""My background jobs, and the files they make."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response

from dashify.blueprints.answers import JobAnswer
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.headers import FILE_POLICY
from dashify.blueprints.routes import endpoint
from dashify.context import Context
from dashify.services import jobs

blueprint = guarded("jobs", signed_in)

# What a header can carry as it is; the full name travels beside it in RFC 5987's form.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-")


@endpoint(blueprint, "GET", "/jobs/<job_id>", answers={200: JobAnswer}, errors=(404,))
def show_job(ctx: Context, job_id: str) -> dict[str, Any]:
    """Say how far one of my jobs is."""
    return {"job": jobs.get_job(ctx, job_id)}


@endpoint(blueprint, "DELETE", "/jobs/<job_id>", answers={200: JobAnswer}, errors=(404, 422))
def cancel_job(ctx: Context, job_id: str) -> dict[str, Any]:
    """Cancel one of my jobs."""
    return {"job": jobs.cancel_job(ctx, job_id)}


@endpoint(blueprint, "GET", "/jobs/<job_id>/result", answers={200: bytes}, errors=(404, 422))
def download_result(ctx: Context, job_id: str) -> Response:
    """Download what one of my jobs made."""
    name, content_type, length, chunks = jobs.open_result(ctx, job_id)
    response = Response(chunks, content_type=content_type)
    response.content_length = length
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response


def disposition(name: str) -> str:
    """Give the header that saves a download under `name` instead of showing it."""
    plain = "".join(one if one in _PLAIN else "_" for one in name).strip() or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"
