"""rq-dashboard as an app of its own, so that its configuration is not ours, made of those of its views that only read.

Its other views are not served at all. What it reads comes through a client of Redis that refuses to write, and by JSON
only: left to itself it would unpickle what it finds there, and so run it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask
from rq_dashboard import web
from werkzeug.routing import BaseConverter

from dashify.clients.readonly import ReadOnlyRedis
from dashify.domain.jobs import Queue

# One page of a queue's registry. The pages put the queue's name into a script as it is, hence the narrow converter.
_LIST = ("<name:queue_name>/<any(queued, scheduled, deferred, started, finished, failed, canceled):registry_name>/"
         "<int(min=1, max=200):per_page>/<any(asc, dsc):order>/<int(min=1, max=1000000):page>")
_READING = (
    ("/", "queues_overview"), ("/0/", "queues_overview"), ("/0/view", "queues_overview"),
    ("/0/view/queues", "queues_overview"), ("/0/view/workers", "workers_overview"),
    (f"/0/view/jobs/{_LIST}", "jobs_overview"), ("/0/view/job/<name:job_id>", "job_view"),
    ("/0/data/queues.json", "list_queues"), ("/0/data/workers.json", "list_workers"),
    (f"/0/data/jobs/{_LIST}.json", "list_jobs"), ("/0/data/job/<name:job_id>.json", "job_info"),
)
_FIRST_JOBS = {"queue_name": Queue.EMAILS.value, "registry_name": "queued", "per_page": 8, "order": "asc", "page": 1}
# Its pages name the addresses of these; they lead nowhere.
_NAMED_ONLY = (("/queue/<queue_name>/compact", "compact_queue"), ("/requeue/<queue_name>", "requeue_all"))


class NameConverter(BaseConverter):
    """A queue's name or a job's id: nothing that means something in HTML, JavaScript or a Redis key."""

    regex = r"[A-Za-z0-9_.-]{1,100}"


class JsonJob(web.Job):  # type: ignore[misc]  # rq-dashboard has no type information
    """RQ's job, read as JSON also where rq-dashboard does not say so."""

    @classmethod
    def fetch(cls, id: str, connection: Any, serializer: Any = "json") -> Any:  # noqa: A002 - RQ's name
        """Read one job."""
        return super().fetch(id, connection, serializer)


class JsonWorker(web.Worker):  # type: ignore[misc]  # rq-dashboard has no type information
    """RQ's worker, read as JSON."""

    @classmethod
    def all(cls, connection: Any) -> Any:
        """Read every worker."""
        return super().all(connection=connection, job_class=JsonJob, serializer="json")

    def get_current_job(self) -> Any:
        """Give the job that the worker has in hand; None also where RQ has forgotten it."""
        try:
            return super().get_current_job()
        except web.NoSuchJobError:
            return None

    def _set_connection(self, connection: Any) -> Any:
        """Leave the time limit of the connection alone: RQ would raise it to minutes, for every user of its pool."""
        return connection


def make_dashboard() -> Flask:
    """Make the app. It connects to nothing; `use` says with what client it reads."""
    web.config.serializer, web.Job, web.Worker = "json", JsonJob, JsonWorker
    app = Flask("rq_dashboard", static_folder="static")
    # The list of Redis addresses is shown on every page, so it holds a name instead.
    app.config.update(RQ_DASHBOARD_REDIS_URL=("Dashify",), RQ_DASHBOARD_DISABLE_DELETE=True,
                      PROPAGATE_EXCEPTIONS=True, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.redirect_defaults = False
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["name"] = NameConverter
    app.register_blueprint(_reading())
    return app


def use(app: Flask, client: ReadOnlyRedis) -> None:
    """Have the app read through `client`."""
    app.redis_conn = client  # type: ignore[attr-defined]  # where rq-dashboard looks for it


def _reading() -> Blueprint:
    """Make rq-dashboard's blueprint again, without what writes and without its own way to Redis."""
    blueprint = Blueprint("rq_dashboard", "rq_dashboard", template_folder="templates", static_folder="static")
    blueprint.context_processor(web.inject_interval)
    for path, name in _READING:
        blueprint.add_url_rule(path, name, getattr(web, name), defaults={"instance_number": 0})
    blueprint.add_url_rule("/0/view/jobs", "jobs_overview", web.jobs_overview,
                           defaults={"instance_number": 0, **_FIRST_JOBS})
    for path, name in _NAMED_ONLY:
        blueprint.add_url_rule(path, name, build_only=True)
    return blueprint
