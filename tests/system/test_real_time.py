from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import websocket

from dashify.domain.names import new_id
from tests.system.kit import Client, Instance, Person, Refused, until

Pair = tuple[Instance, Instance]


def test_a_message_posted_on_one_instance_arrives_on_the_other(alice: Person, bob: Person) -> None:
    general = alice.general()
    hers, his = alice.connect(), bob.connect()
    assert hers.wait_for("hello")["heads"] == {general: 0}
    assert his.wait_for("hello")["instance"] == "api-2"
    sent = hers.ask("message:send", {"channel_id": general, "text": "Hello Bob", "client_id": "c1"})
    assert sent["ok"]
    for client in (hers, his):
        event = client.wait_for("message:new")
        assert event == {"channel_id": general, "seq": 1, "message": sent["message"]}
    again = hers.ask("message:send", {"channel_id": general, "text": "Hello Bob", "client_id": "c1"})
    assert again["message"] == sent["message"]
    edited = alice.ok("PATCH", f"/messages/{sent['message']['id']}", {"text": "Hello, Bob"})["message"]
    assert his.wait_for("message:changed")["message"] == edited
    assert his.heard("message:new") == [event]


def test_sync_gives_what_a_sleeper_missed(alice: Person, bob: Person) -> None:
    general = alice.general()
    for number in range(5):
        alice.ok("POST", f"/channels/{general}/messages", {"text": f"message {number}"})
    his = bob.connect()
    answer = his.ask("sync", {"cursors": {general: 2}})
    assert [one["seq"] for one in answer["changes"][general]] == [3, 4, 5]
    assert answer["heads"] == {general: 5}
    assert answer["epoch"] == his.wait_for("hello")["epoch"]
    assert his.ask("sync", {"cursors": {general: 2}, "epoch": "another"})["reset"] == [general]


def test_rooms_follow_membership(alice: Person, bob: Person) -> None:
    hers, his = alice.connect(), bob.connect()
    his.wait_for("hello")
    secret = alice.ok("POST", "/channels", {"name": "secret", "private": True})["channel"]["id"]
    hers.wait_for("channel:changed", lambda event: event["channel_id"] == secret)
    until(lambda: alice.call("POST", f"/channels/{secret}/messages", {"text": "just me"}).status_code == 201)
    refused = his.ask("message:send", {"channel_id": secret, "text": "x", "client_id": "x"})
    assert refused["error"]["code"] == "not_found"
    alice.ok("PUT", f"/channels/{secret}/members/{bob.user['id']}")
    his.wait_for("channel:changed", lambda event: event["channel_id"] == secret and event["channel"])
    his.wait_for("heads", lambda event: event["heads"].get(secret) == 1, 5)  # he is in the room
    alice.ok("POST", f"/channels/{secret}/messages", {"text": "welcome"})
    his.wait_for("message:new", lambda event: event["message"]["text"] == "welcome")
    alice.ok("DELETE", f"/channels/{secret}/members/{bob.user['id']}")
    his.wait_for("channel:changed", lambda event: event["channel_id"] == secret and event["channel"] is None)
    assert his.ask("sync", {"cursors": {secret: 1}})["gone"] == [secret]
    alice.ok("POST", f"/channels/{secret}/messages", {"text": "he is gone"})
    hers.wait_for("message:new", lambda event: event["message"]["text"] == "he is gone")
    assert [event["message"]["text"] for event in his.heard("message:new")] == ["welcome"]


def test_a_new_public_channel_is_everybodys_at_once(alice: Person, bob: Person, carol: Person) -> None:
    his, hers = bob.connect(), carol.connect()
    his.wait_for("hello")
    hers.wait_for("hello")
    channel = alice.ok("POST", "/channels", {"name": "lunch"})["channel"]
    his.wait_for("channel:changed", lambda event: event["channel_id"] == channel["id"])
    alice.ok("POST", f"/channels/{channel['id']}/messages", {"text": "soup"})
    his.wait_for("message:new", lambda event: event["message"]["text"] == "soup")
    assert hers.heard("message:new") == []
    assert hers.heard("channel:changed") == []


