"""The session cookie: Flask-Session's Redis interface, with the parts replaced that would bring a revoked session back.

Nothing is read when a session is opened: the guard of a signed-in blueprint has the cookie proven by the services.
Nothing is written at the end of a request but the cookie itself: creation, touch and revocation belong to the services.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, cast

from flask import Flask, Request, Response, session
from flask_session.base import Serializer
from flask_session.redis import RedisSession, RedisSessionInterface

from dashify.domain.accounts import SignedIn
from dashify.domain.names import session_cookie
from dashify.settings import Settings

LONGEST_COOKIE = 200


class WorkspaceSession(RedisSession):  # type: ignore[misc]  # Flask-Session has no type information
    """One request's session: the cookie that came (`sid`), and what the answer is to do about it."""

    def __init__(self, sid: str | None) -> None:
        super().__init__(sid=sid)
        self.touched = False
        self.replacement: str | None = None
        self.ended = False

    @property
    def binding(self) -> str:
        """What a CSRF token is bound to after this request: the cookie the browser will have, or nothing."""
        return "" if self.ended else self.replacement or self.sid or ""

    def enter(self, signed: SignedIn) -> None:
        """Have the answer carry the cookie of somebody who just signed in."""
        self.replacement, self.ended = signed.cookie, False

    def leave(self) -> None:
        """Have the answer take the cookie away."""
        self.ended, self.touched = True, False


class JsonSerializer(Serializer):  # type: ignore[misc]  # Flask-Session has no type information
    """JSON and nothing else. Flask-Session's own falls back to msgpack and pickle, and so runs what is in Redis."""

    def encode(self, session: Any) -> bytes:
        """Write a session's values."""
        return json.dumps(dict(session)).encode()

    def decode(self, serialized_data: bytes) -> dict[str, Any]:
        """Read a session's values; raise ValueError for anything that is no JSON object."""
        value = json.loads(serialized_data)
        if not isinstance(value, dict):
            raise ValueError("a session is a JSON object")
        return value


class WorkspaceSessionInterface(RedisSessionInterface):  # type: ignore[misc]  # Flask-Session has no type information
    """Opens sessions without a look at Redis, and closes them without a write to it."""

    session_class = WorkspaceSession

    def __init__(self, app: Flask, settings: Settings) -> None:
        # Not the parent's: it wants a Redis client of its own, and there is exactly one way to Redis.
        self.app = app
        self.serializer = JsonSerializer()
        self.cookie = session_cookie(settings.secure)
        self._seconds = settings.session_seconds
        self._secure = settings.secure

    def open_session(self, app: Flask, request: Request) -> WorkspaceSession:
        """Take the cookie as it came; one that cannot be ours counts as none, yet is left where it is."""
        sid = request.cookies.get(self.cookie)
        return WorkspaceSession(sid if sid and len(sid) <= LONGEST_COOKIE else None)

    def save_session(self, app: Flask, session: WorkspaceSession, response: Response) -> None:
        """Set the cookie after a sign-in or a touch, remove it after a sign-out, and leave it alone in any other case.

        A session that does not hold any more keeps its cookie: a failover may know it again; only its owner ends it.
        """
        if session.ended:
            response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")
        elif session.replacement or session.touched:
            response.set_cookie(self.cookie, session.replacement or session.sid or "", max_age=self._seconds, path="/",
                                secure=self._secure, httponly=True, samesite="Lax")

    def regenerate(self, session: WorkspaceSession) -> NoReturn:
        """Refuse: a new id is given by the services, which move the mirror too."""
        raise _not_here()

    def _retrieve_session_data(self, store_id: str) -> NoReturn:
        raise _not_here()

    def _delete_session(self, store_id: str) -> NoReturn:
        raise _not_here()

    def _upsert_session(self, session_lifetime: Any, session: WorkspaceSession, store_id: str) -> NoReturn:
        raise _not_here()


def the_session() -> WorkspaceSession:
    """Give this request's session by its own type."""
    return cast(WorkspaceSession, session)


def _not_here() -> RuntimeError:
    return RuntimeError("Sessions are read and written by dashify.services.sessions only.")
