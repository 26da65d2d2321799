"""Signing up, in and out over HTTP, and what the cookies are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http.cookies import SimpleCookie

from flask import Flask

from dashify import logs
from dashify.settings import Settings
from dashify.web import create_app
from tests.blueprints.conftest import PASSWORD, Browser, sign_up

Browsers = Callable[[], Browser]


def test_healthz_answers_without_any_dependency(settings: Settings) -> None:
    nowhere = create_app(replace(settings, redis_url="redis://127.0.0.1:9/0", mongodb_url="mongodb://127.0.0.1:9/"))
    answer = nowhere.test_client().get("/healthz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "up")


def test_signing_up_signs_in(alices: Browser) -> None:
    me = alices.get("/me")
    assert me.status_code == 200
    user = me.get_json()["user"]
    assert user == alices.user
    assert user["role"] == "owner"
    assert user["organization"]["name"] == "Acme"


def test_an_email_has_one_account(alices: Browser, browser: Browsers) -> None:
    again = browser().post("/auth/signup", {
        "organization": "Other", "name": "Mallory", "email": alices.user["email"].upper(), "password": PASSWORD})
    assert again.status_code == 409
    assert again.get_json()["error"]["code"] == "email_taken"


def test_signing_in_gives_a_new_session_and_a_new_token(alices: Browser, browser: Browsers) -> None:
    other = browser()
    other.get("/me")
    before = other.http.get_cookie("dashify_csrf")
    answer = other.post("/auth/login", {"email": alices.user["email"], "password": PASSWORD})
    after = other.http.get_cookie("dashify_csrf")
    assert answer.status_code == 200
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert other.session not in ("", alices.session)


def test_a_wrong_password_and_an_unknown_email_read_the_same(alices: Browser, browser: Browsers) -> None:
    wrong = browser().post("/auth/login", {"email": alices.user["email"], "password": "not the password"})
    unknown = browser().post("/auth/login", {"email": "nobody@nowhere.test", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.get_json()["error"], "request_id": ""} == {**unknown.get_json()["error"], "request_id": ""}
    assert "dashify_session" not in wrong.headers.get("Set-Cookie", "")


def test_the_session_cookie_is_out_of_reach_of_scripts(app: Flask, browser: Browsers) -> None:
    alice = sign_up(browser(), "Alice", "Acme")
    answer = browser().post("/auth/login", {"email": alice.user["email"], "password": PASSWORD})
    cookies: SimpleCookie = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        cookies.load(line)
    session, token = cookies["dashify_session"], cookies["dashify_csrf"]
    kept = [session[name] for name in ("httponly", "samesite", "path", "max-age")]
    assert kept == [True, "Lax", "/", "28800"]
    assert not session["secure"]
    assert not session["domain"]
    assert (token["httponly"], token["samesite"], token["path"]) == ("", "Lax", "/")


def test_behind_tls_both_cookies_are_bound_to_the_host(settings: Settings) -> None:
    secure = Browser(create_app(replace(settings, public_url="https://dashify.test")))
    answer = secure.post("/auth/signup", {"organization": "Acme", "name": "Alice", "password": PASSWORD,
                                          "email": f"tls.{id(secure)}@acme.test"}, base_url="https://dashify.test")
    assert answer.status_code == 201
    lines = answer.headers.getlist("Set-Cookie")
    assert sorted(line.split("=")[0] for line in lines) == ["__Host-dashify_csrf", "__Host-dashify_session"]
    assert all("Secure" in line and "Path=/" in line for line in lines)
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


def test_signing_out_ends_the_session_and_takes_the_cookie(alices: Browser) -> None:
    cookie = alices.session
    answer = alices.post("/auth/logout")
    assert (answer.status_code, answer.data) == (204, b"")
    assert alices.session == ""
    alices.http.set_cookie("dashify_session", cookie)
    assert alices.get("/me").status_code == 401


def test_a_dead_session_is_refused_and_its_cookie_left_alone(browser: Browsers) -> None:
    lost = browser()
    lost.http.set_cookie("dashify_session", "nobody-has-this-cookie")
    answer = lost.get("/me")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "unauthenticated")
    assert not any(line.startswith("dashify_session") for line in answer.headers.getlist("Set-Cookie"))


def test_bearer_tokens_do_not_exist_yet(alices: Browser) -> None:
    answer = alices.get("/me", headers={"Authorization": "Bearer dashify_pat_0123456789"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "token_invalid")


def test_changing_the_password_ends_other_sessions_and_goes_on_here(alices: Browser, browser: Browsers) -> None:
    other = browser()
    other.post("/auth/login", {"email": alices.user["email"], "password": PASSWORD})
    before = alices.session
    answer = alices.post("/me/password", {"current": PASSWORD, "password": "another good one"})
    assert answer.status_code == 200, answer.text
    assert alices.session != before
    assert alices.get("/me").status_code == 200
    assert other.get("/me").status_code == 401
    renamed = alices.ask("PATCH", "/me", {"name": "Alice Liddell"})
    assert renamed.get_json()["user"]["name"] == "Alice Liddell"


def test_a_revoked_session_is_not_written_back_by_a_request_in_flight(alices: Browser, browser: Browsers) -> None:
    other = browser()
    other.post("/auth/login", {"email": alices.user["email"], "password": PASSWORD})
    app = other.http.application
    # The request has been proven and is under way when its session is revoked; its end must not bring it back.
    cookie = {"Cookie": f"dashify_session={other.session}"}
    with logs.scope(), app.test_request_context("/api/v1/me", headers=cookie):
        assert app.preprocess_request() is None
        mine = alices.get("/me/sessions").get_json()["sessions"]
        revoked = next(one["id"] for one in mine if not one["current"])
        assert alices.ask("DELETE", f"/me/sessions/{revoked}").status_code == 204
        assert app.process_response(app.make_response("late")).status_code == 200
    assert other.get("/me").status_code == 401
    assert [one["id"] for one in alices.get("/me/sessions").get_json()["sessions"]] != [revoked]


def test_invitations_can_be_looked_at_listed_and_withdrawn(alices: Browser, browser: Browsers) -> None:
    made = alices.post("/invitations", {"email": "dora@acme.test", "role": "guest"})
    assert made.status_code == 201, made.text
    token, invitation = made.get_json()["token"], made.get_json()["invitation"]
    seen = browser().get("/invitations/preview", query_string={"token": token})
    assert seen.get_json() == {
        "organization": "Acme", "email": "dora@acme.test", "role": "guest", "invited_by": "Alice"}
    assert invitation in alices.get("/invitations").get_json()["invitations"]
    assert alices.ask("DELETE", f"/invitations/{invitation['id']}").status_code == 204
    assert browser().get("/invitations/preview", query_string={"token": token}).status_code == 404


def test_carol_can_end_none_of_alices_sessions(alices: Browser, carols: Browser) -> None:
    session = alices.get("/me/sessions").get_json()["sessions"][0]["id"]
    assert carols.ask("DELETE", f"/me/sessions/{session}").status_code == 404
    assert alices.get("/me").status_code == 200


def test_asking_for_a_new_password_answers_the_same_for_everybody(alices: Browser, browser: Browsers) -> None:
    for email in (alices.user["email"], "nobody@nowhere.test"):
        answer = browser().post("/auth/password-reset", {"email": email})
        assert (answer.status_code, answer.data) == (202, b"")
    wrong = browser().post("/auth/password-reset/confirm", {"token": "x" * 43, "password": PASSWORD})
    assert wrong.status_code == 404
