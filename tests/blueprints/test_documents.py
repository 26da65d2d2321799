from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from dashify.domain.names import new_id
from tests.blueprints.conftest import Browser

Json = dict[str, Any]


def write(browser: Browser, **fields: Any) -> Json:
    answer = browser.post("/documents", {"title": "The plan", "text": "Tea at four.", **fields})
    assert answer.status_code == 201, answer.text
    made: Json = answer.get_json()["document"]
    return made


def send(browser: Browser, data: bytes, name: str = "notes.md", **fields: str) -> TestResponse:
    form = {**fields, "file": (io.BytesIO(data), name)}
    return browser.ask("POST", "/documents", data=form, content_type="multipart/form-data")


def test_a_document_goes_through_its_life_over_http(alices: Browser, bobs: Browser) -> None:
    made = write(alices, visibility="organization")
    assert (made["version"], made["status"], made["editable"], made["draft"]) == (1, "queued", True, None)
    path = f"/documents/{made['id']}"
    draft = bobs.ask("PUT", f"{path}/draft", {"title": "The plan", "text": "Tea at", "base_version": 1})
    assert draft.get_json()["draft"]["text"] == "Tea at"
    saved = bobs.ask("PUT", path, {"text": "Tea at five.\r\nOr six.", "version": 1}).get_json()["document"]
    assert (saved["version"], saved["text"], saved["updated_by"]) == (2, "Tea at five.\nOr six.", bobs.user["id"])
    stale = alices.ask("PUT", path, {"text": "Never.", "version": 1})
    assert (stale.status_code, stale.get_json()["error"]["code"]) == (409, "version_conflict")
    assert [row["version"] for row in alices.get(f"{path}/versions").get_json()["versions"]] == [2, 1]
    page = alices.get(f"{path}/versions?limit=1").get_json()
    assert alices.get(f"{path}/versions?cursor={page['next']}").get_json()["versions"][0]["version"] == 1
    assert alices.get(f"{path}/versions/1").get_json()["version"]["text"] == "Tea at four."
    assert alices.post(f"{path}/versions/1/restore").get_json()["document"]["version"] == 3
    assert alices.get(f"{path}/links").get_json() == {"documents": [], "messages": []}
    assert alices.get("/documents?mine=true").get_json()["documents"][0]["id"] == made["id"]
    assert bobs.ask("DELETE", path).status_code == 403
    assert alices.ask("DELETE", path).status_code == 204
    assert alices.get(path).status_code == alices.get(f"{path}/versions/1").status_code == 404


def test_folders_go_through_their_life_over_http(alices: Browser) -> None:
    parent = alices.post("/folders", {"name": "Plans"}).get_json()["folder"]
    child = alices.post("/folders", {"name": "Old", "parent_id": parent["id"]}).get_json()["folder"]
    made = write(alices, folder_id=child["id"])
    assert alices.get(f"/documents?folder_id={child['id']}").get_json()["documents"][0]["id"] == made["id"]
    moved = alices.ask("PATCH", f"/folders/{child['id']}", {"parent_id": None}).get_json()["folder"]
    assert moved["parent_id"] is None
    assert alices.ask("PATCH", f"/folders/{child['id']}", {}).status_code == 400
    assert alices.ask("DELETE", f"/folders/{child['id']}").status_code == 204
    assert alices.get(f"/documents/{made['id']}").get_json()["document"]["folder_id"] is None
    assert [row["name"] for row in alices.get("/folders").get_json()["folders"]] == ["Plans"]


def test_a_file_comes_in_with_its_fields_and_goes_out_as_a_download_only(alices: Browser, bobs: Browser,
                                                                         carols: Browser) -> None:
    answer = send(alices, b"# <script>alert(1)</script>", "../../a b\u202e.md", visibility="organization")
    made = answer.get_json()["document"]
    assert (answer.status_code, made["status"], made["version"]) == (201, "queued", 0)
    assert made["source"]["bytes"] == 27
    original = bobs.get(f"/documents/{made['id']}/file")
    assert original.data == b"# <script>alert(1)</script>"
    assert original.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in original.headers["Content-Security-Policy"]
    assert original.headers["X-Content-Type-Options"] == "nosniff"
    assert carols.get(f"/documents/{made['id']}/file").status_code == 404


