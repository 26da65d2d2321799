"""The audit log over HTTP: real answers, held to the models that OpenAPI is made of."""

from __future__ import annotations

from flask import Flask

from dashify.services.audit import seal_entries
from tests.blueprints.conftest import Browser
from tests.blueprints.test_features import checked


def test_an_owner_reads_what_was_done_and_from_where(app: Flask, alices: Browser, bobs: Browser) -> None:
    alices.ask("PATCH", f"/users/{bobs.user['id']}", {"role": "admin"})
    page = checked(app, alices.get("/audit?limit=1"), 200)
    [entry] = page["entries"]
    assert (entry["action"], entry["actor_id"], entry["actor_name"]) == ("role.changed", alices.user["id"], "Alice")
    assert entry["subject"] == {"kind": "user", "id": bobs.user["id"], "name": "Bob"}
    assert entry["details"] == {"role": "admin", "role_before": "member"}
    assert (entry["address"], entry["seal"]) == ("127.0.0.1", None)
    assert page["next"] == entry["id"]
    older = checked(app, bobs.get(f"/audit?cursor={page['next']}"), 200)
    assert entry["id"] not in [one["id"] for one in older["entries"]]
    assert older["next"] is None
    his = checked(app, alices.get(f"/audit?actor_id={bobs.user['id']}&action=session.started"), 200)["entries"]
    assert [(one["actor_name"], one["subject"]["kind"]) for one in his] == [("Bob", "session")]
    assert checked(app, alices.get("/audit?action=nothing.done"), 200) == {"entries": [], "next": None}


def test_the_log_is_checked(app: Flask, alices: Browser) -> None:
    count = len(alices.get("/audit").get_json()["entries"])
    assert checked(app, alices.get("/audit/check"), 200) == {
        "entries": count, "sealed": 0, "intact": True, "broken_at": None}
    tenant = alices.user["organization"]["id"]
    app.extensions["dashify.platform"].unit(tenant, alices.user["id"], seal_entries)
    assert checked(app, alices.get("/audit/check"), 200)["sealed"] == count
    assert all(len(entry["seal"]) == 64 for entry in checked(app, alices.get("/audit"), 200)["entries"])


def test_members_and_other_organizations_read_nothing_of_it(alices: Browser, bobs: Browser, carols: Browser) -> None:
    for path in ("/audit", "/audit/check"):
        assert bobs.get(path).status_code == 403
    ids = {entry["id"] for entry in alices.get("/audit").get_json()["entries"]}
    assert not ids & {entry["id"] for entry in carols.get("/audit").get_json()["entries"]}
    assert carols.get(f"/audit?actor_id={alices.user['id']}").get_json()["entries"] == []


def test_a_sign_in_that_fails_is_on_record(alices: Browser, bobs: Browser) -> None:
    email = bobs.user["email"]
    assert bobs.post("/auth/login", {"email": email, "password": "a wrong guess"}).status_code == 401
    [entry] = alices.get("/audit?action=session.refused").get_json()["entries"]
    assert (entry["subject"]["name"], entry["address"]) == ("Bob", "127.0.0.1")
