"""rq-dashboard for SuperAdmins, for reading: what RQ holds of the whole installation. To others it does not exist."""

from __future__ import annotations

import html
import re
import secrets
from typing import Any

from flask import Flask, Response, current_app, redirect, request
from flask.blueprints import BlueprintSetupState
from rq_dashboard.web import NoSuchJobError
from werkzeug.routing import Rule
from werkzeug.wrappers import Response as AnyResponse

from dashify.blueprints.dashboard_app import make_dashboard, use
from dashify.blueprints.guards import guarded, superadmin, the_platform
from dashify.blueprints.routes import json_response
from dashify.errors import NotAllowedNow, NotFound

MOUNT = "/platform/rq"
# Its templates are compiled in the browser, which takes 'unsafe-eval'. Its scripts, inline or not, run by the answer's
# nonce alone: a script that got into a page by what a job says has none.
_POLICY = ("default-src 'none'; script-src 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
           "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
# What would write is not served, and so not shown; nor is the choice among several Redis servers.
_HIDDEN = ("<style>#compact-btn, #requeue-all-btn, #requeue-job-btn, #jobs .narrow, #rq-instances-row "
           "{ display: none !important }</style></head>")
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)

blueprint = guarded("dashboard", superadmin, url_prefix=None)


def install(app: Flask) -> None:
    """Make rq-dashboard ready to be asked. It connects to Redis with the first request that needs it."""
    app.extensions["dashify.dashboard"] = make_dashboard()


@blueprint.record
def mount(state: BlueprintSetupState) -> None:
    """Take every address below the mount by every method: a method that is refused would show that there is something.
    """
    for path in (MOUNT, f"{MOUNT}/", f"{MOUNT}/<path:rest>"):
        state.app.url_map.add(Rule(path, endpoint=f"{blueprint.name}.show"))
    state.app.view_functions[f"{blueprint.name}.show"] = show


def show(rest: str = "") -> AnyResponse:
    """Answer with a page, a file or data of rq-dashboard.

    Raises:
        NotFound: it has no such page, or the request is none to read one.
        NotAllowedNow: what it would show was not put there by us.
        Unavailable: `redis_unavailable`.
    """
    if request.method not in ("GET", "HEAD"):
        raise NotFound("There is no such thing here.")
    if request.path == MOUNT:
        return redirect(f"{MOUNT}/")
    answer = the_platform().resources.queues_gate.run(lambda _: _ask(current_app.extensions["dashify.dashboard"]))
    if answer.status_code != 200:
        raise NotFound("There is no such thing here.")
    shown = _shown(answer)
    shown.headers["X-Robots-Tag"] = "noindex, nofollow"
    shown.headers["Cache-Control"] = "no-store"
    return shown


def _ask(dashboard: Flask) -> AnyResponse:
    """Ask rq-dashboard, which is told nothing but the address: no cookie and no other header."""
    client = the_platform().resources.readonly_redis
    client.ping()  # one of its pages answers 200 when Redis is away
    use(dashboard, client)
    told = {name: value for name, value in request.environ.items()
            if not name.startswith(("HTTP_", "werkzeug.", "flask."))}
    environ = {**told, "REQUEST_METHOD": "GET", "QUERY_STRING": "", "HTTP_HOST": "dashify",
               "SCRIPT_NAME": MOUNT, "PATH_INFO": request.environ["PATH_INFO"].removeprefix(MOUNT)}
    try:
        return Response.from_app(dashboard, environ, buffered=True)
    except NoSuchJobError:
        raise NotFound("There is no such job.") from None
    except ValueError as error:
        raise NotAllowedNow("What RQ holds here is not ours: it is no JSON, and nothing else is read.") from error


def _shown(answer: AnyResponse) -> Response:
    if answer.mimetype == "application/json":
        return json_response(escaped(answer.get_json()))
    if answer.mimetype != "text/html":
        return Response(answer.get_data(), content_type=answer.content_type)
    nonce = secrets.token_urlsafe(16)
    page = answer.get_data(as_text=True).replace("</head>", _HIDDEN, 1)
    shown = Response(_SCRIPT.sub(f'<script nonce="{nonce}"', page), content_type="text/html; charset=utf-8")
    shown.headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
    return shown


def escaped(value: Any) -> Any:
    """Escape every string anywhere in `value` for HTML, because the pages put some of them there as they are."""
    if isinstance(value, str):
        return html.escape(value)
    if isinstance(value, dict):
        return {html.escape(name): escaped(inner) for name, inner in value.items()}
    return [escaped(inner) for inner in value] if isinstance(value, list) else value