def test_a_document_that_was_written_here_has_no_file(alices: Browser) -> None:
    assert alices.get(f"/documents/{write(alices)['id']}/file").status_code == 404


@pytest.mark.parametrize(("name", "data"), [
    ("tune.mp3", b"ID3"), ("noextension", b"text"), ("real.pdf", b"MZ\x90\x00"), ("binary.txt", b"a\x00b" * 50),
    ("empty.md", b"")])
def test_a_file_that_is_no_document_is_refused_at_once_and_says_why(alices: Browser, name: str, data: bytes) -> None:
    answer = send(alices, data, name)
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["error"]["code"].startswith("file_")
    assert alices.get("/documents").get_json()["documents"] == []


def test_a_form_that_is_not_as_it_should_be_is_refused(alices: Browser) -> None:
    no_file = alices.ask("POST", "/documents", data={"title": "X"}, content_type="multipart/form-data")
    two = alices.ask("POST", "/documents", content_type="multipart/form-data", data={
        "file": [(io.BytesIO(b"a"), "a.md"), (io.BytesIO(b"b"), "b.md")]})
    unknown = send(alices, b"# Hi", color="red")
    wrong = send(alices, b"# Hi", visibility="everybody")
    broken = alices.ask("POST", "/documents", data=b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    for answer in (no_file, two, unknown, wrong, broken):
        assert answer.status_code == 400, answer.text
        assert answer.get_json()["error"]["code"] == "invalid"
    assert send(alices, b"# Hi", visibility="group").status_code == 422


def test_a_file_over_the_limit_is_413_and_json_keeps_its_own_limit(app: Flask, alices: Browser) -> None:
    limits = app.extensions["dashify.settings"].limits
    assert send(alices, b"a" * (limits.upload_bytes + 100_000)).status_code == 413
    body = json.dumps({"title": "X", "text": "a" * limits.json_bytes}).encode()
    assert alices.ask("POST", "/documents", data=body, content_type="application/json").status_code == 413


def test_bad_input_is_told_field_by_field(alices: Browser) -> None:
    made = write(alices)
    for body, field in (({"text": "x"}, "title"), ({"title": "", "text": ""}, "title"),
                        ({"title": "a\nb", "text": ""}, "title"), ({"title": "x", "text": "\ud800"}, "text"),
                        ({"title": "x", "text": "", "visibility": "all"}, "visibility")):
        answer = alices.ask("POST", "/documents", data=json.dumps(body).encode(), content_type="application/json")
        assert answer.status_code == 400, body
        assert answer.get_json()["error"]["details"][0]["field"] == field
    assert alices.ask("PUT", f"/documents/{made['id']}", {"version": 1}).status_code == 400
    for path in ("/documents/x", f"/documents/{new_id()}", f"/documents/{made['id']}/versions/99"):
        assert alices.get(path).status_code == 404
    assert alices.get(f"/documents/{made['id']}/versions/0").status_code == 400


def test_a_write_without_the_pages_token_is_refused(alices: Browser) -> None:
    form = {"file": (io.BytesIO(b"# Hi"), "a.md")}
    refused = alices.ask("POST", "/documents", data=form, content_type="multipart/form-data", token=False)
    assert refused.get_json()["error"]["code"] == "csrf_failed"


def test_nobody_of_another_organization_reaches_a_document_by_any_path(alices: Browser, carols: Browser,
                                                                       browser: Callable[[], Browser]) -> None:
    path = f"/documents/{write(alices, visibility='organization')['id']}"
    attempts: list[tuple[str, str, Any]] = [
        ("GET", path, None), ("PUT", path, {"text": "Mine."}), ("DELETE", path, None), ("GET", f"{path}/file", None),
        ("PUT", f"{path}/draft", {"title": "", "text": "", "base_version": 1}), ("DELETE", f"{path}/draft", None),
        ("GET", f"{path}/versions", None), ("GET", f"{path}/versions/1", None),
        ("POST", f"{path}/versions/1/restore", None), ("GET", f"{path}/links", None)]
    for method, where, body in attempts:
        assert carols.ask(method, where, body).status_code == 404, (method, where)
        assert browser().ask(method, where, body).status_code == 401, (method, where)
    assert carols.get("/documents").get_json() == {"documents": [], "next": None}
    assert alices.get(path).get_json()["document"]["text"] == "Tea at four."
