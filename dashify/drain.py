"""The gunicorn worker that stops without a failed request or a lost message."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import sys
import time
from functools import partial
from http import HTTPStatus
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker

from dashify.domain.names import new_id
from dashify.errors import EXIT_OUTDATED, Outdated
from dashify.lifecycle import Lifecycle
from dashify.logs import JsonLines

_CLOSE_SOCKETS_AFTER = 1.0
_NOTIFY_SECONDS = 1.0
_TICK = 0.1
_FLUSH_SECONDS = 1.0
_STATUS = {errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
           errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
           errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED}


class DrainingWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's gevent worker with a drain of ours.

    SIGTERM: readiness fails at once; for `drain_accept_seconds` the balancer may still send requests, each answered
    with `Connection: close`. From the first second on open sockets are closed in slices, over up to
    `drain_sockets_seconds`; when the last is closed the listener closes. At last idle keep-alive connections are
    closed, what runs is finished, and the process ends; what still runs `drain_limit_seconds` after the signal is cut.
    gunicorn's own worker refuses connections within a second of the signal and cuts sockets after the whole time-out.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: set[Any] = set()
        self._drained = Event()
        self._gone_at = 0.0

    @property
    def lifecycle(self) -> Lifecycle:
        """The life of the application that this worker serves."""
        return self.wsgi.extensions["dashify.lifecycle"]  # type: ignore[no-any-return]

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin the drain; a second signal changes nothing."""
        if not self.lifecycle.draining:
            self.lifecycle.begin_drain()
            gevent.spawn(self._drain)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection, remembering it while it waits for a request."""
        self._idle.add(client)
        try:
            super().handle(listener, client, addr)
        finally:
            self._idle.discard(client)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        """Serve one request; while draining it is the last of its connection."""
        self._idle.discard(sock)
        try:
            if self.lifecycle.draining:
                req.must_close = True
            return super().handle_request(listener_name, req, sock, addr)
        finally:
            self._idle.add(sock)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is not HTTP in the shape of every other error; leave what is our own fault to gunicorn."""
        ours = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)
        if not isinstance(exc, errors.ParseException) or isinstance(exc, ours):
            super().handle_error(req, client, addr, exc)
            return
        self.log.debug("Not a request: %s", exc)
        status = _STATUS.get(type(exc), HTTPStatus.BAD_REQUEST)
        error = {"code": "invalid", "message": "This is not a valid HTTP request.", "details": [],
                 "request_id": new_id()}
        body = json.dumps({"error": error})
        head = (f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\nConnection: close\r\n"
                f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n")
        with contextlib.suppress(OSError):
            client.sendall((head + body).encode())

    def run(self) -> None:
        """Serve until the drain is over, and let what was published last leave.

        A release that is too old for the database ends with exit code 3, and gunicorn with it: no other start helps.
        """
        try:
            self.wsgi.extensions["dashify.start"]()
        except Outdated as error:
            self.log.error("%s", error.message)
            self.wsgi.extensions["dashify.stop"]()
            sys.exit(EXIT_OUTDATED)
        self._serve()
        self.wsgi.extensions["dashify.platform"].publisher.flush(_FLUSH_SECONDS)
        self.wsgi.extensions["dashify.stop"]()
        _leave()

    def _serve(self) -> None:
        """Accept connections until the drain says otherwise, then end the idle ones and wait for those that work.

        A loop of ours, since gunicorn's looks once a second at whether to close the listener, and once a second at
        whether everybody has gone.
        """
        servers = [StreamServer(one, handle=partial(self.handle, one), spawn=Pool(self.worker_connections))
                   for one in self.sockets]
        for server in servers:
            server.start()
        while self.alive:
            self.notify()
            self._drained.wait(_NOTIFY_SECONDS)
        for server in servers:
            server.close()
        while any(server.pool for server in servers) and time.monotonic() < self._gone_at:
            self.notify()
            self._hang_up_idle()
            gevent.sleep(_TICK)
        for server in servers:
            if server.pool:
                self.log.warning("At the limit of the drain %d connection(s) still work and are cut", len(server.pool))
                server.pool.kill(timeout=1)

    def _drain(self) -> None:
        started = time.monotonic()
        settings = self.wsgi.extensions["dashify.settings"]
        self._gone_at = started + settings.drain_limit_seconds
        self.log.info("Draining: %d requests are running", self.lifecycle.running)
        gevent.sleep(min(_CLOSE_SOCKETS_AFTER, settings.drain_accept_seconds))
        closing = gevent.spawn(self.lifecycle.close_connections, settings.drain_sockets_seconds)
        gevent.sleep(max(0.0, started + settings.drain_accept_seconds - time.monotonic()))
        # A balancer that is refused takes this instance for dead, and cuts all sockets that are still open at once.
        closing.join(max(0.0, self._gone_at - time.monotonic()))
        self.alive = False
        self._drained.set()

    def _hang_up_idle(self) -> None:
        for client in list(self._idle):
            self._idle.discard(client)
            _hang_up(client)


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's own lines in the shape of all others."""

    def setup(self, cfg: Any) -> None:
        """Configure as gunicorn does, then write JSON lines."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())


def _leave() -> None:
    """End the process without the interpreter's own end: it takes seconds to visit every object of a large heap."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _hang_up(client: Any) -> None:
    """End an idle connection: its reader sees the end of the stream and closes it.

    By the socket underneath, since gevent's own `shutdown` would wake the reader with an exception instead.
    """
    try:
        client._sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it went by itself
