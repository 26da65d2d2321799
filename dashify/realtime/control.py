"""Messages between instances: revocations, changed people, changed rooms, and word of messages that were dropped."""

from __future__ import annotations

import logging
from typing import Any

from dashify.errors import DashifyError
from dashify.realtime import beats
from dashify.realtime.hub import Hub
from dashify.realtime.registry import Connection
from dashify.services.sessions import check

log = logging.getLogger(__name__)


def obey(hub: Hub, message: dict[str, Any]) -> None:
    """Do what a control message says. What takes time is done aside, so that the next message is not held up."""
    kind = message.get("kind")
    if kind == "revoked":
        for session_id in message["session_ids"]:
            hub.platform.revocations.note_session(session_id)
        for connection in hub.registry.of_sessions(message["session_ids"]):
            hub.sign_out(connection)
    elif kind == "epoch":
        hub.platform.revocations.note_epoch(message["user_id"], (message["epoch"][0], message["epoch"][1]))
        if hub.registry.of_user(message["user_id"]):
            hub.server.start_background_task(refresh_user, hub, message["user_id"])
    elif kind == "opened":
        hub.open_channel(message["tenant_id"], message["channel_id"])
    elif kind == "missed":
        hub.server.start_background_task(beats.tell_heads, hub)


def refresh_user(hub: Hub, user_id: str) -> None:
    """Work out again who a person's sockets are and which rooms they belong in."""
    for connection in hub.registry.of_user(user_id):
        refresh(hub, connection)


def refresh(hub: Hub, connection: Connection) -> None:
    """Work out again who one socket is; close it where it is nobody any more.

    Raises:
        Unavailable: MongoDB is away; nothing was found out.
    """
    try:
        actor = check(hub.platform, connection.record, None)
    except DashifyError as error:
        if error.code == "unauthenticated":
            hub.sign_out(connection)
            return
        raise
    before = connection.channels
    for channel_id in hub.enter_rooms(connection, actor):
        hub.tell(connection, "channel:changed", {"channel_id": channel_id, "channel": None})
    beats.tell_entered(hub, connection, connection.channels - before)
