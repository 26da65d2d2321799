"""What the edge refuses, whatever stands behind it: broken input, foreign sites, missing tokens. Never a 500."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from dashify.blueprints.guards import GUARDS
from dashify.blueprints.routes import Endpoint, declared
from dashify.settings import Settings
from dashify.web import BLUEPRINTS, create_app
from tests.blueprints.conftest import Browser

NOBODY = "0" * 24
GARBAGE: dict[str, bytes] = {
    "nothing": b"", "broken": b'{"a":', "not UTF-8": b'{"a": "\xff\xfe"}', "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a NUL": b'{"name": "a\\u0000b", "text": "\\u0000", "email": "\\u0000@x.test"}',
    "a lone surrogate": b'{"name": "\\ud800", "text": "\\ud800", "email": "\\ud800@x.test", "\\udfff": 1}',
    "NaN": b'{"a": NaN}', "Infinity": b'{"a": -Infinity}', "deep": b'{"a":' * 50_000, "deep lists": b"[" * 200_000,
    "a huge number": b'{"limit": ' + b"9" * 6_000 + b"}", "over 64 bits": b'{"name": 99999999999999999999999}',
    "a name twice": b'{"name": "a", "name": "b"}', "a list": b"[]", "null": b"null", "a string": b'"text"',
    "wrong types": b'{"name": [], "text": {}, "email": 1, "password": null, "role": {}, "member_ids": "x"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
}
QUERIES = ("limit=0", "limit=-1", "limit=1e3", "limit=" + "9" * 5_000, "limit=%00", "before=1&after=2", "after=%ff%fe",
           "cursor=%ed%a0%80", "cursor=" + "x" * 4_000, "limit=1&limit=2", "%00=%00", "a[]=1", "&&&===", "after=NaN",
           "cursor[$gt]=", "token=%00", "limit=%D9%A3")


def _endpoints(app: Flask) -> Iterator[Endpoint]:
    for view in app.view_functions.values():
        found = declared(view)
        if found:
            yield found


def _path(endpoint: Endpoint, value: str = NOBODY) -> str:
    return re.sub(r"<\w+>", value, endpoint.path.replace("<version>", "1"))


def _shaped(answer: TestResponse, *allowed: int) -> None:
    """Check that an answer is a failure in the one shape, with one of the statuses (or any below 500)."""
    assert answer.status_code in allowed if allowed else 400 <= answer.status_code < 500, answer.text
    error = answer.get_json()["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert error["message"]


def test_every_blueprint_has_exactly_one_guard() -> None:
    for blueprint in BLUEPRINTS:
        assert len(blueprint.before_request_funcs[None]) == 1
        assert blueprint.before_request_funcs[None][0] in GUARDS


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_refused_by_every_endpoint_that_takes_a_body(app: Flask, alices: Browser, kind: str) -> None:
    for endpoint in _endpoints(app):
        if endpoint.body:
            answer = alices.ask(endpoint.method, _path(endpoint), data=GARBAGE[kind], content_type="application/json")
            _shaped(answer, 400)
            assert answer.get_json()["error"]["code"] == "invalid"
            assert answer.get_json()["error"]["details"]


def test_a_body_that_is_no_json_is_415_for_every_endpoint_that_takes_one(app: Flask, alices: Browser) -> None:
    for endpoint in _endpoints(app):
        if endpoint.body:
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
                form = endpoint.upload and kind.startswith("multipart")  # broken as one, and no wrong kind
                answer = alices.ask(endpoint.method, _path(endpoint), data=b"{}", content_type=kind)
                _shaped(answer, 400 if form else 415)


def test_a_body_over_the_limit_is_413_whether_its_length_is_told_or_not(app: Flask, alices: Browser) -> None:
    huge = b" " * 1_048_577
    for endpoint in _endpoints(app):
        if endpoint.body:
            told = alices.ask(endpoint.method, _path(endpoint), data=huge, content_type="application/json")
            _shaped(told, 413)
            untold = alices.ask(endpoint.method, _path(endpoint), input_stream=BytesIO(huge),
                                content_type="application/json", environ_overrides={
                                    "wsgi.input_terminated": True, "CONTENT_LENGTH": ""})
            _shaped(untold, 413)


@pytest.mark.parametrize("query", QUERIES)
def test_a_strange_query_never_breaks_anything(app: Flask, alices: Browser, query: str) -> None:
    for endpoint in _endpoints(app):
        if endpoint.method == "GET":
            answer = alices.ask("GET", f"{_path(endpoint)}?{query}")
            assert answer.status_code < 500, (endpoint.path, query, answer.text)


@pytest.mark.parametrize("value", ["x", "%00", "%ff", "..%2f..", "0" * 5_000, "$where", "%F0%9F%91%8D", "ABCDEF" * 4])
def test_malformed_ids_are_absent(app: Flask, alices: Browser, value: str) -> None:
    for endpoint in _endpoints(app):
        if "_id>" in endpoint.path:
            _shaped(alices.ask(endpoint.method, _path(endpoint, value)), 404)


def test_nobody_gets_past_a_guard_without_a_session(app: Flask, browser: Callable[[], Browser]) -> None:
    stranger = browser()
    for endpoint in _endpoints(app):
        if endpoint.reach == "ctx":
            _shaped(stranger.ask(endpoint.method, _path(endpoint), data=b"{}", content_type="application/json"), 401)


def test_unknown_paths_and_methods_are_answered_in_the_same_shape(alices: Browser) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        _shaped(alices.ask(method, "/nothing/here"), 404)
    for method in ("DELETE", "OPTIONS", "BREW"):
        answer = alices.ask(method, "/me")
        _shaped(answer, 405)
        assert answer.headers["Allow"] == "GET, HEAD, PATCH"


def test_strange_headers_never_break_anything(alices: Browser) -> None:
    for headers in ({"X-Request-ID": "a b\u00ff"}, {"Origin": "null"}, {"Origin": "http://[::"}, {"Host": "\u00ff"},
                    {"X-Forwarded-For": "\u00ff, , 1"}, {"User-Agent": "\u00ff" * 5_000},
                    {"Cookie": "dashify_csrf=\u00ff"},
                    {"Cookie": "dashify_session=" + "x" * 7_000}, {"Authorization": "\u00ff"}, {"Accept": "\u00ff"},
                    {"X-CSRF-Token": "\u00ff"}):
        for method in ("GET", "PATCH"):
            assert alices.ask(method, "/me", headers=headers).status_code < 500, headers


def test_all_problems_are_told_at_once(browser: Callable[[], Browser]) -> None:
    answer = browser().post("/auth/signup", {"organization": " ", "email": "x", "password": "short", "extra": 1})
    _shaped(answer, 400)
    assert {one["field"]: one["problem"] for one in answer.get_json()["error"]["details"]} == {
        "organization": "must not be empty", "name": "is required",
        "email": "must have at least 3 characters",
        "password": "must have at least 8 characters", "extra": "is not known here"}


def test_a_write_with_the_session_needs_its_token(alices: Browser, carols: Browser) -> None:
    foreign = carols.http.get_cookie("dashify_csrf")
    assert foreign is not None
    _shaped(alices.ask("PATCH", "/me", {"name": "A"}, token=False), 403)
    for token in ("", "x", foreign.value):
        answer = alices.ask("PATCH", "/me", {"name": "A"}, headers={"X-CSRF-Token": token})
        _shaped(answer, 403)
        assert answer.get_json()["error"]["code"] == "csrf_failed"
    # Equal in header and cookie is not enough: another session's token is not ours.
    alices.http.set_cookie("dashify_csrf", foreign.value)
    _shaped(alices.ask("PATCH", "/me", {"name": "A"}), 403)
    alices.get("/me")
    assert alices.ask("PATCH", "/me", {"name": "A"}).status_code == 200


def test_any_get_gives_a_token_even_one_that_is_refused(browser: Callable[[], Browser]) -> None:
    stranger = browser()
    assert stranger.get("/me").status_code == 401
    held = stranger.http.get_cookie("dashify_csrf")
    assert held is not None
    assert "Set-Cookie" not in stranger.get("/me").headers


def test_a_write_from_another_site_is_refused_first(alices: Browser, browser: Callable[[], Browser]) -> None:
    for origin in ("https://evil.test", "null", "http://localhost:81", "http://localhost.evil.test", "garbage"):
        for user, path in ((alices, "/auth/logout"), (browser(), "/auth/login"), (browser(), "/nothing")):
            answer = user.post(path, {}, headers={"Origin": origin})
            _shaped(answer, 403)
            assert answer.get_json()["error"]["code"] == "origin_refused"
    assert alices.get("/me", headers={"Origin": "https://evil.test"}).status_code == 200
    assert alices.ask("PATCH", "/me", {"name": "A"}, headers={"Origin": "http://localhost"}).status_code == 200


def test_the_public_url_is_an_origin_of_ours(settings: Settings) -> None:
    app = create_app(replace(settings, public_url="http://chat.acme.test"))
    for origin, status in (("http://chat.acme.test", 400), ("https://chat.acme.test", 403)):
        assert Browser(app).post("/auth/login", {}, headers={"Origin": origin}).status_code == status


def test_redis_away_is_503_and_takes_no_cookie(settings: Settings, alices: Browser) -> None:
    away = Browser(create_app(replace(settings, redis_url="redis://127.0.0.1:9/0")))
    away.http.set_cookie("dashify_session", alices.session)
    # The session's mirror answers for Redis, and what needs Redis says so.
    assert away.get("/me").status_code == 200
    answer = away.post("/auth/login", {"email": alices.user["email"], "password": "whatever it is"})
    _shaped(answer, 503)
    assert answer.get_json()["error"]["code"] == "redis_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert not any(line.startswith("dashify_session") for line in answer.headers.getlist("Set-Cookie"))


def test_a_bug_is_told_to_the_log_and_not_to_the_caller(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(settings)

    @app.get("/api/v1/bug")
    def bug() -> str:
        raise ZeroDivisionError("a secret detail")

    import logging
    logging.getLogger().addHandler(caplog.handler)
    answer = Browser(app).get("/bug", headers={"X-Request-ID": "request-12345"})
    logging.getLogger().removeHandler(caplog.handler)
    _shaped(answer, 500)
    assert answer.get_json()["error"]["code"] == "internal"
    assert answer.get_json()["error"]["request_id"] == "request-12345"
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text
    assert json.loads(answer.data)


def test_too_much_in_one_second_is_429_and_says_when_to_come_back(settings: Settings, alices: Browser) -> None:
    app = create_app(replace(settings, limits=replace(settings.limits, requests_per_second=1)))
    eager = Browser(app)
    eager.http.set_cookie("dashify_session", alices.session)
    refused = next(answer for answer in (eager.get("/me") for _ in range(1_000)) if answer.status_code != 200)
    _shaped(refused, 429)
    assert int(refused.headers["Retry-After"]) >= 1
