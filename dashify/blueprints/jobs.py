"""My background jobs, and the files they make."""

from __future__ import annotations

from typing import Any

from flask import Response

from dashify.blueprints.answers import JobAnswer
from dashify.blueprints.downloads import download
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.context import Context
from dashify.services import jobs

blueprint = guarded("jobs", signed_in)


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
    return download(jobs.open_result(ctx, job_id))
