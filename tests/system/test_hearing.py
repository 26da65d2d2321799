"""Instances hear only organizations whose sockets they hold, and of those everything, from a socket's first moment."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from dashify.domain.names import new_id
from dashify.local.servers import Server, running_redis
from tests.system.kit import Client, Instance, Person, until

Pair = tuple[Instance, Instance]
Start = Callable[..., Instance]


def heard(instance: Instance, kind: str = "event") -> float:
    lines = requests.get(instance.url + "/metrics", timeout=5).text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith(f'dashify_heard_total{{kind="{kind}"}}'))


def test_an_instance_hears_nothing_of_organizations_without_sockets_there(alice: Person, carol: Person,
                                                                          pair: Pair) -> None:
    hers = alice.connect(pair[1].url)
    hers.wait_for("hello")
    general, away = alice.general(), carol.general()
    before = heard(pair[1])
    for number in range(20):
        carol.ok("POST", f"/channels/{away}/messages", {"text": f"{number}"}, url=pair[0].url)
    last = alice.ok("POST", f"/channels/{general}/messages", {"text": "ours"})["message"]["id"]
    hers.wait_for("message:new", lambda event: event["message"]["id"] == last)
    assert 1 <= heard(pair[1]) - before < 10
    theirs = carol.connect(pair[1].url)
    theirs.wait_for("hello")
    for number in range(20):
        carol.ok("POST", f"/channels/{away}/messages", {"text": f"again {number}"}, url=pair[0].url)
    until(lambda: len(theirs.heard("message:new")) == 20)


def test_nothing_falls_between_the_heads_and_the_first_event(pair: Pair) -> None:
    for round_number in range(8):
        owner = Person(pair[0].url).sign_up("Olga", f"Org{round_number}")
        general, done = owner.general(), threading.Event()
        writer = owner.connect()
        writer.wait_for("hello")

        def post(writer: Client = writer, general: str = general, done: threading.Event = done) -> None:
            sent = 0
            while not done.is_set():
                if sent - len(writer.events) < 20:  # some are always on their way, and not more than can be served
                    payload = {"channel_id": general, "text": "x", "client_id": new_id()}
                    writer.ws.send("42" + json.dumps(["message:send", payload]))
                    sent += 1
                time.sleep(0.001)

        poster = threading.Thread(target=post, daemon=True)
        poster.start()
        until(lambda writer=writer: len(writer.heard("message:new")) > 3)
        client = owner.connect(pair[1].url)  # the first socket of this organization there
        head = client.wait_for("hello")["heads"][general]
        time.sleep(0.2)
        done.set()
        poster.join(10)
        last = writer.ask("message:send", {"channel_id": general, "text": "last", "client_id": new_id()}, 30)
        client.wait_for("message:new", lambda event, last=last: event["message"]["id"] == last["message"]["id"])
        seen = {event["seq"] for event in client.heard("message:new")}
        assert last["message"]["seq"] > head + 10
        assert set(range(head + 1, last["message"]["seq"])) <= seen, head
        client.close()
        writer.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Server]:
    """A Redis of this test alone, which it may hurt."""
    with running_redis(tmp_path / "own") as server:
        yield server


def test_after_an_outage_every_organization_is_heard_also_in_channels_opened_meanwhile(start: Start,
                                                                                       own_redis: Server) -> None:
    one, two = start(DASHIFY_REDIS_URL=own_redis.url), start(DASHIFY_REDIS_URL=own_redis.url)
    owners = [Person(one.url).sign_up("Olga", f"Org{number}") for number in range(3)]
    members = [owner.invite("Max", two.url) for owner in owners]
    clients = [member.connect() for member in members]
    for client in clients:
        client.wait_for("hello")
    own_redis.kill()
    for owner in owners:
        # Made, though who caches the owner could not be told: 503 or 201.
        owner.call("POST", "/channels", {"name": "lunch"})
    own_redis.start()
    until(lambda: one.ready() and two.ready())
    for owner, client in zip(owners, clients, strict=True):
        client.wait_for("resync")
        lunch = next(row["id"] for row in owner.ok("GET", "/channels")["channels"] if row["name"] == "lunch")
        owner.ok("POST", f"/channels/{lunch}/messages", {"text": "soup"})
        client.wait_for("message:new", lambda event: event["message"]["text"] == "soup", 3)
