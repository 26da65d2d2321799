from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dashify.context import Context, Platform
from dashify.domain.names import channel_room, new_id
from dashify.lifecycle import Lifecycle
from dashify.realtime import control
from dashify.realtime.hub import Hub
from dashify.realtime.registry import Bucket, Connection
from dashify.services import channels, chat
from dashify.services.chat import list_heads
from dashify.stores.sessions import SessionRecord


class Rooms:
    """Who is in which room, and what was told, in order."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        self.told: list[tuple[str, Any]] = []

    def basic_enter_room(self, sid: str, namespace: str, room: str) -> None:
        self.inside.add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str) -> None:
        self.inside.discard(room)

    def deliver(self, room: str, event: str, payload: Any) -> None:
        self.told.append((event, payload))


@pytest.fixture
def hub(platform: Platform) -> Hub:
    return Hub(platform, Lifecycle(), SimpleNamespace(), Rooms())  # type: ignore[arg-type]


def connect(hub: Hub, ctx: Context) -> Connection:
    actor = ctx.actor
    record = SessionRecord(new_id(), actor.user_id, actor.tenant_id, int(actor.version.split(":")[0]),
                           ctx.now.timestamp())
    connection = Connection("sid", "engine", "key", record, actor, Bucket(10))
    hub.registry.add(connection)
    hub.enter_rooms(connection, actor)
    connection.heads = list_heads(ctx)
    return connection


def test_who_enters_a_room_late_is_told_what_went_past(
        hub: Hub, alice: Context, bob: Context, refreshed: Callable[[Context], Context]) -> None:
    his = connect(hub, bob)
    secret = channels.create_channel(alice, "secret", True, [])["id"]
    alice = refreshed(alice)
    channels.add_member(alice, secret, bob.actor.user_id)
    # The room is entered only after the channel was read: until then what is posted goes past this socket.
    chat.post_message(alice, secret, "welcome", "c1", None)
    control.refresh(hub, his)
    rooms: Any = hub.manager
    assert channel_room(bob.actor.tenant_id, secret) in rooms.inside
    assert rooms.told == [("heads", {"epoch": hub.platform.restore_epoch, "heads": {secret: 1}})]
    control.refresh(hub, his)
    assert len(rooms.told) == 1
    channels.remove_member(alice, secret, bob.actor.user_id)
    control.refresh(hub, his)
    assert channel_room(bob.actor.tenant_id, secret) not in rooms.inside
    assert rooms.told[1:] == [("channel:changed", {"channel_id": secret, "channel": None})]
