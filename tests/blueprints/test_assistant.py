from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pydantic import TypeAdapter

from dashify.blueprints.assistant_answers import (
    AnswerAnswer,
    AssistantSettingsAnswer,
    ConversationAnswer,
    ConversationsAnswer,
)
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import grounding
from dashify.settings import Settings
from tests.blueprints.conftest import Browser
from tests.services.asking import OFFICE, Models, find_by_words

Answered = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def found_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grounding, "find_passages", find_by_words)


@pytest.fixture(scope="module")
def runner(settings: Settings) -> Iterator[Runner]:
    opened = Runner(settings)
    yield opened
    opened.resources.close()


@pytest.fixture
def answered(runner: Runner, resources: Resources) -> Answered:
    """Give a function by which somebody asks and is answered; it gives the answer's JSON."""
    def ask(browser: Browser, question: str, **options: Any) -> dict[str, Any]:
        asked = browser.post("/assistant/questions", {"question": question, **options})
        assert asked.status_code == 202, asked.text
        answer_id = asked.get_json()["answer"]["id"]
        row = resources.database["answers"].find_one({"_id": answer_id})
        assert row
        runner.run(row["job_id"])
        return dict(browser.get(f"/assistant/answers/{answer_id}").get_json()["answer"])

    return ask


def write(browser: Browser, text: str = OFFICE) -> str:
    made = browser.post("/documents", {"title": "Office", "text": text, "visibility": "organization"})
    return str(made.get_json()["document"]["id"])


def test_a_question_is_asked_answered_replayed_and_found_again(alices: Browser, answered: Answered) -> None:
    document = write(alices)
    answer = answered(alices, "When does the office open?")
    TypeAdapter(AnswerAnswer).validate_python({"answer": answer})
    assert answer["citations"][0]["document_id"] == document
    last = answer["tokens"][-1]["index"]
    assert alices.get(f"/assistant/answers/{answer['id']}?after={last}").get_json()["answer"]["tokens"] == []
    assert alices.get(f"/assistant/answers/{answer['id']}?after=-1").get_json()["answer"] == answer
    talk = alices.get(f"/assistant/conversations/{answer['conversation_id']}").get_json()
    TypeAdapter(ConversationAnswer).validate_python(talk)
    assert [one["id"] for one in talk["answers"]] == [answer["id"]]
    listed = alices.get("/assistant/conversations").get_json()
    TypeAdapter(ConversationsAnswer).validate_python(listed)
    assert [one["title"] for one in listed["conversations"]] == ["When does the office open?"]


def test_stopping_and_rating_answer_with_the_answer_and_removing_with_nothing(alices: Browser, answered: Answered
                                                                              ) -> None:
    answer = answered(alices, "Anything?")
    path = f"/assistant/answers/{answer['id']}"
    for _ in range(2):
        stopped = alices.post(f"{path}/stop", {})
        assert (stopped.status_code, stopped.get_json()["answer"]["status"]) == (200, "done")
    rated = alices.ask("PUT", f"{path}/rating", {"rating": "up", "comment": "Good."})
    assert rated.get_json()["answer"]["rating"] == "up"
    assert alices.ask("DELETE", f"/assistant/conversations/{answer['conversation_id']}").status_code == 204
    assert alices.get(path).status_code == 404


def test_nobody_else_finds_anything_of_it(alices: Browser, bobs: Browser, carols: Browser, answered: Answered) -> None:
    answer = answered(alices, "Anything?")
    path, talk = f"/assistant/answers/{answer['id']}", f"/assistant/conversations/{answer['conversation_id']}"
    for browser in (bobs, carols):
        for method, where, body in (("GET", path, None), ("POST", f"{path}/stop", {}), ("GET", talk, None),
                                    ("PUT", f"{path}/rating", {"rating": "up"}), ("DELETE", talk, None)):
            assert browser.ask(method, where, body).status_code == 404
        asked = browser.post("/assistant/questions", {"question": "And?", "conversation_id": answer["conversation_id"]})
        assert asked.status_code == 404
        assert browser.get("/assistant/conversations").get_json() == {"conversations": [], "next": None}


@pytest.mark.parametrize("body", [
    {}, {"question": ""}, {"question": "  \n "}, {"question": "x" * 4_001}, {"question": 7}, {"question": "a\x00b"},
    {"question": "Hi", "conversation_id": 3}, {"question": "Hi", "more": 1}])
def test_what_is_no_question_is_refused(alices: Browser, body: dict[str, Any]) -> None:
    assert alices.post("/assistant/questions", body).status_code == 400


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("GET", "/assistant/answers/nonsense", None, 404), ("GET", "/assistant/answers/" + "0" * 24, None, 404),
    ("GET", "/assistant/answers/" + "0" * 24 + "?after=-2", None, 400),
    ("GET", "/assistant/answers/" + "0" * 24 + "?after=x", None, 400),
    ("PUT", "/assistant/answers/" + "0" * 24 + "/rating", {"rating": "great"}, 400),
    ("PUT", "/assistant/settings", {}, 400), ("PUT", "/assistant/settings", {"monthly_tokens": -1}, 400),
    ("PUT", "/assistant/settings", {"model": "unheard of"}, 400)])
def test_odd_input_gets_the_usual_answers(alices: Browser, method: str, path: str, body: Any, status: int) -> None:
    assert alices.ask(method, path, body).status_code == status


def test_settings_are_seen_by_all_and_changed_by_admins_and_a_used_up_budget_is_422(
        alices: Browser, bobs: Browser, app: Flask) -> None:
    process = vars(app.extensions["dashify.platform"].resources)
    process["models"] = Models()
    try:
        changed = alices.ask("PUT", "/assistant/settings", {"model": "large", "monthly_tokens": 0})
        assert changed.status_code == 200
        TypeAdapter(AssistantSettingsAnswer).validate_python(changed.get_json())
        assert bobs.get("/assistant/settings").get_json() == changed.get_json() == {"settings": {
            "model": "large", "models": ["tiny", "large"], "monthly_tokens": 0, "used_tokens": 0}}
        assert bobs.ask("PUT", "/assistant/settings", {"model": None}).status_code == 403
        refused = bobs.post("/assistant/questions", {"question": "Hello?"})
        assert (refused.status_code, refused.get_json()["error"]["code"]) == (422, "budget_exhausted")
        assert alices.ask("PUT", "/assistant/settings", {"monthly_tokens": None}).status_code == 200
        assert bobs.post("/assistant/questions", {"question": "Hello?"}).status_code == 202
    finally:
        del process["models"]


@pytest.mark.parametrize("name", ["Assistant", "assistant", " ASSISTANT "])
def test_nobody_goes_by_the_assistants_name(alices: Browser, browser: Callable[[], Browser], name: str) -> None:
    refused = browser().post("/auth/signup", {"organization": "Assistant", "name": name, "password": "long enough 1",
                                              "email": "a@assistant.test"})
    assert (refused.status_code, refused.get_json()["error"]["details"][0]["field"]) == (400, "name")
    assert alices.ask("PATCH", "/me", {"name": name}).status_code == 400
    token = alices.post("/invitations", {"email": f"{len(name)}@named.test", "role": "member"}).get_json()["token"]
    accepted = browser().post("/invitations/accept", {"token": token, "name": name, "password": "long enough 1"})
    assert accepted.status_code == 400
