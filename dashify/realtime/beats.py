"""What this instance does regularly: heads, re-checks, presence, and closing what outstayed its time."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection

from dashify import metrics
from dashify.errors import DashifyError, Unavailable
from dashify.realtime import presence
from dashify.realtime.hub import Hub
from dashify.realtime.registry import Connection

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
_UNCHECKED_SECONDS = 30.0
_CHUNK = 500


def start(hub: Hub, refresh: Callable[[Hub, Connection], None]) -> None:
    """Start the beats of this instance; they end with the drain."""
    hub.server.start_background_task(_every_second, hub)
    hub.server.start_background_task(_every_beat, hub, refresh)


def tell_heads(hub: Hub) -> None:
    """Tell each socket the heads of its channels that moved since it was last told, read from MongoDB.

    Raises:
        Unavailable: MongoDB is away.
    """
    by_tenant: dict[str, list[Connection]] = {}
    for connection in hub.registry.all():
        by_tenant.setdefault(connection.actor.tenant_id, []).append(connection)
    for tenant_id, connections in by_tenant.items():
        _tell_moved(hub, tenant_id, connections, set().union(*(one.channels for one in connections)))


def tell_entered(hub: Hub, connection: Connection, channel_ids: set[str]) -> None:
    """Tell one socket the heads of channels whose rooms it has just entered: what was posted before went past it.

    Raises:
        Unavailable: MongoDB is away.
    """
    if channel_ids:
        _tell_moved(hub, connection.actor.tenant_id, [connection], channel_ids)


def recheck(hub: Hub, refresh: Callable[[Hub, Connection], None]) -> None:
    """Close sockets whose session ended, and bring up to date those whose person changed, whatever pub/sub missed.

    Raises:
        Unavailable: MongoDB is away.
    """
    platform = hub.platform
    platform.revocations.reload()
    connections = hub.registry.all()
    for start_at in range(0, len(connections), _CHUNK):
        chunk = connections[start_at:start_at + _CHUNK]
        live = platform.sessions.list_live([one.record.id for one in chunk], platform.now)
        for connection in chunk:
            if connection.record.id not in live:
                hub.sign_out(connection)
                continue
            latest = platform.revocations.latest(connection.actor.user_id, None)
            if latest is not None and connection.actor.version != f"{latest[0]}:{latest[1]}":
                refresh(hub, connection)
            connection.checked_at = time.monotonic()


def on_heard_again(hub: Hub, refresh: Callable[[Hub, Connection], None], tenant_ids: Collection[str] | None) -> None:
    """After deafness towards some organizations (None: to everything): have their clients catch up, and check all."""
    hub.server.start_background_task(_catch_up, hub, hub.registry.tenants() if tenant_ids is None else tenant_ids)
    if tenant_ids is None:
        hub.server.start_background_task(_guarded, recheck, hub, refresh)


def _catch_up(hub: Hub, tenant_ids: Collection[str]) -> None:
    """Put sockets into the rooms of public channels that were opened unheard, then tell them to fetch everything."""
    for tenant_id in tenant_ids:
        _guarded(_enter_opened, hub, tenant_id)
        for connection in hub.registry.of_tenant(tenant_id):
            hub.tell(connection, "resync", {})
    _guarded(tell_heads, hub)


def _enter_opened(hub: Hub, tenant_id: str) -> None:
    for row in hub.platform.store_of(tenant_id).channels.list_visible(private_ids=(), public_ids=None):
        hub.open_channel(tenant_id, row["_id"])


def _tell_moved(hub: Hub, tenant_id: str, connections: list[Connection], channel_ids: set[str]) -> None:
    heads = hub.platform.store_of(tenant_id).channels.list_heads(channel_ids)
    epoch = hub.platform.restore_epoch
    for connection in connections:
        moved = {one: heads[one] for one in connection.channels
                 if one in heads and heads[one] > connection.heads.get(one, 0)}
        if moved:
            connection.heads.update(moved)
            hub.tell(connection, "heads", {"epoch": epoch, "heads": moved})


def _every_second(hub: Hub) -> None:
    due = time.monotonic() + 1.0
    while not hub.lifecycle.wait_for_drain(max(0.0, due - time.monotonic())):
        metrics.loop_lag_seconds.set(max(0.0, time.monotonic() - due))
        due = time.monotonic() + 1.0
        hub.close_overdue()


def _every_beat(hub: Hub, refresh: Callable[[Hub, Connection], None]) -> None:
    while not hub.lifecycle.wait_for_drain(BEAT_SECONDS * random.uniform(0.9, 1.0)):
        hub.forget_gone()
        hub.manager.subscription.keep(hub.registry.tenants())
        _guarded(recheck, hub, refresh)
        _guarded(tell_heads, hub)
        _guarded(presence.beat, hub)
        _close_unchecked(hub)


def _close_unchecked(hub: Hub) -> None:
    """Close the sockets that could not be checked for 30 s: nobody knows whether they are still allowed."""
    limit = time.monotonic() - _UNCHECKED_SECONDS
    for connection in hub.registry.all():
        if connection.checked_at < limit:
            hub.close_engine(connection.eio_sid)


def _guarded(work: Callable[..., None], *args: object) -> None:
    """Do one part of a beat; the next beat comes whatever happens."""
    try:
        work(*args)
    except Unavailable as error:
        log.info("A beat was skipped: %s", error.message)
    except DashifyError as error:
        log.warning("A beat failed: %s", error.message)
    except Exception:  # a beat must not end the beating
        log.exception("A beat failed")
