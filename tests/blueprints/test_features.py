"""Channels, messages, people, reports over HTTP: real answers, held to the models that OpenAPI is made of."""

from __future__ import annotations

from typing import Any

from flask import Flask
from openapi_pydantic import OpenAPI
from werkzeug.test import TestResponse

from dashify.blueprints.routes import declared
from tests.blueprints.conftest import Browser


def checked(app: Flask, answer: TestResponse, status: int) -> Any:
    """Hold an answer to the model that its endpoint has declared for the status; give its JSON."""
    assert answer.status_code == status, answer.text
    adapter = app.url_map.bind("localhost")
    endpoint = declared(app.view_functions[adapter.match(answer.request.path, answer.request.method)[0]])
    assert endpoint is not None
    model = endpoint.answers[status]
    assert model is not None
    assert not issubclass(model, bytes)
    model.model_validate(answer.get_json(), strict=True)
    return answer.get_json()


def test_a_conversation_from_first_message_to_tombstone(app: Flask, alices: Browser, bobs: Browser) -> None:
    channel = checked(app, alices.post("/channels", {"name": "Launch"}), 201)["channel"]
    path = f"/channels/{channel['id']}"
    posted = {"text": "Ready?", "client_id": "c-1"}
    message = checked(app, alices.post(f"{path}/messages", posted), 201)["message"]
    assert checked(app, alices.post(f"{path}/messages", posted), 200)["message"] == message
    assert alices.post(f"{path}/messages", {**posted, "text": "Other"}).status_code == 409
    joined = checked(app, bobs.ask("PUT", f"{path}/members/{bobs.user['id']}"), 200)["member"]
    assert joined["user_id"] == bobs.user["id"]
    reacted = checked(app, bobs.ask("PUT", f"/messages/{message['id']}/reactions/%F0%9F%91%8D"), 200)["message"]
    assert reacted["reactions"] == {"\N{THUMBS UP SIGN}": [bobs.user["id"]]}
    assert bobs.ask("PATCH", f"/messages/{message['id']}", {"text": "Mine"}).status_code == 403
    edited = checked(app, alices.ask("PATCH", f"/messages/{message['id']}", {"text": "Set?"}), 200)["message"]
    assert edited["text"] == "Set?"
    checked(app, bobs.ask("DELETE", f"/messages/{message['id']}/reactions/%F0%9F%91%8D"), 200)
    gone = checked(app, alices.ask("DELETE", f"/messages/{message['id']}"), 200)["message"]
    assert (gone["text"], gone["reactions"], bool(gone["deleted_at"])) == ("", {}, True)
    page = checked(app, bobs.get(f"{path}/messages?limit=1000"), 200)
    assert (page["messages"], page["more"], page["head"]) == ([gone], False, gone["changed_seq"])
    changes = checked(app, bobs.get(f"{path}/changes?after=0"), 200)
    assert changes["messages"] == [gone]
    assert checked(app, bobs.get(f"{path}/changes?after=999"), 200) == {"reset": True}
    assert bobs.get(f"{path}/changes").status_code == 400
    assert bobs.get(f"{path}/messages?before=1&after=1").status_code == 400


def test_channels_and_their_members(app: Flask, alices: Browser, bobs: Browser) -> None:
    body = {"name": "Board", "private": True, "member_ids": [bobs.user["id"]]}
    channel = checked(app, alices.post("/channels", body), 201)["channel"]
    path = f"/channels/{channel['id']}"
    assert channel["id"] in [one["id"] for one in checked(app, bobs.get("/channels"), 200)["channels"]]
    assert len(checked(app, bobs.get(f"{path}/members?cursor=&limit=1"), 200)["members"]) == 1
    checked(app, bobs.get(f"{path}/members/{alices.user['id']}"), 200)
    assert checked(app, alices.ask("PATCH", path, {"name": "The board"}), 200)["channel"]["name"] == "The board"
    assert alices.ask("DELETE", f"{path}/members/{bobs.user['id']}").status_code == 204
    assert bobs.get(f"{path}/messages").status_code == 404
    assert alices.post("/channels", {"name": "GENERAL"}).status_code == 409


def test_people_and_their_roles(app: Flask, alices: Browser, bobs: Browser) -> None:
    people = checked(app, alices.get("/users"), 200)["users"]
    assert {one["id"] for one in people} == {alices.user["id"], bobs.user["id"]}
    assert bobs.ask("PATCH", f"/users/{alices.user['id']}", {"role": "member"}).status_code == 403
    assert alices.ask("PATCH", f"/users/{alices.user['id']}", {"role": "member"}).status_code == 422
    assert alices.ask("PATCH", f"/users/{bobs.user['id']}", {}).status_code == 400
    raised = checked(app, alices.ask("PATCH", f"/users/{bobs.user['id']}", {"role": "admin"}), 200)["user"]
    assert raised["role"] == "admin"
    assert checked(app, bobs.get("/me"), 200)["user"]["role"] == "admin"
    checked(app, bobs.get("/me/sessions?limit=5"), 200)
    checked(app, bobs.get("/invitations"), 200)
    ended = checked(app, alices.ask("PATCH", f"/users/{bobs.user['id']}", {"active": False}), 200)["user"]
    assert ended["active"] is False
    assert bobs.get("/me").status_code == 401


