from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashify.settings import Settings
from tests.system.kit import Instance, Person, until
from tests.system.slow_assistant import SENTENCES

Start = Callable[..., Instance]
StartWorker = Callable[..., subprocess.Popen[bytes]]
SLOW = "tests/system/slow_assistant.py"
QUESTION = "Which room of the office is for which team?"


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
            instance.stop()
