"""The product's main ways under the Redis users that the documentation lists, each of which may do little."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from rq import Queue as RqQueue
from rq.registry import clean_registries
from rq.serializers import JSONSerializer

from dashify.clients.model_line import Ticket
from dashify.clients.model_slots import Slots
from dashify.clients.rq_lists import Place, RqLists, Settlement
from dashify.context import Platform
from dashify.domain.jobs import Delivery, Queue
from dashify.domain.names import new_id
from dashify.local.servers import Server
from dashify.resources import Resources
from dashify.services.superadmins import set_superadmin
from dashify.settings import Settings
from dashify.stores.token_log import TokenLog
from tests.blueprints.test_dashboard import READABLE
from tests.system.kit import Instance, Person, until
from tests.system.redis_set import Users, direct_settings, port_of, running_with_users

StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[tuple[Server, Users]]:
    with running_with_users(tmp_path) as (server, users):
        yield server, users


@pytest.fixture
def own(settings: Settings, limited: tuple[Server, Users], tmp_path: Path) -> Settings:
    return replace(direct_settings(settings, *limited), mongodb_database=f"dashify_users_{time.time_ns()}",
                   mail_url=(tmp_path / "mails").as_uri())


def test_everything_works_with_the_users_that_are_documented(
        own: Settings, limited: tuple[Server, Users], tmp_path: Path, start_worker: StartWorker) -> None:
    server, users = limited
    resources = Resources(own)
    instances = [Instance(own, f"api-{number}", tmp_path) for number in (1, 2)]
    try:
        for instance in instances:
            until(instance.ready, 90, "an instance")
        start_worker("emails", own=own)
        start_worker("notifications", own=own)
        start_worker("--scheduler", own=own)
        alice = Person(instances[0].url).sign_up("Alice", "Acme")
        bob = alice.invite("Bob", instances[1].url)
        laptop = Person(instances[1].url).sign_in(alice.user["email"])
        general = alice.general()
        socket = bob.connect()
        socket.wait_for("hello")
        socket.wait_for("presence", lambda event: event["user_id"] == bob.user["id"])
        alice.ok("POST", f"/channels/{general}/messages", {"text": "@Bob over two processes", "client_id": "1"})
        # By pub/sub, at once: the heads, which would bring it too, are told every 10 s.
        socket.wait_for("message:new", lambda event: "two processes" in event["message"]["text"], 5)
        alice.ok("POST", "/invitations", {"email": "carol@joined.test", "role": "member"})
        until(lambda: list((tmp_path / "mails").glob("*.eml")), 20, "the invitation's mail")
        until(lambda: bob.ok("GET", "/notifications")["notifications"], 20, "the notification")
        set_superadmin(Platform(resources), alice.user["email"], True)
        for path in READABLE:
            answer = alice.http.get(f"{instances[0].url}/platform/rq{path}", timeout=10)
            assert answer.status_code == 200, (path, answer.text[:300])
        assert {one["name"] for one in alice.http.get(
            f"{instances[0].url}/platform/rq/0/data/queues.json", timeout=10).json()["queues"]} >= {"emails"}
        workers = alice.http.get(f"{instances[0].url}/platform/rq/0/data/workers.json", timeout=10).json()["workers"]
        assert len(workers) == 2
        laptop.ok("POST", "/auth/logout")
        assert laptop.call("GET", "/me", url=instances[0].url).status_code == 401
        alice.ok("PATCH", f"/users/{bob.user['id']}", {"active": False})
        until(lambda: socket.closed, 3)
    finally:
        for instance in instances:
            instance.end()
        resources.close()
    assert users.refused(server) == []


def test_every_script_of_ours_and_rq_itself_may_run(own: Settings, limited: tuple[Server, Users]) -> None:
    server, users = limited
    resources = Resources(own)
    slots = Slots(resources.gate, {"host": 1}, 10, {"host": "host"})
    asked = slots.ask(Ticket("one", "acme"), ["host"])
    assert asked.host == "host"
    assert slots.ask(Ticket("two", "acme"), ["host"]).position == 1
    slots.leave(Ticket("two", "acme"))
    slots.release(asked.lease)
    log = TokenLog(resources.gate, "acme")
    log.add("answer", 0, "a piece", [])
    assert log.read("answer", -1, 1) == [{"text": "a piece", "cites": []}]
    ids = [new_id() for _ in Place]

    def pass_through(lists: RqLists) -> None:
        lists.enqueue([Delivery(one, Queue.AUDIT) for one in ids])
        claims = lists.claim(len(ids), "a-worker")
        assert set(lists.list_holders(claims).values()) == {"a-worker"}
        lists.settle("a-worker", [Settlement(claim, place, due=time.time() - 1, code="failed")
                                  for claim, place in zip(claims, Place, strict=True)])
        assert lists.promote() == 1
        assert lists.wait(1.0)
        lists.withdraw(list(lists.list_held()))
        assert lists.depth() == 0

    resources.dispatcher.on(Queue.AUDIT, pass_through)
    client = resources.queues_gate.client(decode=False)
    clean_registries(RqQueue("audit", connection=client, serializer=JSONSerializer))
    assert users.refused(server) == []
    shown = subprocess.run([str(Path(sys.executable).parent / "rq"), "info", "--raw", "--url", own.redis_queues_url],
                           capture_output=True, text=True, check=True).stdout
    assert "audit" in shown
    # It names itself and asks who is connected, and goes on without.
    assert {one["object"] for one in users.refused(server)} <= {"client"}
    resources.close()


def test_each_user_may_do_its_own_part_only(limited: tuple[Server, Users]) -> None:
    server, users = limited

    def client(role: str) -> redis.Redis:
        return redis.Redis.from_url(f"redis://{users.of(role)}@127.0.0.1:{port_of(server)}/0", retry=None)

    sessions, pubsub, queues = client("sessions"), client("pubsub"), client("queues")
    admin = users.admin_of(server)
    admin.set("dashify:session:x", "1")
    admin.lpush("rq:queue:emails", "x")
    for forbidden in (
            lambda: queues.get("dashify:session:x"), lambda: pubsub.get("dashify:session:x"),
            lambda: sessions.lrange("rq:queue:emails", 0, -1), lambda: pubsub.set("dashify:a", "1"),
            lambda: sessions.publish("dashify:control", "{}"), lambda: queues.publish("dashify:control", "{}"),
            lambda: pubsub.publish("another", "{}"), lambda: sessions.flushall(), lambda: queues.flushdb(),
            lambda: sessions.keys("*"), lambda: queues.config_get("*"), lambda: queues.client_list(),
            lambda: queues.eval("return redis.call('GET', 'dashify:session:x')", 0),
            lambda: sessions.eval("return redis.call('PUBLISH', 'dashify:control', '{}')", 0),
            lambda: sessions.acl_list(), lambda: sessions.set("other", "1")):
        with pytest.raises(redis.ResponseError, match=r"permission|NOPERM|can't (access|run)"):
            forbidden()
    nobody = redis.Redis(port=port_of(server), retry=None)
    with pytest.raises(redis.AuthenticationError):
        nobody.ping()


def test_a_user_that_may_not_show_who_answers_is_told_so_and_counts_as_away(
        own: Settings, limited: tuple[Server, Users], caplog: pytest.LogCaptureFixture) -> None:
    server, users = limited
    users.admin_of(server).acl_setuser("dashify-sessions", enabled=True, commands=["-info"])
    resources = Resources(own)
    with pytest.raises(Exception, match="needs Redis"):
        resources.limits.count("anything", "at all")
    assert "does not let us look who it is" in caplog.text
    assert users.passwords["SESSIONS_PASSWORD"] not in caplog.text
    resources.close()
