"""rq-dashboard: pages for SuperAdmins, nothing at all for anybody else, and no way to change anything through it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rq_dashboard
from flask import Flask
from redis import Redis
from rq import Queue, Worker
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer
from werkzeug.test import TestResponse

from dashify.blueprints.dashboard import MOUNT
from dashify.context import Platform
from dashify.local.probes import free_port
from dashify.resources import Resources
from dashify.services.superadmins import set_superadmin
from dashify.settings import Settings
from dashify.web import create_app
from tests.blueprints.conftest import Browser, sign_up

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
READABLE = ("/", "/0/", "/0/view", "/0/view/queues", "/0/view/jobs", "/0/view/workers",
            "/0/view/jobs/emails/failed/8/asc/1", "/0/view/jobs/emails/queued/200/dsc/2", "/0/data/queues.json",
            "/0/data/jobs/emails/failed/8/asc/1.json", "/0/data/workers.json", "/static/js/jquery-3.5.1.min.js",
            "/static/css/main.css", "/static/favicon.ico")


def theirs() -> list[str]:
    """Every address that rq-dashboard itself would serve, filled in."""
    app = Flask("whole")
    app.register_blueprint(rq_dashboard.blueprint)
    values = {"instance_number": "0", "queue_name": "emails", "registry_name": "failed", "per_page": "8",
              "order": "asc", "page": "1", "job_id": "evil-1", "filename": "css/main.css"}
    return [re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found.group(1)], rule.rule)
            for rule in app.url_map.iter_rules()]


PATHS = sorted({*theirs(), *READABLE, "", "/nothing", "/static/nothing", "//", "/0/view/job/evil-1"})


@pytest.fixture(scope="module")
def redis(settings: Settings) -> Iterator[Any]:
    client = Redis.from_url(settings.redis_url)
    yield client
    client.close()


@pytest.fixture
def evil(redis: Any) -> Iterator[str]:
    """A failed job whose every text is somebody's script, and a worker that has it in hand."""
    queue = Queue("emails", connection=redis, serializer=JSONSerializer)
    job = queue.enqueue_call("dashify.nothing", args=(EVIL,), job_id="evil-1", description=EVIL, meta={EVIL: EVIL})
    queue.remove(job)
    job.set_status("failed")
    queue.failed_job_registry.add(job, ttl=1000)
    Result.create_failure(job, 1000, EVIL)
    worker = Worker([queue], name="evil-worker", connection=redis, serializer=JSONSerializer)
    worker.register_birth()
    yield job.id
    worker.register_death()
    job.delete()


@pytest.fixture
def roots(browser: Callable[[], Browser], app: Flask) -> Browser:
    """The browser of somebody who is a SuperAdmin."""
    made = sign_up(browser(), "Root", "Platform")
    set_superadmin(app.extensions["dashify.platform"], made.user["email"], True)
    return made


def ask(browser: Browser, path: str, method: str = "GET") -> TestResponse:
    held = browser.http.get_cookie("dashify_csrf")
    return browser.http.open(path, method=method, headers={"X-CSRF-Token": held.value if held else ""}, buffered=True)


def plain(answer: TestResponse) -> tuple[int, dict[str, Any], str]:
    """What can be told of an answer but its request's own marks."""
    headers = {name: value for name, value in answer.headers.items()
               if name not in ("X-Request-ID", "Set-Cookie", "Content-Length")}
    return answer.status_code, headers, re.sub(r'"request_id":"\w+"', "", answer.text)


def snapshot(redis: Any) -> dict[bytes, Any]:
    """Everything that RQ holds."""
    return {key: redis.dump(key) for key in redis.keys("rq:*")}


@pytest.mark.parametrize("who", ["a stranger", "a guest", "a member", "an admin", "an owner", "somebody revoked"])
def test_the_dashboard_does_not_exist_for_anybody_but_superadmins(app: Flask, browser: Callable[[], Browser],
                                                                  alices: Browser, bobs: Browser, roots: Browser,
                                                                  evil: str, who: str) -> None:
    asker = {"a stranger": browser(), "an owner": alices, "somebody revoked": roots}.get(who, bobs)
    if who in ("a guest", "an admin"):
        assert alices.ask("PATCH", f"/users/{bobs.user['id']}", {"role": who.split()[1]}).status_code == 200
    set_superadmin(app.extensions["dashify.platform"], roots.user["email"], False)
    for method in METHODS:
        missing = plain(ask(asker, "/platform/no/such/page", method))
        assert missing[0] == 404
        for path in PATHS:
            assert plain(ask(asker, MOUNT + path, method)) == missing, (method, path)


def test_superadmins_get_every_page_with_a_policy_of_its_own(roots: Browser, evil: str, alices: Browser) -> None:
    for path in (*READABLE, f"/0/view/job/{evil}", f"/0/data/job/{evil}.json"):
        answer = ask(roots, MOUNT + path)
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        if answer.mimetype == "text/html":
            [nonce] = set(re.findall(r"<script nonce=\"([\w-]+)\"", answer.text))
            assert len(re.findall("<script", answer.text)) == answer.text.count(f'nonce="{nonce}"')
            policy = answer.headers["Content-Security-Policy"]
            assert f"script-src 'nonce-{nonce}' 'unsafe-eval';" in policy
            assert "://" not in policy
        assert ask(roots, MOUNT + path, "HEAD").status_code == 200
    assert ask(roots, MOUNT).headers["Location"] == f"{MOUNT}/"
    assert "unsafe" not in alices.get("/me").headers["Content-Security-Policy"]
    assert "unsafe-eval" not in alices.http.get("/").headers["Content-Security-Policy"]


