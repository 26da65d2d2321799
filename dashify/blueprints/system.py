"""What operators and balancers ask: is the process up, should it get traffic, what does it measure."""

from __future__ import annotations

import threading
import time

from flask import Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dashify.blueprints.guards import anybody, guarded
from dashify.blueprints.routes import json_response
from dashify.blueprints.visitor import is_loopback
from dashify.context import Platform
from dashify.errors import NotFound, Unavailable
from dashify.gate import RedisGate
from dashify.release import read_release

PROBE_HOLDS_SECONDS = 1.0

blueprint = guarded("system", anybody, url_prefix=None)


class Readiness:
    """Whether this instance should get traffic: what it needs is there, and it is not on its way out."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._redis_seen = (float("-inf"), False)

    def reasons(self, subscribed: bool) -> list[str]:
        """List what speaks against sending traffic here; nothing means ready."""
        found = {
            "draining": self._platform.resources.lifecycle.draining,
            "preparing": not self._platform.resources.prepared,
            "schema": self._platform.resources.standing.behind,
            "mongodb": not self._platform.database_available(),
            "redis": not self._redis_answers(),
            "subscription": not subscribed,
        }
        return [reason for reason, holds in found.items() if holds]

    def _redis_answers(self) -> bool:
        gate = self._platform.resources.gate
        with self._lock:
            if time.monotonic() - self._redis_seen[0] > PROBE_HOLDS_SECONDS:
                self._redis_seen = (time.monotonic(), _pings(gate))
            return self._redis_seen[1] and gate.available


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say that the process is up, and of which release. Asks nothing and nobody."""
    return json_response({"status": "up", "release": read_release()})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Say whether to send traffic here; `?lb` says 404 instead of 503, which takes no running request down."""
    readiness: Readiness = current_app.extensions["dashify.readiness"]
    realtime = current_app.extensions.get("dashify.realtime")
    reasons = readiness.reasons(bool(getattr(realtime, "subscribed", False)))
    unready = 404 if "lb" in request.args else 503
    return json_response({"ready": not reasons, "reasons": reasons}, unready if reasons else 200)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Give the process's metrics to this host only: not through a proxy, not from outside."""
    if "X-Forwarded-For" in request.headers or not is_loopback(request.remote_addr or ""):
        raise NotFound("There is no such thing here.")
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _pings(gate: RedisGate) -> bool:
    try:
        gate.run(lambda client: client.ping())
    except Unavailable:
        return False
    return True
