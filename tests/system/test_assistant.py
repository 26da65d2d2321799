from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashify.settings import Settings
from tests.models import MODEL
from tests.models.hosts import ChatHosts
from tests.system.kit import Instance, Person, until
from tests.system.slow_assistant import SENTENCES

Start = Callable[..., Instance]
StartWorker = Callable[..., subprocess.Popen[bytes]]
SLOW = "tests/system/slow_assistant.py"
QUESTION = "Which room of the office is for which team?"


BY_WORDS = "tests/system/assistant_by_words.py"


def heard(client: Any, answer_id: str) -> list[tuple[int, str]]:
    return [(one["index"], one["text"]) for one in client.heard("assistant:token") if one["answer_id"] == answer_id]


def test_an_answer_survives_its_worker_and_the_instance_that_told_it(settings: Settings, start_worker: StartWorker,
                                                                     tmp_path: Path) -> None:
    own = replace(settings, mongodb_database=f"dashify_assistant_{time.time_ns()}")
    first, second = Instance(own, "api-1", tmp_path), Instance(own, "api-2", tmp_path)
    try:
        for instance in (first, second):
            until(instance.ready, 40, f"{instance.url} ready")
        alice = Person(first.url).sign_up("Alice", "Acme")
        alice.ok("POST", "/documents", {"title": "Rooms", "text": " ".join(SENTENCES), "visibility": "organization"})
        one, other = alice.connect(), alice.connect(second.url)
        doomed = start_worker(own=own, script=SLOW)
        answer_id = alice.ok("POST", "/assistant/questions", {"question": QUESTION})["answer"]["id"]
        path = f"/assistant/answers/{answer_id}"
        one.wait_for("assistant:token", lambda payload: payload["index"] == 1, 30)
        before = heard(one, answer_id)
        doomed.kill()
        first.kill()
        start_worker(own=own, script=SLOW)
        done = other.wait_for("assistant:done", lambda payload: payload["answer_id"] == answer_id, 60)
        assert done["status"] == "done"
        answer = alice.ok("GET", path, url=second.url)["answer"]
        pieces = [(token["index"], token["text"]) for token in answer["tokens"]]
        assert [index for index, _ in pieces] == list(range(len(SENTENCES)))
        assert pieces[:len(before)] == before
        assert set(heard(other, answer_id)) <= set(pieces)  # what its death kept from being told is read
        last = before[-1][0]
        rest = alice.ok("GET", f"{path}?after={last}", url=second.url)["answer"]["tokens"]
        assert [*before, *((token["index"], token["text"]) for token in rest)] == pieces
        assert answer["text"] == " ".join(f"{sentence[:-1]} [{at}]." for at, sentence in enumerate(SENTENCES, start=1))
        stopping = alice.ok("POST", "/assistant/questions", {"question": QUESTION}, url=second.url)["answer"]["id"]
        other.wait_for("assistant:token", lambda payload: payload["answer_id"] == stopping, 30)
        alice.ok("POST", f"/assistant/answers/{stopping}/stop", {}, url=second.url)
        other.wait_for("assistant:done", lambda payload: payload == {"answer_id": stopping, "status": "stopped"})
    finally:
        for instance in (first, second):
            instance.end()


def test_with_every_host_busy_and_one_killed_every_question_is_answered_or_says_why(
        settings: Settings, start_worker: StartWorker, tmp_path: Path) -> None:
    hosts = ChatHosts(apart=True)
    own = replace(settings, mongodb_database=f"dashify_hosts_{time.time_ns()}", model_hosts=",".join(hosts.urls),
                  chat_models=MODEL)
    instance = Instance(own, "api-1", tmp_path)
    try:
        for index in range(2):
            hosts.behave(index, pause=0.1)
        until(instance.ready, 40, f"{instance.url} ready")
        alice = Person(instance.url).sign_up("Alice", "Acme")
        alice.ok("POST", "/documents", {"title": "Rooms", "text": " ".join(SENTENCES), "visibility": "organization"})
        client = alice.connect()
        start_worker(own=own, script=BY_WORDS)
        asked = [alice.ok("POST", "/assistant/questions", {"question": f"{QUESTION} ({number})"})["answer"]["id"]
                 for number in range(4)]
        until(lambda: all(hosts.state(index)["tokens"] for index in range(2)), 120, "both hosts at work")
        client.wait_for("assistant:position", lambda payload: payload["position"] >= 2)
        hosts.kill(0)
        hosts.behave(1)
        ends = [client.wait_for("assistant:done", lambda payload, one=one: payload["answer_id"] == one, 120)
                for one in asked]
        assert {end["status"] for end in ends} <= {"done", "failed"}
        assert [end["status"] for end in ends].count("done") >= 3
        for end in ends:
            answer = alice.ok("GET", f"/assistant/answers/{end['answer_id']}")["answer"]
            assert answer["text"] if end["status"] == "done" else answer["error"]["message"]
        assert hosts.state(1)["most_running"] == 1  # a slot is a slot, however many wait
    finally:
        instance.end()
        hosts.close()