def test_typing_and_read_marks_travel(alice: Person, bob: Person) -> None:
    general = alice.general()
    hers, his, also_his = alice.connect(), bob.connect(), bob.connect(alice.url)
    for client in (hers, his, also_his):
        client.wait_for("hello")
    assert his.ask("typing", {"channel_id": general}) == {"ok": True}
    assert hers.wait_for("typing") == {"channel_id": general, "user_id": bob.user["id"]}
    alice.ok("POST", f"/channels/{general}/messages", {"text": "read me"})
    assert his.ask("channel:read", {"channel_id": general, "seq": 1}) == {"ok": True}
    assert also_his.wait_for("read") == {"channel_id": general, "seq": 1}
    assert hers.heard("read") == []


def test_presence_shows_who_comes_and_goes(alice: Person, bob: Person) -> None:
    hers = alice.connect()
    hers.wait_for("hello")
    his = bob.connect()
    bobs = bob.user["id"]
    hers.wait_for("presence", lambda event: event == {"user_id": bobs, "state": "online"})
    his.wait_for("presence", lambda event: event == {"user_id": alice.user["id"], "state": "online"})
    his.close()
    hers.wait_for("presence", lambda event: event == {"user_id": bobs, "state": "offline"}, 15)


def test_another_tenants_ids_are_absent_in_every_event(alice: Person, carol: Person) -> None:
    general = alice.general()
    alice.ok("POST", f"/channels/{general}/messages", {"text": "ours"})
    hers = carol.connect()
    hers.wait_for("hello")
    root = alice.ok("GET", f"/channels/{general}/messages")["messages"][0]["id"]
    own = carol.general()
    for event, payload in (
        ("message:send", {"channel_id": general, "text": "x", "client_id": "x"}),
        ("message:send", {"channel_id": own, "text": "x", "client_id": "y", "thread_id": root}),
        ("channel:read", {"channel_id": general, "seq": 1}), ("typing", {"channel_id": general}),
    ):
        assert hers.ask(event, payload)["error"]["code"] == "not_found", event
    answer = hers.ask("sync", {"cursors": {general: 0}})
    assert answer["gone"] == [general]
    assert list(answer["heads"]) == [own]


@pytest.mark.parametrize("payload", [
    None, [], 7, "text", {}, {"channel_id": 7}, {"channel_id": "x" * 100}, {"channel_id": new_id(), "seq": "1"},
    {"channel_id": new_id(), "seq": -1}, {"channel_id": new_id(), "seq": 2**70}, {"cursors": []},
    {"cursors": {"a": -1}}, {"cursors": {"a": 1.5}}, {"cursors": {"\ud800": 1}},
    {"channel_id": new_id(), "text": "\ud800", "client_id": "c"},
    {"channel_id": new_id(), "text": "  ", "client_id": "c"},
    {"channel_id": new_id(), "text": "x" * 16_001, "client_id": "c"},
    {"channel_id": new_id(), "text": "x", "client_id": ""}, {"channel_id": {"$ne": 1}},
    {"channel_id": "\x00", "text": "x", "client_id": "c", "extra": 1}])
def test_garbage_in_events_is_refused_in_the_error_shape(bob_socket: Client, payload: Any) -> None:
    for event in ("sync", "message:send", "channel:read", "typing"):
        answer = bob_socket.ask(event, payload)
        assert not answer["ok"], (event, payload)
        assert set(answer["error"]) == {"code", "message", "details", "request_id"}, answer
        assert answer["error"]["code"] in ("invalid", "not_found"), (event, payload, answer)


@pytest.fixture(scope="module")
def bob_socket(pair: Pair) -> Client:
    client = Person(pair[1].url).sign_up("Bob", "Acme").connect()
    client.wait_for("hello")
    return client


