"""A mention from one instance through a worker process to a socket on another, and the read mark back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dashify.settings import Settings
from tests.system.kit import ROOT, Person


@pytest.fixture(autouse=True, scope="module")
def worker(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A worker process of the queue `notifications`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHIFY_")}
    with (tmp_path_factory.mktemp("worker") / "worker.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, str(ROOT / "worker.py"), "notifications"], cwd=ROOT, stderr=log,
                                   env={**clean, **settings.to_env()}, start_new_session=True)
    yield
    process.kill()
    process.wait()


def test_a_mention_arrives_at_who_is_mentioned_and_goes_when_the_channel_is_read(alice: Person, bob: Person,
                                                                                 carol: Person) -> None:
    general = alice.general()
    hers, his, theirs = alice.connect(), bob.connect(), carol.connect()
    his.wait_for("hello")
    sent = hers.ask("message:send", {"channel_id": general, "text": "Hello @Bob and @Carol", "client_id": "c1"})
    told = his.wait_for("notification:new", seconds=30)["notification"]
    assert (told["kind"], told["message_id"], told["snippet"]) == ("mention", sent["message"]["id"],
                                                                  "Hello @Bob and @Carol")
    assert bob.ok("GET", "/notifications")["notifications"] == [told]
    assert his.ask("channel:read", {"channel_id": general, "seq": 1})["ok"]
    assert his.wait_for("notification:read") == {"ids": [told["id"]], "unread": 0}
    assert bob.ok("GET", "/notifications?unread=true") == {"notifications": [], "unread": 0, "next": None}
    for other in (hers, theirs):
        assert other.heard("notification:new") == other.heard("notification:read") == []
