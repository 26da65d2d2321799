"""The web app's files, the security headers, and what operators ask."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from dashify.blueprints.visitor import describe_device
from dashify.lifecycle import Lifecycle
from dashify.settings import Settings
from dashify.web import create_app
from tests.blueprints.conftest import Browser


def test_every_answer_carries_the_security_headers(app: Flask, alices: Browser) -> None:
    for path in ("/", "/healthz", "/assets/index-4f2a.js", "/assets/none.js", "/api/v1/me", "/api/v1/none",
                 "/some/page"):
        headers = alices.http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Permissions-Policy" in headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers
        assert len(headers.getlist("Content-Security-Policy")) == 1
    api = alices.get("/me").headers
    assert (api["Cache-Control"], api["Content-Security-Policy"].split(";")[0]) == ("no-store", "default-src 'none'")


def test_the_page_has_a_new_nonce_each_time_and_knows_the_instances(settings: Settings, built: Path) -> None:
    app = create_app(replace(settings, public_instances="http://127.0.0.1:8000, https://two.test/"), static=built)
    pages = [app.test_client().get(path) for path in ("/", "/invite/some-token", "/channels/general")]
    nonces = set()
    for page in pages:
        nonce = re.search(r'csp-nonce" content="([\w-]{22})"', page.text)
        assert nonce is not None
        policy = page.headers["Content-Security-Policy"]
        assert f"style-src 'self' 'nonce-{nonce.group(1)}'" in policy
        for source in ("'self'", "ws://localhost", "wss://localhost", "http://127.0.0.1:8000", "wss://two.test"):
            assert source in re.search(r"connect-src ([^;]+)", policy).group(1).split()  # type: ignore[union-attr]
        assert 'content="http://127.0.0.1:8000 https://two.test"' in page.text
        assert page.headers["Cache-Control"] == "no-cache"
        nonces.add(nonce.group(1))
    assert len(nonces) == 3


def test_built_files_are_kept_for_ever_and_shared_ones_set_no_cookie(app: Flask) -> None:
    client = app.test_client()
    asset = client.get("/assets/index-4f2a.js")
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert asset.mimetype == "text/javascript"
    assert "Set-Cookie" not in asset.headers
    again = client.get("/assets/index-4f2a.js", headers={"If-None-Match": asset.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/favicon.svg").headers["Cache-Control"] == "no-cache"


def test_no_path_leads_out_of_the_built_files(app: Flask, built: Path) -> None:
    (built.parent / "secret.txt").write_text("out of bounds")
    client = app.test_client()
    for path in ("/assets/../../secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/%00", "/assets/.hidden",
                 "/assets//etc/passwd", "/assets/a/../index-4f2a.js", "/../secret.txt", "/..%2fsecret.txt", "/%00.txt"):
        answer = client.get(path)
        assert answer.status_code in (200, 404), path
        assert b"out of bounds" not in answer.data
        assert b"root:" not in answer.data


def test_assets_of_other_releases_come_from_the_shared_folder(settings: Settings, built: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "index-old1.js").write_text("the release before")
    (shared / "index-4f2a.js").write_text("not ours")
    (tmp_path / "secret.txt").write_text("out of bounds")
    client = create_app(replace(settings, assets_folder=str(shared)), static=built).test_client()
    old = client.get("/assets/index-old1.js")
    assert (old.status_code, old.text, old.mimetype) == (200, "the release before", "text/javascript")
    assert old.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/assets/index-4f2a.js").text != "not ours"
    for path in ("/assets/none.js", "/assets/../secret.txt", "/assets/..%2fsecret.txt", "/assets/.hidden"):
        answer = client.get(path)
        assert answer.status_code in (200, 404), path
        assert "out of bounds" not in answer.text
    without = create_app(settings, static=built).test_client()
    assert without.get("/assets/index-old1.js").status_code == 404


def test_a_missing_build_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    page = create_app(settings, static=tmp_path).test_client().get("/")
    assert page.status_code == 503
    assert "make build" in page.text


def test_readiness_names_its_reasons_and_says_404_to_a_balancer(settings: Settings) -> None:
    life = Lifecycle()
    client = create_app(replace(settings, redis_url="redis://127.0.0.1:9/0"), life).test_client()
    life.begin_drain()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.get_json()["reasons"]) >= {"draining", "redis", "subscription"}
    assert "mongodb" not in answer.get_json()["reasons"]
    assert answer.headers["Connection"] == "close"
    assert client.get("/readyz?lb").status_code == 404


def test_an_instance_with_all_it_needs_is_ready(settings: Settings) -> None:
    app = create_app(settings)
    app.extensions["dashify.platform"].resources.prepare()
    app.extensions["dashify.realtime"] = type("Listening", (), {"subscribed": True})()
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()["reasons"]) == (200, [])


def test_metrics_are_for_this_host_only_and_name_routes_not_paths(app: Flask, alices: Browser) -> None:
    alices.ask("GET", f"/channels/{'0' * 24}/members")
    text = alices.http.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples
               if sample.name == "dashify_http_requests_total"]
    assert any(sample.labels["route"] == "/api/v1/channels/<channel_id>/members" for sample in samples)
    assert "0" * 24 not in text
    client = app.test_client()
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code == 404


def test_a_device_is_named_as_its_owner_would() -> None:
    agents = {"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0": "Firefox on Linux",
              "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605 Safari/605.1": "Safari on macOS"}
    assert {agent: describe_device(agent) for agent in agents} == agents
    assert describe_device("curl/8.5.0") == "curl"
    assert describe_device("\u00ff\u0000") == "Unknown device"


def test_requests_are_counted_until_their_answer_is_handed_over(settings: Settings, built: Path) -> None:
    life = Lifecycle()
    client = create_app(settings, life, static=built).test_client()
    assert life.running == 0
    answer = client.get("/healthz")
    assert life.running == 1
    answer.close()
    assert life.running == 0
