"""What browsers are told about every answer: what may run, who may frame it, what may be kept."""

from __future__ import annotations

import re

from flask import Flask, Request, Response, request

from dashify.settings import Settings

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?", re.ASCII)
_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
]
_HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def install(app: Flask, settings: Settings) -> None:
    """Have every answer carry the headers; a view that sets its own policy or caching keeps it."""
    always = [*_ALWAYS, _HSTS] if settings.secure else _ALWAYS

    def add(response: Response) -> Response:
        headers = response.headers
        headers.extend(always)
        headers.setdefault("Content-Security-Policy", API_POLICY)
        headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(add)


def page_policy(nonce: str, instances: tuple[str, ...]) -> str:
    """Give the policy of the web app's page: our own scripts, styles with `nonce`, sockets to us and to `instances`."""
    # Older browsers do not count sockets as 'self'.
    sockets = [f"{scheme}://{host}" for host in [own_host(request)] if host for scheme in ("ws", "wss")]
    others = [url for instance in instances for url in (instance, re.sub("^http", "ws", instance))]
    connect = " ".join(["'self'", *sockets, *others])
    return (f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
            f"font-src 'self'; connect-src {connect}; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'")


def own_host(request: Request) -> str:
    """Give the host the request was sent to, or nothing where it is not plainly one."""
    host = request.headers.get("Host", "")
    return host if _HOST.fullmatch(host) else ""
