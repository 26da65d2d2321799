"""The state of real time on this instance, and the ways to close a socket."""

from __future__ import annotations

import logging
import math
import random
import time
from typing import Any

from dashify.context import Platform
from dashify.domain import names
from dashify.domain.accounts import Actor
from dashify.lifecycle import Lifecycle
from dashify.realtime.manager import Manager
from dashify.realtime.registry import Connection, Registry
from dashify.services.channels import visible_channels
from dashify.stores.presence import PresenceStore

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
_LINGER_SECONDS = 1.0
_TICK = 0.05
# Each that comes back costs the instances that stay a sign-in: at this pace people of theirs wait for none of it.
_MOVED_A_SECOND = 8


class Hub:
    """What the socket handlers, the control messages and the beats share. `server` is python-socketio's."""

    def __init__(self, platform: Platform, lifecycle: Lifecycle, server: Any, manager: Manager) -> None:
        self.platform = platform
        self.lifecycle = lifecycle
        self.server = server
        self.manager = manager
        self.registry = Registry()
        self.presence = PresenceStore(platform.resources.gate, platform.settings.instance)
        self.online: dict[str, set[str]] = {}
        self._closing: dict[str, float] = {}

    @property
    def subscribed(self) -> bool:
        """Tell whether this instance hears what others publish."""
        return self.manager.subscription.live

    def expect_connect(self, eio_sid: str) -> None:
        """Close a new engine socket unless it signs in within 5 s."""
        self._closing[eio_sid] = time.monotonic() + CONNECT_SECONDS

    def keep(self, eio_sid: str) -> None:
        """Let an engine socket live: it has signed in."""
        self._closing.pop(eio_sid, None)

    def close_soon(self, eio_sid: str) -> None:
        """Close an engine socket once what was just sent to it has had time to leave."""
        self._closing[eio_sid] = time.monotonic() + _LINGER_SECONDS

    def close_overdue(self) -> None:
        """Close the engine sockets whose time is up."""
        now = time.monotonic()
        for eio_sid in [sid for sid, due in self._closing.items() if due <= now]:
            del self._closing[eio_sid]
            self.close_engine(eio_sid)

    def forget_engine(self, eio_sid: str) -> None:
        """Forget an engine socket that is gone."""
        self._closing.pop(eio_sid, None)

    def close_engine(self, eio_sid: str) -> None:
        """Close a socket below Socket.IO: to a client that is a broken transport, so it connects again by itself."""
        socket = self.server.eio.sockets.get(eio_sid)
        if socket is not None:
            socket.close(wait=False, abort=True, reason=self.server.reason.SERVER_DISCONNECT)

    def sign_out(self, connection: Connection) -> None:
        """Close a socket so that its client does not come back by itself: Socket.IO's DISCONNECT, then the engine."""
        if self.registry.find(connection.sid) is None:
            return
        self.server.disconnect(connection.sid)
        self.registry.remove(connection.sid)
        self.close_engine(connection.eio_sid)

    def forget_gone(self) -> None:
        """Forget sockets whose engine socket ended without a word to us, as one may in the middle of signing in."""
        for connection in self.registry.all():
            if connection.eio_sid not in self.server.eio.sockets:
                self.registry.remove(connection.sid)

    def close_all(self, seconds: float) -> None:
        """Close every engine socket, in random order, over up to `seconds`, so that not all come back at once.

        What closing takes counts: a slow machine closes more at a time rather than for longer.
        """
        eio_sids = list(self.server.eio.sockets)
        random.shuffle(eio_sids)
        window = max(_TICK, min(seconds, len(eio_sids) / _MOVED_A_SECOND))
        started, closed = time.monotonic(), 0
        while closed < len(eio_sids):
            passed = time.monotonic() - started + _TICK
            due = min(len(eio_sids), math.ceil(len(eio_sids) * passed / window))
            for eio_sid in eio_sids[closed:due]:
                self.close_engine(eio_sid)
            closed = due
            time.sleep(_TICK)

    def enter_rooms(self, connection: Connection, actor: Actor) -> set[str]:
        """Put a socket into exactly the rooms that are its actor's; give the ids of channels it lost."""
        opened_before = set(connection.opened)
        rows = visible_channels(self.platform.context(actor))
        channels = {row["_id"] for row in rows}
        if actor.may("channel.browse"):
            channels |= connection.opened - opened_before  # while we read, so perhaps not in what we read
        tenant_id, sid = actor.tenant_id, connection.sid
        if self.registry.find(sid) is None:
            return set()
        self._move(sid, names.user_room(tenant_id, actor.user_id), True)
        self._move(sid, names.tenant_room(tenant_id), True)
        self._move(sid, names.browsers_room(tenant_id), actor.may("channel.browse"))
        self._move(sid, names.admins_room(tenant_id), actor.may("queue.view"))
        for channel_id in channels - connection.channels:
            self._move(sid, names.channel_room(tenant_id, channel_id), True)
        lost = connection.channels - channels
        for channel_id in lost:
            self._move(sid, names.channel_room(tenant_id, channel_id), False)
        connection.channels = channels
        connection.actor = actor
        return lost

    def open_channel(self, tenant_id: str, channel_id: str) -> None:
        """Put everybody connected here who may browse into the room of a new public channel."""
        for connection in self.registry.of_tenant(tenant_id):
            if channel_id not in connection.channels and connection.actor.may("channel.browse"):
                self._move(connection.sid, names.channel_room(tenant_id, channel_id), True)
                connection.channels.add(channel_id)
                connection.opened.add(channel_id)

    def tell(self, connection: Connection, event: str, payload: Any) -> None:
        """Send an event to one socket of this instance."""
        self.manager.deliver(connection.sid, event, payload)

    def _move(self, sid: str, room: str, inside: bool) -> None:
        if inside:
            self.manager.basic_enter_room(sid, "/", room)
        else:
            self.manager.basic_leave_room(sid, "/", room)
