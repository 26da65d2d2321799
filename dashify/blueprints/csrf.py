"""Writes from other sites: the token that only our pages can read, and the origins that are ours."""

from __future__ import annotations

import hmac
import secrets

from flask import Flask, Response, current_app, request

from dashify.blueprints.session import the_session
from dashify.domain.accounts import token_hash
from dashify.domain.names import csrf_cookie
from dashify.domain.network import is_own_origin
from dashify.errors import Forbidden
from dashify.settings import Settings

HEADER = "X-CSRF-Token"
READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_NONCE_CHARACTERS = 22


class CsrfTokens:
    """Makes and checks tokens: a nonce, and an HMAC of it and of the session it is bound to."""

    def __init__(self, settings: Settings) -> None:
        self.cookie = csrf_cookie(settings.secure)
        self.secure = settings.secure
        self.seconds = settings.session_absolute_seconds
        self.own_pages = (settings.public_url,)
        self._key = hmac.digest(settings.secret_key.encode(), b"dashify csrf", "sha256")

    def make(self, binding: str) -> str:
        """Make a token bound to a session's cookie, or to having none where `binding` is empty."""
        nonce = secrets.token_urlsafe(16)
        return nonce + self._mac(nonce, binding)

    def holds(self, token: str, binding: str) -> bool:
        """Tell whether `token` is one that `make` gave for `binding`, in constant time."""
        nonce, mac = token[:_NONCE_CHARACTERS], token[_NONCE_CHARACTERS:]
        return _same(mac, self._mac(nonce, binding))

    def _mac(self, nonce: str, binding: str) -> str:
        bound = token_hash(binding) if binding else ""
        return hmac.digest(self._key, f"{nonce}\n{bound}".encode("utf-8", "surrogatepass"), "sha256").hex()


def install(app: Flask, settings: Settings) -> None:
    """Refuse foreign origins before anything else runs, and keep the token's cookie right after it."""
    app.extensions["dashify.csrf"] = CsrfTokens(settings)
    app.before_request(refuse_foreign_origin)
    app.after_request(renew_token)


def refuse_foreign_origin() -> None:
    """Refuse a write whose `Origin` is neither the request's own host nor our public URL.

    Raises:
        Forbidden: `origin_refused`.
    """
    origin = request.headers.get("Origin")
    if origin is None or request.method in READING:
        return
    if not is_own_origin(origin, request.headers.get("Host", ""), _tokens().own_pages):
        raise Forbidden("This request comes from another site.", code="origin_refused")


def check_token() -> None:
    """Demand that a write with the session cookie also shows the token of that session, in header and cookie.

    Raises:
        Forbidden: `csrf_failed`.
    """
    mine = the_session()
    if request.method in READING or mine.sid is None:
        return
    tokens = _tokens()
    shown, kept = request.headers.get(HEADER, ""), request.cookies.get(tokens.cookie, "")
    if not (_same(shown, kept) and tokens.holds(shown, mine.sid)):
        raise Forbidden("This request lacks its page's token. Please load the page again.", code="csrf_failed")


def renew_token(response: Response) -> Response:
    """Set the token's cookie after a sign-in or sign-out, and on any GET where it is missing or of another session.

    Files that proxies may keep get none, or one visitor's token would be served to all.
    """
    tokens, mine = _tokens(), the_session()
    held = request.cookies.get(tokens.cookie, "")
    changed = mine.replacement is not None or mine.ended
    stale = request.method in ("GET", "HEAD") and not tokens.holds(held, mine.binding)
    if changed or (stale and "public" not in response.headers.get("Cache-Control", "")):
        response.set_cookie(tokens.cookie, tokens.make(mine.binding), max_age=tokens.seconds, path="/",
                            secure=tokens.secure, httponly=False, samesite="Lax")
    return response


def _tokens() -> CsrfTokens:
    found: CsrfTokens = current_app.extensions["dashify.csrf"]
    return found


def _same(one: str, other: str) -> bool:
    # As bytes: the comparison refuses text beyond ASCII, which a header may hold.
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
