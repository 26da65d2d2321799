"""What people notice when Redis or an instance goes away: nothing that was acknowledged is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashify.local.servers import Server, running_mongodb, running_redis
from tests.system.kit import Client, Instance, Person, Refused, until

Start = Callable[..., Instance]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Server]:
    """A Redis of this test alone, which it may hurt."""
    with running_redis(tmp_path / "own") as server:
        yield server


@pytest.fixture
def two(start: Start, own_redis: Server) -> tuple[Instance, Instance]:
    """Two instances on this test's own Redis."""
    return start(DASHIFY_REDIS_URL=own_redis.url), start(DASHIFY_REDIS_URL=own_redis.url)


class Poster(threading.Thread):
    """Posts all the time, and notes what was acknowledged and how long the longest wait was."""

    def __init__(self, post: Callable[[str], int | None], name: str) -> None:
        super().__init__(daemon=True)
        self.post, self.label = post, name
        self.acknowledged: list[int] = []
        self.refused = 0
        self.longest = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.done.is_set():
            number += 1
            began = time.monotonic()
            seq = self.post(f"{self.label} {number}")
            self.longest = max(self.longest, time.monotonic() - began)
            if seq is None:
                self.refused += 1
            else:
                self.acknowledged.append(seq)
            time.sleep(0.05)

    def finish(self) -> None:
        self.done.set()
        self.join(15)


def by_http(person: Person, url: str, channel: str) -> Callable[[str], int | None]:
    def post(text: str) -> int | None:
        answer = person.call("POST", f"/channels/{channel}/messages", {"text": text, "client_id": text}, url=url)
        return answer.json()["message"]["seq"] if answer.status_code in (200, 201) else None

    return post


def by_socket(client: Client, channel: str) -> Callable[[str], int | None]:
    def post(text: str) -> int | None:
        answer = client.ask("message:send", {"channel_id": channel, "text": text, "client_id": text})
        return answer["message"]["seq"] if answer["ok"] else None

    return post


def follow(client: Client, channel: str) -> set[int]:
    """Catch up as the page does: by the heads and `resync` it is told, and by what came by itself."""
    seen = {event["seq"] for event in client.heard("message:new")}
    told = [event["heads"].get(channel, 0) for event in client.heard("heads")]
    if told and max(told) > len(seen):
        cursor = next(number for number in range(max(told) + 1) if number + 1 not in seen)
        while True:
            answer = client.ask("sync", {"cursors": {channel: cursor}})
            rows = answer["changes"].get(channel, [])
            seen |= {row["seq"] for row in rows}
            if channel not in answer["more"]:
                break
            cursor = rows[-1]["changed_seq"]
    return seen


def outage_by_freeze(server: Server) -> None:
    server.freeze()
    time.sleep(5)
    server.thaw()


def outage_by_kill(server: Server) -> None:
    server.kill()
    time.sleep(5)
    server.start()


@pytest.mark.parametrize("outage", [outage_by_freeze, outage_by_kill])
def test_posting_goes_on_without_redis_and_everybody_gets_everything(
        two: tuple[Instance, Instance], own_redis: Server, outage: Callable[[Server], None]) -> None:
    alice = Person(two[0].url).sign_up("Alice", "Acme")
    bob = alice.invite("Bob", two[1].url)
    general = alice.general()
    listeners = [alice.connect(two[0].url), alice.connect(two[1].url), bob.connect(two[0].url), bob.connect(two[1].url)]
    for listener in listeners:
        listener.wait_for("hello")
    posters = [Poster(by_http(alice, two[0].url, general), "http1"), Poster(by_http(bob, two[1].url, general), "http2"),
               Poster(by_socket(alice.connect(two[0].url), general), "socket1"),
               Poster(by_socket(bob.connect(two[1].url), general), "socket2")]
    for poster in posters:
        poster.start()
    time.sleep(1)
    before = [len(poster.acknowledged) for poster in posters]
    outage(own_redis)
    during = [len(poster.acknowledged) - count for poster, count in zip(posters, before, strict=True)]
    assert alice.call("GET", "/me", url=two[1].url).status_code == 200
    time.sleep(1)
    for poster in posters:
        poster.finish()
    acknowledged = {seq for poster in posters for seq in poster.acknowledged}
    assert len(acknowledged) == sum(len(poster.acknowledged) for poster in posters)
    assert min(during) > 1, during  # it goes on; how fast is for a quiet machine to say
    assert sum(poster.refused for poster in posters) == 0
    for listener in listeners:
        until(lambda listener=listener: acknowledged <= follow(listener, general), 15, "everything acknowledged")
        assert not listener.closed
    until(lambda: two[0].ready() and two[1].ready(), 10)


