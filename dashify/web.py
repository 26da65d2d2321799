"""The one place that wires every room into an app that can be served."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

from flask import Flask

from dashify import logs, metrics, realtime
from dashify.blueprints import (
    access,
    assistant,
    audit,
    auth,
    channels,
    csrf,
    dashboard,
    documents,
    errors,
    folders,
    guards,
    headers,
    invitations,
    jobs,
    me,
    messages,
    notifications,
    pages,
    queues,
    reports,
    search,
    system,
    users,
    visitors,
)
from dashify.blueprints.rates import Rates
from dashify.blueprints.session import WorkspaceSessionInterface
from dashify.context import Platform
from dashify.domain.fleet import API
from dashify.domain.network import parse_networks
from dashify.errors import DashifyError, Outdated, Unavailable
from dashify.lifecycle import Lifecycle
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.schema import BEAT_SECONDS

log = logging.getLogger(__name__)
_PREPARE_SECONDS = 0.5

BLUEPRINTS = (auth.blueprint, visitors.blueprint, me.blueprint, users.blueprint, invitations.blueprint,
              channels.blueprint, messages.blueprint, documents.blueprint, folders.blueprint, search.blueprint,
              assistant.blueprint, notifications.blueprint, reports.blueprint, jobs.blueprint, audit.blueprint,
              queues.blueprint, dashboard.blueprint, system.blueprint, pages.blueprint)


def create_app(settings: Settings, lifecycle: Lifecycle | None = None, static: Path = pages.STATIC) -> Flask:
    """Make the app. Nothing is connected to here: every client opens with the first request that needs it.

    `static` is the folder of the built web app; it may be missing, and may be built later.

    Raises:
        SettingsError: the trusted proxies are no networks.
    """
    life = lifecycle or Lifecycle()
    logs.set_up(settings.log_level, instance=settings.instance)
    platform = Platform(Resources(settings, life))
    app = Flask("dashify", static_folder=None)
    app.config.update(
        # One more than is allowed: a body without a told length is cut there silently, and so is found to be too long.
        MAX_CONTENT_LENGTH=settings.limits.json_bytes + 1, SESSION_REFRESH_EACH_REQUEST=False,
        PROVIDE_AUTOMATIC_OPTIONS=False, PERMANENT_SESSION_LIFETIME=settings.session_seconds)
    # A redirect to a tidier address would be an answer in another shape, and clients drop the body of a write.
    app.url_map.merge_slashes = False
    app.session_interface = WorkspaceSessionInterface(app, settings)
    app.extensions.update({
        "dashify.platform": platform, "dashify.rates": Rates(),
        "dashify.proxies": parse_networks(settings.trusted_proxies),
        "dashify.readiness": system.Readiness(platform), "dashify.static": static})
    access.install(app, life)
    headers.install(app, settings)
    csrf.install(app, settings)
    errors.install(app)
    dashboard.install(app)
    app.before_request(guards.on_our_schema)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    hub = realtime.attach(app, platform, life)
    app.extensions.update({
        "dashify.lifecycle": life, "dashify.settings": settings, "dashify.start": lambda: _start(platform, hub),
        "dashify.stop": platform.resources.standing.leave})
    return app


def _start(platform: Platform, hub: realtime.Hub) -> None:
    """Begin to listen, to beat and to prepare; for the process that serves, once, after the fork.

    Raises:
        Outdated: the database has left this release behind; not found out here while MongoDB is away.
    """
    metrics.process_slots.labels(API, "").set(platform.settings.worker_connections)
    platform.resources.standing.kind = "api"
    try:
        platform.resources.standing.check()
    except Unavailable as error:
        log.warning("Not ready to serve yet: %s", error.message)
    realtime.start(hub)
    hub.server.start_background_task(_prepare, platform)


def _prepare(platform: Platform) -> None:
    """Prepare as soon as the database is there, with our schema; until then the instance is not ready."""
    said = ""
    while not platform.resources.prepared:
        try:
            platform.resources.prepare()
            break
        except Outdated as error:
            _end(error)
            break
        except DashifyError as error:
            if error.message != said:
                log.warning("Not ready to serve yet: %s", error.message)
            said = error.message
        except Exception:  # the next try may find a server that has finished starting
            log.exception("Preparing failed")
        time.sleep(_PREPARE_SECONDS)
    _keep_standing(platform)


def _keep_standing(platform: Platform) -> None:
    """Say every 5 s that this instance runs, to its very end, and end it once a newer release has taken over."""
    while True:
        time.sleep(BEAT_SECONDS)
        if platform.resources.standing.left:
            return
        try:
            platform.resources.standing.check()
        except Outdated as error:
            if not platform.resources.lifecycle.draining:
                _end(error)
        except DashifyError as error:
            log.warning("This instance could not look at the database's schema: %s", error.message)
        except Exception:  # the next look may succeed
            log.exception("This instance could not look at the database's schema")


def _end(error: Outdated) -> None:
    """Drain as after any SIGTERM. gunicorn then starts its worker again, which refuses, and so ends gunicorn too."""
    log.error("%s", error.message)
    os.kill(os.getpid(), signal.SIGTERM)
