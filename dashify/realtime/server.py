"""Where real time is put together: Flask-SocketIO, our manager, and the handlers of a socket's life."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from flask_socketio import SocketIO

from dashify.context import Platform
from dashify.lifecycle import Lifecycle
from dashify.realtime import beats, control, events
from dashify.realtime.connect import connect, disconnect
from dashify.realtime.gatekeeper import Gatekeeper
from dashify.realtime.hub import Hub
from dashify.realtime.manager import Manager
from dashify.realtime.websocket import WebSocket

log = logging.getLogger(__name__)

PING_SECONDS = 10


def attach(app: Flask, platform: Platform, lifecycle: Lifecycle) -> Hub:
    """Give `app` its sockets. Nothing is opened here; `start` does that, in the process that serves."""
    settings = platform.settings
    manager = Manager(platform.resources.pubsub_gate, platform.publisher.host_id)
    socketio = SocketIO()
    # Origins are checked by the gatekeeper, which answers in our shape and knows our own host; order is kept by
    # handling a socket's events one after the other.
    socketio.init_app(
        app, client_manager=manager, async_mode="gevent", transports=["websocket"], manage_session=False,
        async_handlers=False, cors_allowed_origins="*", ping_interval=PING_SECONDS, ping_timeout=PING_SECONDS,
        max_http_buffer_size=settings.limits.json_bytes, allow_upgrades=False, http_compression=False, cookie=None,
        logger=False, engineio_logger=False)
    hub = Hub(platform, lifecycle, socketio.server, manager)
    socketio.server.eio._async = {**socketio.server.eio._async, "websocket": WebSocket}
    _route(hub)
    app.wsgi_app = Gatekeeper(app.wsgi_app, platform, lifecycle)  # type: ignore[method-assign]
    app.extensions["dashify.realtime"] = hub
    return hub


def start(hub: Hub) -> None:
    """Begin to listen and to beat. Call once, in the process that serves, after the fork."""
    manager, platform = hub.manager, hub.platform

    def obey(message: dict[str, Any]) -> None:
        control.obey(hub, message)

    manager.attach(obey, lambda: beats.on_subscription_returned(hub, control.refresh))
    platform.publisher.attach(manager.deliver, obey)
    hub.lifecycle.on_drain(hub.close_all)
    hub.server.manager_initialized = True
    manager.initialize()
    beats.start(hub, control.refresh)


def _route(hub: Hub) -> None:
    """Send engine events to our handlers; python-socketio keeps the connect and disconnect handshakes."""
    server = hub.server
    server.on("connect", lambda sid, environ, auth: connect(hub, sid, environ, auth))
    server.on("disconnect", lambda sid, reason: disconnect(hub, sid, reason))

    def on_engine_connect(eio_sid: str, environ: dict[str, Any]) -> None:
        hub.expect_connect(eio_sid)
        server._handle_eio_connect(eio_sid, environ)

    def on_engine_message(eio_sid: str, data: Any) -> None:
        _on_message(hub, eio_sid, data)

    def on_engine_disconnect(eio_sid: str, reason: str) -> None:
        hub.forget_engine(eio_sid)
        server._handle_eio_disconnect(eio_sid, reason)

    server.eio.on("connect", on_engine_connect)
    server.eio.on("message", on_engine_message)
    server.eio.on("disconnect", on_engine_disconnect)


def _on_message(hub: Hub, eio_sid: str, data: Any) -> None:
    """Handle one Socket.IO packet: events by our own table, the handshakes by python-socketio, nothing else.

    Binary packets are refused: the library would collect their attachments without a bound.
    """
    kind = data[:1] if isinstance(data, str) else ""
    connection = hub.registry.find(hub.manager.sid_from_eio_sid(eio_sid, "/"))
    if kind == "2" and connection is not None:
        events.receive(hub, connection, data)
        return
    if kind not in ("0", "1"):
        hub.close_engine(eio_sid)
        return
    try:
        hub.server._handle_eio_message(eio_sid, data)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        log.debug("A malformed packet ended its socket: %s", error)
        hub.close_engine(eio_sid)
