"""The web app: its one page, and the files that the build made for it."""

from __future__ import annotations

import html
import mimetypes
import re
import secrets
from pathlib import Path

from flask import Request, Response, current_app, request, send_file

from dashify.blueprints.guards import anybody, guarded, the_platform
from dashify.blueprints.headers import page_policy
from dashify.errors import NotFound

STATIC = Path(__file__).resolve().parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
_FILE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)
_INTERFACES = ("/api/", "/assets/", "/socket.io/", "/platform/")
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Dashify</title></head>
<body><h1>The web app has not been built yet</h1>
<p>Run <code>make build</code> in Dashify's folder and load this page again. The API is up and answers.</p>
</body></html>
"""

blueprint = guarded("pages", anybody, url_prefix=None)


@blueprint.get("/")
def home() -> Response:
    """Show the web app."""
    return page_or_hint()


@blueprint.get("/assets/<path:name>")
def asset(name: str) -> Response:
    """Give a file whose name changes with its content, so that it may be kept for ever."""
    response = _file(_find(f"assets/{name}") or _find_shared(name))
    response.headers["Cache-Control"] = FOREVER
    return response


def is_page(request: Request) -> bool:
    """Tell whether an address that nothing else serves is the web app's to show: read, and no part of an interface."""
    return request.method in ("GET", "HEAD") and not request.path.startswith(_INTERFACES)


def page_or_hint() -> Response:
    """Give the file that the address names, or else the web app's page, which knows its own addresses."""
    name = request.path.lstrip("/")
    path = _find(name) if "." in name and name != "index.html" else None
    if path:
        response = _file(path)
        response.headers["Cache-Control"] = "no-cache"
        return response
    return _index()


def _index() -> Response:
    nonce, instances = secrets.token_urlsafe(16), _instances()
    path = _static() / "index.html"
    try:
        text, status = path.read_text(encoding="utf-8"), 200
    except OSError:
        text, status = _NOT_BUILT, 503
    text = text.replace("__CSP_NONCE__", nonce).replace("__INSTANCES__", html.escape(" ".join(instances)))
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = page_policy(nonce, instances)
    # The nonce is this answer's own, so it must be asked for anew, yet may be shown again when going back.
    response.headers["Cache-Control"] = "no-cache"
    return response


def _file(path: Path | None) -> Response:
    if path is None:
        raise NotFound("There is no such file.")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return send_file(path, mimetype=kind, conditional=True, etag=True)


def _find(name: str) -> Path | None:
    return _find_in(_static(), name)


def _find_shared(name: str) -> Path | None:
    """Find an asset of another release. Its name changes with its content, so none can be mistaken for ours."""
    folder = the_platform().settings.assets_folder
    return _find_in(Path(folder), name) if folder else None


def _find_in(folder: Path, name: str) -> Path | None:
    """Find a file. The pattern leaves no way out of the folder: no part begins with a dot."""
    path = folder / name
    return path if _FILE.fullmatch(name) and path.is_file() else None


def _static() -> Path:
    found: Path = current_app.extensions["dashify.static"]
    return found


def _instances() -> tuple[str, ...]:
    listed = the_platform().settings.public_instances
    return tuple(part.strip().rstrip("/") for part in listed.split(",") if part.strip())
