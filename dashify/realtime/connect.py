"""A socket's beginning and end: who it is, which rooms it is in, and what it is told first."""

from __future__ import annotations

import logging
from typing import Any

from socketio.exceptions import ConnectionRefusedError as Refused
from werkzeug.http import parse_cookie

from dashify.domain.names import session_cookie
from dashify.errors import DashifyError, RateLimited, Unauthenticated
from dashify.realtime import presence
from dashify.realtime.hub import Hub
from dashify.realtime.registry import Bucket, Connection
from dashify.services.chat import list_heads
from dashify.services.sessions import Seen, authenticate

log = logging.getLogger(__name__)

# How long a socket waits until its organization's events are heard; then it goes on, and is told to catch up later.
_HEAR_SECONDS = 2.0


def connect(hub: Hub, sid: str, environ: dict[str, Any], auth: Any) -> None:
    """Let a socket in, or refuse it with `{code}`.

    Entered in the registry first and checked after, so that a revocation at the same moment finds it in one of the
    two; and its organization's events are heard before its rooms and heads are read, so that nothing falls between.
    """
    eio_sid = hub.manager.eio_sid_from_sid(sid, "/")
    try:
        seen = _prove(hub, environ, auth)
        connection = _enter(hub, sid, eio_sid, seen)
        hub.manager.subscription.hear(seen.actor.tenant_id, _HEAR_SECONDS)
        actor = _prove(hub, environ, auth).actor
        hub.enter_rooms(connection, actor)
    except Exception as error:  # whatever it was, nothing of this socket may stay behind
        hub.registry.remove(sid)
        hub.close_soon(eio_sid)
        if not isinstance(error, DashifyError):
            log.exception("A socket could not be let in")
            raise Refused("Something went wrong on our side.", {"code": "internal"}) from error
        raise Refused(error.message, {"code": error.code}) from error
    hub.keep(eio_sid)
    hub.server.start_background_task(_greet, hub, connection)


def disconnect(hub: Hub, sid: str, reason: str) -> None:
    """Forget a socket that has gone."""
    connection = hub.registry.remove(sid)
    if connection is not None and not hub.registry.of_user(connection.actor.user_id):
        hub.server.start_background_task(presence.leave, hub, connection.actor)


def _prove(hub: Hub, environ: dict[str, Any], auth: Any) -> Seen:
    if isinstance(auth, dict) and auth.get("token") is not None:
        raise Unauthenticated("This token is not valid.")
    cookie = parse_cookie(environ.get("HTTP_COOKIE")).get(session_cookie(hub.platform.settings.secure))
    if not cookie:
        raise Unauthenticated("You are not signed in.")
    return authenticate(hub.platform, cookie)


def _enter(hub: Hub, sid: str, eio_sid: str, seen: Seen) -> Connection:
    limits = hub.platform.settings.limits
    if len(hub.registry.of_user(seen.actor.user_id)) >= limits.sockets_per_user:
        raise RateLimited("You have too many open pages.", retry_after=5, code="too_many_sockets")
    connection = Connection(sid, eio_sid, seen.key_hash, seen.record, seen.actor, Bucket(limits.events_per_second))
    hub.registry.add(connection)
    return connection


def _greet(hub: Hub, connection: Connection) -> None:
    """Say hello: after CONNECT, which was queued before this ran, and with heads read after the rooms were entered."""
    try:
        connection.heads = list_heads(hub.platform.context(connection.actor))
        epoch = hub.platform.restore_epoch
    except DashifyError:
        hub.close_engine(connection.eio_sid)  # without heads it could not know what it lacks: let it come again
        return
    hub.tell(connection, "hello", {
        "user_id": connection.actor.user_id, "instance": hub.platform.settings.instance, "epoch": epoch,
        "heads": connection.heads})
    presence.arrive(hub, connection)