def test_without_redis_nobody_is_signed_out_and_nobody_can_sign_in(two: tuple[Instance, Instance],
                                                                   own_redis: Server) -> None:
    alice = Person(two[0].url).sign_up("Alice", "Acme")
    cookie = alice.http.cookies["dashify_session"]
    own_redis.kill()
    for url in (two[0].url, two[1].url):
        answer = alice.call("GET", "/me", url=url)
        assert answer.status_code == 200
        assert "dashify_session" not in answer.headers.get("Set-Cookie", "")
        attempt = {"email": alice.user["email"], "password": "whatever it is"}
        signing_in = Person(url).call("POST", "/auth/login", attempt)
        assert signing_in.status_code == 503
        assert signing_in.json()["error"]["code"] == "redis_unavailable"
        ready = alice.http.get(url + "/readyz", timeout=5)
        assert ready.status_code == 503
        assert "redis" in ready.json()["reasons"]
        assert alice.http.get(url + "/readyz?lb", timeout=5).status_code == 404
        assert alice.http.get(url + "/healthz", timeout=5).status_code == 200
    assert alice.http.cookies["dashify_session"] == cookie
    own_redis.start()
    until(lambda: two[0].ready() and two[1].ready(), 10)
    assert alice.call("GET", "/me").status_code == 200


def test_a_killed_instance_takes_nothing_with_it(start: Start) -> None:
    first, second = start(), start()
    alice = Person(second.url).sign_up("Alice", "Acme")
    general = alice.general()
    clients = [alice.connect(first.url) for _ in range(10)]
    for client in clients:
        client.wait_for("hello")
    poster = Poster(by_http(alice, second.url, general), "post")
    poster.start()
    time.sleep(0.5)
    first.kill()
    for client in clients:
        until(lambda client=client: client.closed, 2, "the killed instance's socket closed")
        cursor = max((event["seq"] for event in client.heard("message:new")), default=0)
        again = alice.connect(second.url)
        answer = again.ask("sync", {"cursors": {general: cursor}})
        assert answer["ok"]
        seen = {event["seq"] for event in client.heard("message:new")}
        seen |= {row["seq"] for row in answer["changes"].get(general, [])}
        assert seen >= set(range(1, answer["heads"][general] + 1))
    poster.finish()
    assert poster.refused == 0


def test_without_mongodb_answers_are_503_and_service_comes_back_by_itself(start: Start, tmp_path: Path) -> None:
    with running_mongodb(tmp_path / "mongodb") as mongodb:
        instance = start(DASHIFY_MONGODB_URL=mongodb.url)
        alice = Person(instance.url).sign_up("Alice", "Acme")
        general = alice.general()
        client = alice.connect()
        client.wait_for("hello")
        mongodb.kill()
        answer = alice.call("POST", f"/channels/{general}/messages", {"text": "lost?", "client_id": "c1"})
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "database_unavailable"
        assert not client.ask("message:send", {"channel_id": general, "text": "x", "client_id": "c2"})["ok"]
        until(lambda: alice.http.get(instance.url + "/readyz?lb", timeout=5).status_code == 404, 5)
        with pytest.raises(Refused) as refusal:
            alice.connect()
        assert refusal.value.status == 503
        mongodb.start()
        until(instance.ready, 20)
        again = alice.call("POST", f"/channels/{general}/messages", {"text": "lost?", "client_id": "c1"})
        assert again.status_code == 201
        client.wait_for("message:new", lambda event: event["message"]["text"] == "lost?")
        assert not client.closed