def test_nothing_can_be_changed_by_any_method_and_address(roots: Browser, redis: Any, evil: str) -> None:
    # A registered worker that is gone, and ids of jobs that are gone: RQ tidies such up when it only reads.
    redis.sadd("rq:workers", "rq:worker:gone")
    redis.sadd("rq:worker:evil-worker:executions", "gone:1", "also-gone:2")
    redis.hset("rq:execution:also-gone:2", mapping={
        "job_id": "also-gone", "created_at": 1.0, "last_heartbeat": 1.0, "worker_name": "evil-worker"})
    redis.rpush("rq:queue:emails", "gone-1")
    before = snapshot(redis)
    for method in METHODS:
        for path in PATHS:
            answer = ask(roots, MOUNT + path, method)
            assert answer.status_code in (200, 302, 404), (method, path, answer.text)
            if method not in ("GET", "HEAD"):
                assert answer.status_code == 404, (method, path)
    assert ask(roots, f"{MOUNT}/requeue/emails").status_code == 404
    assert ask(roots, f"{MOUNT}/0/data/jobs/emails/queued/200/dsc/1.json").status_code == 200
    workers = ask(roots, f"{MOUNT}/0/data/workers.json").get_json()["workers"]
    assert [one["current_job"] for one in workers if one["name"] == "evil-worker"] == ["idle"]
    assert snapshot(redis) == before
    assert Job.exists(evil, connection=redis)
    redis.delete("rq:execution:also-gone:2", "rq:worker:evil-worker:executions")
    redis.lrem("rq:queue:emails", 0, "gone-1")
    redis.srem("rq:workers", "rq:worker:gone")


@pytest.mark.parametrize("path", [
    "/0/view/jobs/');alert(1);('/queued/8/asc/1", "/0/view/jobs/a%22%3E%3Cscript%3E/queued/8/asc/1",
    "/0/view/jobs/emails/nonsense/8/asc/1", "/0/view/jobs/emails/queued/0/asc/1", "/0/view/jobs/emails/queued/8/up/1",
    "/0/view/jobs/emails/queued/8/asc/99999999999999999999", "/0/data/jobs/emails/queued/x/asc/1.json",
    "/0/data/jobs/emails/queued/8/asc/0.json", "/1/view/queues", "/1/data/queues.json", "/0/view/job/nothing",
    "/0/data/job/nothing.json", "/0/view/job/%00", "/0/view/job/a:b", "/static/../web.py", "/static/%2e%2e/web.py",
    "/favicon.ico/x", "/0/view/job/%ff"])
def test_an_address_that_is_not_its_own_is_absent(roots: Browser, path: str) -> None:
    answer = ask(roots, MOUNT + path)
    assert answer.status_code == 404, answer.text
    assert answer.get_json()["error"]["code"] == "not_found"


def test_no_text_of_a_job_reaches_a_page_as_html(roots: Browser, evil: str) -> None:
    for path in (f"/0/data/job/{evil}.json", "/0/data/jobs/emails/failed/8/asc/1.json", f"/0/view/job/{evil}",
                 "/0/data/workers.json"):
        assert "<img" not in ask(roots, MOUNT + path).text
    shown = ask(roots, f"{MOUNT}/0/data/job/{evil}.json").get_json()
    assert shown["description"].startswith("&lt;img src=x onerror=&quot;")
    assert shown["exc_info"].startswith("&lt;img")
    assert "&lt;script&gt;" in shown["metadata"]


def test_the_address_of_redis_is_nowhere_to_be_read(roots: Browser, settings: Settings, evil: str) -> None:
    address = settings.redis_url.split("//")[1]
    for path in (*READABLE, f"/0/view/job/{evil}"):
        assert address.encode() not in ask(roots, MOUNT + path).data
        assert b"redis://" not in ask(roots, MOUNT + path).data


def test_what_is_pickled_in_redis_is_not_loaded(roots: Browser, redis: Any, evil: str, tmp_path: Path) -> None:
    made = tmp_path / "ran"
    redis.hset(f"rq:job:{evil}", "meta", b"cos\nsystem\n(S'touch " + str(made).encode() + b"'\ntR.")
    for path in (f"/0/view/job/{evil}", f"/0/data/job/{evil}.json", "/0/data/jobs/emails/failed/8/asc/1.json"):
        assert ask(roots, MOUNT + path).status_code < 500
    assert not made.exists()


def test_without_redis_it_is_unavailable_in_our_own_words(settings: Settings, resources: Resources,
                                                          built: Path) -> None:
    away = create_app(replace(settings, redis_url=f"redis://127.0.0.1:{free_port()}/0"), static=built)
    platform: Platform = away.extensions["dashify.platform"]
    platform.resources.prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashify.blueprints.guards.signed_in", lambda: None)
        patch.setattr("dashify.blueprints.guards.g", type("G", (), {"ctx": type("C", (), {
            "actor": type("A", (), {"superadmin": True})})}))
        answer = away.test_client().get(f"{MOUNT}/")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "redis_unavailable"
    platform.resources.close()


def test_its_configuration_does_not_leak_into_ours(app: Flask) -> None:
    assert not [name for name in app.config if name.startswith("RQ_")]
    assert "rq_dashboard" not in app.blueprints
    assert not hasattr(app, "redis_conn")