def test_a_report_is_asked_for_watched_and_cancelled(app: Flask, alices: Browser, carols: Browser) -> None:
    channel = alices.get("/channels").get_json()["channels"][0]["id"]
    job = checked(app, alices.post("/reports", {"kind": "channel", "channel_id": channel, "format": "csv"}), 202)["job"]
    assert alices.post("/reports", {"kind": "channel", "format": "csv"}).status_code == 400
    assert alices.post("/reports", {"kind": "channel", "channel_id": channel, "format": "docx"}).status_code == 400
    assert checked(app, alices.get(f"/jobs/{job['id']}"), 200)["job"]["status"] == "queued"
    assert alices.get(f"/jobs/{job['id']}/result").status_code == 422
    assert carols.get(f"/jobs/{job['id']}").status_code == 404
    assert checked(app, alices.ask("DELETE", f"/jobs/{job['id']}"), 200)["job"]["status"] == "cancelled"


def test_the_queues_are_the_owners_to_look_after(app: Flask, alices: Browser, bobs: Browser, carols: Browser) -> None:
    channel = alices.get("/channels").get_json()["channels"][0]["id"]
    body = {"kind": "channel", "channel_id": channel, "format": "csv"}
    job = bobs.post("/reports", body).get_json()["job"]["id"]
    counted = checked(app, alices.get("/queues"), 200)["queues"]
    assert [one["queue"] for one in counted if one["queued"]] == ["emails", "reports", "audit"]
    listed = checked(app, alices.get("/queues/reports/jobs?status=queued&limit=1"), 200)
    assert [(one["id"], one["actor_id"]) for one in listed["jobs"]] == [(job, bobs.user["id"])]
    assert checked(app, alices.post("/queues/reports/retry", {}), 200) == {"count": 0}
    for path, status in (("/queues/nothing/jobs", 404), ("/queues/reports/jobs?status=done", 400)):
        assert alices.get(path).status_code == status
    assert alices.post("/queues/nothing/retry", {}).status_code == 404
    assert alices.post(f"/queues/jobs/{job}/retry", {}).status_code == 422
    for person, status in ((bobs, 403), (carols, 404)):
        assert person.post(f"/queues/jobs/{job}/retry", {}).status_code == status
        assert person.ask("DELETE", f"/queues/jobs/{job}").status_code == status
    assert alices.ask("DELETE", f"/queues/jobs/{job}").status_code == 204
    assert alices.ask("DELETE", f"/queues/jobs/{job}").status_code == 422
    assert checked(app, bobs.get(f"/jobs/{job}"), 200)["job"]["status"] == "cancelled"
    app.extensions["dashify.platform"].resources.database["jobs"].update_one({"_id": job}, {"$set": {
        "status": "dead", "error": {"code": "internal", "message": "It broke."}}})
    assert checked(app, alices.post(f"/queues/jobs/{job}/retry", {}), 200)["job"]["status"] == "queued"
    for refused in (bobs.get("/queues"), bobs.get("/queues/reports/jobs"), bobs.post("/queues/reports/retry", {})):
        assert refused.status_code == 403
    waiting = [one["queue"] for one in checked(app, carols.get("/queues"), 200)["queues"] if one["queued"]]
    assert waiting == ["audit"]  # her own sign-up's entry, which is to be sealed


def test_carol_sees_and_changes_nothing_of_acmes(alices: Browser, carols: Browser) -> None:
    channel = alices.get("/channels").get_json()["channels"][0]["id"]
    message = alices.post(f"/channels/{channel}/messages", {"text": "Ours"}).get_json()["message"]["id"]
    for method, path, body in (
            ("GET", f"/channels/{channel}/messages", None), ("POST", f"/channels/{channel}/messages", {"text": "Hi"}),
            ("GET", f"/channels/{channel}/changes?after=0", None), ("GET", f"/channels/{channel}/members", None),
            ("PUT", f"/channels/{channel}/members/{carols.user['id']}", None),
            ("PATCH", f"/channels/{channel}", {"name": "x"}),
            ("PATCH", f"/messages/{message}", {"text": "x"}), ("DELETE", f"/messages/{message}", None),
            ("PUT", f"/messages/{message}/reactions/x", None),
            ("PATCH", f"/users/{alices.user['id']}", {"role": "guest"}),
            ("POST", "/reports", {"kind": "channel", "channel_id": channel, "format": "csv"})):
        assert carols.ask(method, path, body).status_code == 404, path
    assert alices.get(f"/channels/{channel}/messages").get_json()["messages"][0]["text"] == "Ours"


def test_a_strange_reaction_is_refused(alices: Browser) -> None:
    channel = alices.get("/channels").get_json()["channels"][0]["id"]
    message = alices.post(f"/channels/{channel}/messages", {"text": "Hi"}).get_json()["message"]["id"]
    for emoji in ("$inc", "a.b", "a%20b", "%00", "%FF", "x" * 33, "%0A"):
        assert alices.ask("PUT", f"/messages/{message}/reactions/{emoji}").status_code == 400, emoji


def test_the_openapi_document_is_valid_and_covers_every_route(app: Flask, alices: Browser) -> None:
    answer = alices.get("/openapi.json")
    described = answer.get_json()
    assert described["openapi"].startswith("3.1")
    OpenAPI.model_validate(described)
    named = described["components"]["schemas"]
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1"):
            path = rule.rule.removeprefix("/api/v1").replace("<", "{").replace(">", "}")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                assert method.lower() in described["paths"][path], (method, path)
    assert "#/components/schemas/" in answer.text
    for reference in answer.text.split('"#/components/schemas/')[1:]:
        assert reference.split('"')[0] in named
