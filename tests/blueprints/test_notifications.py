"""Notifications and my own settings over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from dashify.domain.jobs import Job
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.settings import Settings
from tests.blueprints.conftest import PASSWORD, Browser
from tests.blueprints.test_features import checked


@pytest.fixture(scope="module")
def runner(settings: Settings, resources: Resources) -> Iterator[Runner]:
    opened = Runner(settings)
    yield opened
    opened.resources.close()


@pytest.fixture
def mention(runner: Runner, alices: Browser, bobs: Browser) -> Callable[[str], Any]:
    """Give a function by which Alice mentions Bob in general, and which gives the message when he has been told."""
    general = alices.get("/channels").get_json()["channels"][0]["id"]

    def post(text: str) -> Any:
        message = alices.post(f"/channels/{general}/messages", {"text": f"@Bob {text}"}).get_json()["message"]
        job = runner.resources.database["jobs"].find_one({
            "kind": Job.FAN_OUT.kind, "payload.message_id": message["id"]})
        assert job is not None
        assert runner.run(job["_id"]) == "done"
        return message

    return post


def test_notifications_are_listed_counted_and_marked_as_read(app: Flask, mention: Callable[[str], Any],
                                                             alices: Browser, bobs: Browser, carols: Browser) -> None:
    messages = [mention(f"number {number}") for number in range(3)]
    page = checked(app, bobs.get("/notifications?limit=2"), 200)
    assert [one["message_id"] for one in page["notifications"]] == [messages[2]["id"], messages[1]["id"]]
    assert page["unread"] == 3
    rest = checked(app, bobs.get(f"/notifications?limit=2&cursor={page['next']}"), 200)
    assert ([one["message_id"] for one in rest["notifications"]], rest["next"]) == ([messages[0]["id"]], None)
    ids = [one["id"] for one in page["notifications"]]
    for stranger in (alices, carols):
        assert stranger.get("/notifications").get_json() == {"notifications": [], "unread": 0, "next": None}
        assert checked(app, stranger.post("/notifications/read", {"ids": ids}), 200) == {"unread": 0}
    assert checked(app, bobs.post("/notifications/read", {"ids": ids}), 200) == {"unread": 1}
    unread = checked(app, bobs.get("/notifications?unread=true"), 200)["notifications"]
    assert [one["message_id"] for one in unread] == [messages[0]["id"]]
    assert len(checked(app, bobs.get("/notifications?unread=false"), 200)["notifications"]) == 3
    assert checked(app, bobs.post("/notifications/read", {"all": True}), 200) == {"unread": 0}


@pytest.mark.parametrize("body", [{}, {"ids": ["x"], "all": True}, {"ids": []}, {"ids": ["x"] * 201}, {"all": False},
                                  {"ids": [1]}, {"ids": "x"}, {"all": "true"}, {"ids": [{"$gt": ""}]}])
def test_what_does_not_say_which_notifications_is_refused(bobs: Browser, body: Any) -> None:
    answer = bobs.post("/notifications/read", body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "invalid"


@pytest.mark.parametrize("query", ["unread=yes", "unread=1", "unread=True", "unread=%00", "limit=0", "unknown=1"])
def test_a_query_that_means_nothing_is_refused(bobs: Browser, query: str) -> None:
    assert bobs.get(f"/notifications?{query}").status_code == 400


def test_a_token_is_needed_to_mark_as_read(bobs: Browser) -> None:
    assert bobs.post("/notifications/read", {"all": True}, token=False).status_code == 403


def test_my_time_zone_and_digest_are_mine_to_choose(app: Flask, alices: Browser) -> None:
    me = checked(app, alices.get("/me"), 200)["user"]
    assert (me["time_zone"], me["digest"]) == ("UTC", True)
    changed = checked(app, alices.ask("PATCH", "/me", {"time_zone": "Asia/Kathmandu"}), 200)["user"]
    assert changed == {**me, "time_zone": "Asia/Kathmandu"}
    off = checked(app, alices.ask("PATCH", "/me", {"digest": False, "name": "Alicia"}), 200)["user"]
    assert off == {**changed, "digest": False, "name": "Alicia"} == checked(app, alices.get("/me"), 200)["user"]


@pytest.mark.parametrize("body", [{}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../UTC"}, {"time_zone": ""},
                                  {"time_zone": "Europe"}, {"time_zone": 1}, {"digest": "no"}, {"digest": 0},
                                  {"name": None}, {"time_zone": "UTC\n"}, {"time_zone": "x" * 65}])
def test_a_profile_that_is_none_is_refused_and_changes_nothing(alices: Browser, body: Any) -> None:
    before = alices.get("/me").get_json()
    answer = alices.ask("PATCH", "/me", body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["details"]
    assert alices.get("/me").get_json() == before


def test_the_browsers_zone_comes_with_signing_up_and_joining_and_never_keeps_anybody_out(
        app: Flask, browser: Callable[[], Browser], alices: Browser) -> None:
    for number, (zone, kept) in enumerate([("Europe/Berlin", "Europe/Berlin"), ("Mars/Olympus", "UTC")]):
        email = f"zone{number}.{alices.user['id']}@acme.test"
        new = {"name": "Zoe", "password": PASSWORD, "time_zone": zone}
        founded = browser().post("/auth/signup", {**new, "organization": "Initech", "email": f"a{email}"})
        assert checked(app, founded, 201)["user"]["time_zone"] == kept
        token = alices.post("/invitations", {"email": email, "role": "member"}).get_json()["token"]
        joined = browser().post("/invitations/accept", {**new, "token": token})
        assert checked(app, joined, 201)["user"]["time_zone"] == kept
