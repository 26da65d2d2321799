"""Who is online: told at once when it changes, and compared with Redis at every beat, to notice a lost instance."""

from __future__ import annotations

import time

from dashify.domain import names
from dashify.domain.accounts import Actor
from dashify.errors import Unavailable
from dashify.realtime.hub import Hub
from dashify.realtime.registry import Connection

_GRACE_SECONDS = 3.0


def arrive(hub: Hub, connection: Connection) -> None:
    """Show somebody's arrival to their organization, and to them who else is there."""
    actor = connection.actor
    try:
        online = hub.presence.list_online(actor.tenant_id)
        hub.presence.mark(actor.tenant_id, [actor.user_id])
    except Unavailable:
        return
    for user_id in online | {actor.user_id}:
        hub.tell(connection, "presence", {"user_id": user_id, "state": "online"})
    if actor.user_id not in online:
        _tell_all(hub, actor.tenant_id, actor.user_id, "online")
    hub.online.setdefault(actor.tenant_id, set()).update(online | {actor.user_id})


def leave(hub: Hub, actor: Actor) -> None:
    """Show that somebody has gone, unless they are back, or connected elsewhere, a moment later."""
    time.sleep(_GRACE_SECONDS)
    if hub.registry.of_user(actor.user_id):
        return
    try:
        hub.presence.unmark(actor.tenant_id, actor.user_id)
        online = hub.presence.list_online(actor.tenant_id)
    except Unavailable:
        return
    if actor.user_id not in online:
        hub.online.get(actor.tenant_id, set()).discard(actor.user_id)
        _tell_all(hub, actor.tenant_id, actor.user_id, "offline")


def beat(hub: Hub) -> None:
    """Renew this instance's marks and tell its sockets what changed without having been told."""
    tenants: dict[str, set[str]] = {}
    for user_id, tenant_id in hub.registry.users().items():
        tenants.setdefault(tenant_id, set()).add(user_id)
    for tenant_id, user_ids in tenants.items():
        hub.presence.mark(tenant_id, user_ids)
        now, before = hub.presence.list_online(tenant_id), hub.online.get(tenant_id, set())
        room = names.browsers_room(tenant_id)
        for user_id in now ^ before:
            state = "online" if user_id in now else "offline"
            hub.manager.deliver(room, "presence", {"user_id": user_id, "state": state})
        hub.online[tenant_id] = now
    for gone in set(hub.online) - set(tenants):
        del hub.online[gone]


def _tell_all(hub: Hub, tenant_id: str, user_id: str, state: str) -> None:
    payload = {"user_id": user_id, "state": state}
    hub.platform.publisher.emit(names.browsers_room(tenant_id), "presence", payload)
