from __future__ import annotations

import json
import threading
import time
from collections import Counter

import pytest
import redis

from dashify.domain.accounts import token_hash
from dashify.domain.names import session_key
from dashify.local.servers import Server
from tests.system.kit import PASSWORD, Instance, Person, until

Pair = tuple[Instance, Instance]


@pytest.fixture
def laptop(alice: Person) -> Person:
    """Another session of Alice's, on the same instance."""
    return Person(alice.url).sign_in(alice.user["email"])


def other_session(person: Person) -> str:
    sessions = person.ok("GET", "/me/sessions")["sessions"]
    return str(next(one["id"] for one in sessions if not one["current"]))


def test_nothing_that_arrives_after_a_revocation_is_served(alice: Person, laptop: Person, pair: Pair) -> None:
    served_after: Counter[int] = Counter()
    revoked_at: list[float] = []
    stop = threading.Event()

    def hammer(url: str) -> None:
        while not stop.is_set():
            asked = time.monotonic()
            status = laptop.call("GET", "/me", url=url).status_code
            if revoked_at and asked > revoked_at[0]:
                served_after[status] += 1

    threads = [threading.Thread(target=hammer, args=(instance.url,)) for instance in pair for _ in range(4)]
    sockets = [laptop.connect(instance.url) for instance in pair]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    alice.ok("DELETE", f"/me/sessions/{other_session(alice)}")
    revoked_at.append(time.monotonic())
    time.sleep(1.0)
    assert all(socket.closed and socket.sent_away for socket in sockets)
    until(lambda: served_after.total() > 50)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(served_after) == {401}
    assert alice.call("GET", "/me").status_code == 200


def test_a_redis_that_forgot_the_deletion_brings_nothing_back(alice: Person, laptop: Person, pair: Pair,
                                                              redis_server: Server) -> None:
    client = redis.Redis.from_url(redis_server.url, decode_responses=True)
    key = session_key(token_hash(laptop.http.cookies["dashify_session"]))
    value = client.get(key)
    assert isinstance(value, str)
    assert json.loads(value)["user_id"] == alice.user["id"]
    alice.ok("DELETE", f"/me/sessions/{other_session(alice)}")
    assert client.get(key) is None
    client.set(key, value, ex=3600)
    for instance in pair:
        assert laptop.call("GET", "/me", url=instance.url).status_code == 401


def test_a_lost_redis_record_of_a_live_session_comes_back_from_its_mirror(alice: Person, redis_server: Server) -> None:
    client = redis.Redis.from_url(redis_server.url)
    key = session_key(token_hash(alice.http.cookies["dashify_session"]))
    client.delete(key)
    assert alice.call("GET", "/me").status_code == 200
    assert client.exists(key)


def test_a_request_in_flight_does_not_bring_a_session_back(alice: Person, laptop: Person, redis_server: Server) -> None:
    client = redis.Redis.from_url(redis_server.url)
    key = session_key(token_hash(laptop.http.cookies["dashify_session"]))
    session_id = other_session(alice)
    threads = [threading.Thread(target=lambda: [laptop.call("GET", "/channels") for _ in range(15)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    alice.ok("DELETE", f"/me/sessions/{session_id}")
    for thread in threads:
        thread.join()
    assert not client.exists(key)
    assert laptop.call("GET", "/me").status_code == 401


def test_a_password_change_ends_every_other_session_and_renews_this_one(alice: Person, laptop: Person,
                                                                        pair: Pair) -> None:
    before = alice.http.cookies["dashify_session"]
    socket = laptop.connect(pair[1].url)
    alice.ok("POST", "/me/password", {"current": PASSWORD, "password": PASSWORD + "!"})
    assert alice.http.cookies["dashify_session"] != before
    old = Person(alice.url)
    old.http.cookies.set("dashify_session", before)
    for instance in pair:
        assert alice.call("GET", "/me", url=instance.url).status_code == 200
        assert laptop.call("GET", "/me", url=instance.url).status_code == 401
        assert old.call("GET", "/me", url=instance.url).status_code == 401
    until(lambda: socket.closed, 1.5)


def test_somebody_deactivated_is_out_everywhere(alice: Person, bob: Person, pair: Pair) -> None:
    socket = bob.connect(pair[0].url)
    alice.ok("PATCH", f"/users/{bob.user['id']}", {"active": False})
    for instance in pair:
        assert bob.call("GET", "/me", url=instance.url).status_code == 401
    until(lambda: socket.closed, 1.5)
    assert bob.call("POST", "/auth/login", {"email": bob.user["email"], "password": PASSWORD}).status_code == 401
    alice.ok("PATCH", f"/users/{bob.user['id']}", {"active": True})
    assert bob.call("GET", "/me").status_code == 401
    assert bob.call("POST", "/auth/login", {"email": bob.user["email"], "password": PASSWORD}).status_code == 200


def test_a_changed_role_counts_at_once_on_both_instances(alice: Person, bob: Person, pair: Pair) -> None:
    body = {"email": "somebody@joined.test", "role": "member"}
    assert bob.call("POST", "/invitations", body).status_code == 403
    alice.ok("PATCH", f"/users/{bob.user['id']}", {"role": "admin"})
    for instance in pair:
        assert bob.call("POST", "/invitations", body, url=instance.url).status_code == 201
    alice.ok("PATCH", f"/users/{bob.user['id']}", {"role": "member"})
    for instance in pair:
        assert bob.call("POST", "/invitations", body, url=instance.url).status_code == 403


def test_signing_out_ends_the_session_and_takes_the_cookie(alice: Person, laptop: Person, pair: Pair) -> None:
    cookie = laptop.http.cookies["dashify_session"]
    laptop.ok("POST", "/auth/logout")
    assert "dashify_session" not in laptop.http.cookies
    again = Person(pair[1].url)
    again.http.cookies.set("dashify_session", cookie)
    assert again.call("GET", "/me").status_code == 401
    assert alice.call("GET", "/me").status_code == 200