def test_broken_frames_get_an_ack_or_end_their_socket_and_nothing_else(alice: Person, bob_socket: Client) -> None:
    assert bob_socket.ask("no:such", {})["error"]["code"] == "unknown_event"
    for frame, code in (('421["sync"', "invalid"), ("422[]", "invalid"), ("423[1,2]", "invalid"),
                        ('424["sync",{},{}]', "invalid"), ("425" + "[" * 100_000, "invalid")):
        bob_socket._numbers = iter(range(int(frame[2]), 10**9))
        bob_socket._acks.clear()
        bob_socket.ws.send(frame)
        number = int(frame[2])
        until(lambda number=number: number in bob_socket._acks)
        assert bob_socket._acks[number]["error"]["code"] == code
    bob_socket._numbers = iter(range(100, 10**9))
    assert bob_socket.ask("sync", {"cursors": {}})["ok"]
    for frame in ("45-[1]", "9", "4", "4x", "43", "46-1", '44{"a":1}', "40/other,", "x" * 2_000_000):
        victim = alice.connect()
        victim.ws.send(frame)
        victim.ask("sync", {"cursors": {}}, 1.0)
    for data in (b"\xff\xfe\x00", b""):
        victim = alice.connect()
        victim.ws.send_binary(data)
    assert bob_socket.ask("sync", {"cursors": {}})["ok"]
    assert requests.get(alice.url + "/readyz", timeout=5).status_code == 200


def test_a_bad_session_is_refused_and_its_socket_closed(pair: Pair) -> None:
    for cookie in ("", "dashify_session=wrong", "dashify_session=" + "x" * 5_000):
        with pytest.raises(Refused) as refusal:
            Client(pair[0].url, cookie)
        assert refusal.value.answer["data"]["code"] == "unauthenticated"


def test_no_socket_is_counted_after_it_has_gone(start: Callable[..., Instance]) -> None:
    instance = start()
    alice = Person(instance.url).sign_up("Alice", "Acme")

    def counted() -> float:
        lines = requests.get(instance.url + "/metrics", timeout=5).text.splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("dashify_sockets_open")))

    clients = [alice.connect() for _ in range(5)]
    with pytest.raises(Refused):
        Client(instance.url, "dashify_session=wrong")
    assert counted() == 5
    for client in clients[:3]:
        client.close()
    clients[3].ws.sock.close()
    alice.ok("POST", "/auth/logout")
    until(lambda: clients[4].closed)
    until(lambda: counted() == 0)


def test_a_page_of_another_site_and_other_transports_are_refused(alice: Person) -> None:
    with pytest.raises(Refused) as refusal:
        Client(alice.url, alice.cookie_header(), origin="https://evil.example")
    assert refusal.value.status == 403
    polling = requests.get(alice.url + "/socket.io/?EIO=4&transport=polling", timeout=5)
    assert polling.status_code == 400
    assert polling.json()["error"]["code"] == "invalid"


def test_a_socket_that_never_signs_in_is_closed(alice: Person) -> None:
    ws = websocket.create_connection(alice.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket",
                                     timeout=15, origin=alice.url)
    ws.recv()
    started = time.monotonic()
    with contextlib.suppress(websocket.WebSocketConnectionClosedException):
        while ws.recv() != "":
            pass
    assert 3 < time.monotonic() - started < 12


def test_messages_of_one_socket_keep_their_order(alice: Person, bob: Person) -> None:
    general = alice.general()
    his = bob.connect()
    hers = alice.connect()
    his.wait_for("hello")
    for number in range(40):
        payload = {"channel_id": general, "text": f"n{number}", "client_id": f"k{number}"}
        hers.ws.send("42" + json.dumps(["message:send", payload]))
    his.wait_for("message:new", lambda event: event["message"]["text"] == "n39", 20)
    assert [event["message"]["text"] for event in his.heard("message:new")] == [f"n{number}" for number in range(40)]
    assert [event["seq"] for event in his.heard("message:new")] == list(range(1, 41))
