"""The way to Redis: what counts as away, how it comes back, and that a Redis which forgot is not trusted too soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from dashify.context import Platform
from dashify.domain.accounts import token_hash
from dashify.domain.jobs import Queue
from dashify.domain.names import new_id, session_key
from dashify.errors import Unauthenticated, Unavailable
from dashify.gate import RedisGate
from dashify.local.servers import Server, running_redis
from dashify.redis_link import means_away
from dashify.resources import Resources
from dashify.services import accounts
from dashify.services.sessions import authenticate, revoke_session
from dashify.settings import Settings
from dashify.web import create_app
from tests.blueprints.conftest import Browser, sign_up
from tests.conftest import HERE, PASSWORD
from tests.system.kit import until

KEY = "dashify:probe:test"
Work = Callable[[redis.Redis], Any]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A Redis of this test alone, which it may hurt."""
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def admin(own: Server) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(own.url, decode_responses=True, retry=None)
    yield client
    client.close()


@pytest.fixture
def gate(own: Server) -> Iterator[RedisGate]:
    opened = RedisGate(own.url, probe_key=KEY)
    assert opened.run(lambda client: client.set("dashify:a", "1"))
    yield opened
    opened.close()


def in_a_transaction(client: redis.Redis) -> None:
    with client.pipeline(transaction=True) as pipe:
        pipe.set("dashify:a", "2")
        pipe.delete("dashify:b")
        pipe.execute()


def in_a_pipeline(client: redis.Redis) -> None:
    with client.pipeline(transaction=False) as pipe:
        pipe.set("dashify:a", "2")
        pipe.execute()


def in_a_script(client: redis.Redis) -> None:
    client.register_script("return redis.call('SET', KEYS[1], '2')")(keys=["dashify:a"])


def no_replicas(admin: redis.Redis) -> Callable[[], object]:
    admin.config_set("min-replicas-to-write", 1)
    return lambda: admin.config_set("min-replicas-to-write", 0)


def no_memory(admin: redis.Redis) -> Callable[[], object]:
    admin.config_set("maxmemory", 1)
    return lambda: admin.config_set("maxmemory", 0)


def demoted(admin: redis.Redis) -> Callable[[], object]:
    admin.replicaof("127.0.0.1", 9)
    return lambda: admin.replicaof("NO", "ONE")


def master_down(admin: redis.Redis) -> Callable[[], object]:
    admin.config_set("replica-serve-stale-data", "no")
    return demoted(admin)


def busy(admin: redis.Redis) -> Callable[[], object]:
    admin.config_set("lua-time-limit", 50)

    def loop() -> None:
        with pytest.raises(redis.ResponseError, match="killed"):
            admin.eval("while true do end", 0)

    running = threading.Thread(target=loop)
    running.start()
    time.sleep(0.3)

    def end() -> None:
        admin.script_kill()
        running.join()

    return end


PLAIN: list[Work] = [lambda client: client.set("dashify:a", "2"), in_a_transaction, in_a_pipeline]


@pytest.mark.parametrize(("state", "works"), [
    (no_replicas, PLAIN), (no_memory, [*PLAIN, in_a_script]), (demoted, [*PLAIN, in_a_script]),
    (master_down, [*PLAIN, lambda client: client.get("dashify:a")]), (busy, [*PLAIN, in_a_script])])
def test_a_redis_that_is_there_and_cannot_serve_is_away(own: Server, admin: redis.Redis, state: Any,
                                                        works: list[Work]) -> None:
    for work in works:
        gate = RedisGate(own.url, probe_key=KEY)
        gate.run(lambda client: client.ping())
        end = state(admin)
        try:
            with pytest.raises(Unavailable) as refusal:
                gate.run(work)
            assert refusal.value.code == "redis_unavailable"
            # It stays so, reading included, until it serves again: no flapping.
            time.sleep(0.6)
            assert not gate.available
        finally:
            end()
        until(lambda gate=gate: gate.available, 5)
        gate.run(work)
        gate.close()


@pytest.mark.parametrize(("text", "away"), [
    ("NOREPLICAS Not enough good replicas to write.", True),
    ("NOREPLICAS Not enough good replicas to write. script: 4ce8, on @user_script:3.", True),
    ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", True),
    ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", True),
    ("ERR Error running script (call to f_4ce8): @user_script:1: @user_script: 1: -READONLY You can't write against a"
     " read only replica.", True),
    ("Command # 1 (SET a b) of pipeline caused error: NOREPLICAS Not enough good replicas to write.", True),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", False),
    ("BUSYKEY Target key name already exists.", False),
    ("BUSYGROUP Consumer Group name already exists", False),
    ("ERR Error running script (call to f_4ce8): @user_script:1: user_script:1: READONLY attempt to compare", False)])
def test_only_refusals_to_serve_count_as_away(text: str, away: bool) -> None:
    assert means_away(redis.ResponseError(text)) is away


def test_what_somebody_wrote_is_not_logged_with_an_outage(gate: RedisGate, admin: redis.Redis,
                                                          caplog: pytest.LogCaptureFixture) -> None:
    def work(client: redis.Redis) -> None:
        with client.pipeline(transaction=False) as pipe:
            pipe.set("dashify:a", "written in confidence")
            pipe.execute()

    admin.config_set("min-replicas-to-write", 1)
    with pytest.raises(Unavailable):
        gate.run(work)
    assert "NOREPLICAS" in caplog.text
    assert "confidence" not in caplog.text


def test_a_mistake_of_ours_is_no_outage(gate: RedisGate) -> None:
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        gate.run(lambda client: client.lpush("dashify:a", "x"))
    assert gate.available


def test_nothing_is_read_from_a_restarted_redis_before_what_it_forgot_is_loaded(own: Server, gate: RedisGate) -> None:
    order: list[str] = []

    def load() -> None:
        time.sleep(0.3)
        order.append("loaded")

    gate.on_return(load)
    own.kill()
    own.start()
    # The connection was idle meanwhile: nothing has failed, only another server answers.
    with pytest.raises(Unavailable):
        gate.run(lambda client: client.get("dashify:a"))

    def read() -> bool:
        try:
            gate.run(lambda client: client.get("dashify:a"))
        except Unavailable:
            return False
        order.append("read")
        return True

    until(read, 5)
    assert order == ["loaded", "read"]
    assert gate.moves == 1


def test_other_clients_of_a_gate_wait_for_the_same(own: Server, gate: RedisGate) -> None:
    worker = gate.client(decode=False, pool_size=2)
    assert worker.get("dashify:a") == b"1"
    loaded = threading.Event()
    gate.on_return(lambda: loaded.wait(5) and None)
    own.kill()
    own.start()
    for _ in range(3):
        with pytest.raises(redis.ConnectionError):
            worker.get("dashify:a")
    assert not gate.available
    loaded.set()
    until(lambda: gate.available, 5)
    assert worker.get("dashify:a") == b"1"
    worker.connection_pool.disconnect()


def test_connections_that_wait_in_the_pool_are_not_used_after_an_outage(own: Server, gate: RedisGate) -> None:
    def many() -> None:
        threads = [threading.Thread(target=lambda: gate.run(lambda client: client.blpop(["dashify:none"], 0.2)))
                   for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    many()
    own.freeze()
    with pytest.raises(Unavailable):
        gate.run(lambda client: client.ping())
    own.thaw()
    until(lambda: gate.available, 5)
    began = time.monotonic()
    many()
    assert time.monotonic() - began < 0.9
    assert gate.available


def test_a_closed_gate_stops_looking(own: Server) -> None:
    others = set(threading.enumerate())
    gate = RedisGate(own.url, probe_key=KEY)
    own.kill()
    with pytest.raises(Unavailable):
        gate.run(lambda client: client.ping())
    [looking] = [one for one in set(threading.enumerate()) - others if one.name == "redis-probe"]
    gate.close()
    until(lambda: not looking.is_alive(), 5)


def test_http_answers_503_where_redis_may_not_write(settings: Settings, resources: Resources, own: Server,
                                                    admin: redis.Redis) -> None:
    app = create_app(replace(settings, redis_url=own.url))
    alice = sign_up(Browser(app), "Alice", "Acme")
    admin.config_set("min-replicas-to-write", 1)
    refused = [alice.post("/auth/logout"), Browser(app).post("/auth/login", {
        "email": alice.user["email"], "password": "whatever it is"})]
    assert [answer.status_code for answer in refused] == [503, 503]
    assert {answer.get_json()["error"]["code"] for answer in refused} == {"redis_unavailable"}
    admin.config_set("min-replicas-to-write", 0)

    def signs_in() -> bool:
        answer = Browser(app).post("/auth/login", {"email": alice.user["email"], "password": "whatever it is"})
        assert answer.status_code in (401, 503)
        return answer.status_code == 401

    until(signs_in, 5)


def test_a_session_that_was_revoked_unheard_is_refused_though_redis_still_has_it(settings: Settings,
                                                                                own: Server) -> None:
    here, elsewhere = (Resources(replace(settings, redis_url=own.url)) for _ in range(2))
    signed = accounts.sign_up(Platform(here), "Acme", "Alice", f"alice.{new_id()}@acme.test", PASSWORD, HERE)
    assert authenticate(Platform(here), signed.cookie).actor.name == "Alice"
    own.stop()
    context = Platform(elsewhere).context(signed.actor)
    with pytest.raises(Unavailable):
        revoke_session(context, signed.actor.session_id or "")
    own.start()
    key = session_key(token_hash(signed.cookie))
    direct = redis.Redis.from_url(own.url)
    assert direct.exists(key)
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        with pytest.raises(Unauthenticated):
            authenticate(Platform(here), signed.cookie)
    assert here.gate.available
    assert direct.exists(key)
    here.close()
    elsewhere.close()


def test_each_role_has_the_gate_of_its_address(settings: Settings, own: Server) -> None:
    shared = Resources(settings)
    assert shared.gate is shared.pubsub_gate is shared.queues_gate
    apart = Resources(replace(settings, redis_pubsub_url=own.url, redis_queues_url=own.url + "?db=1"))
    gates = [apart.gate, apart.pubsub_gate, apart.queues_gate]
    assert len(set(map(id, gates))) == 3
    own.kill()
    with pytest.raises(Unavailable):
        apart.dispatcher.depth(Queue.AUDIT)
    assert [gate.available for gate in gates] == [True, True, False]
    two = Resources(replace(settings, redis_pubsub_url=own.url, redis_queues_url=own.url))
    assert two.pubsub_gate is two.queues_gate is not two.gate
    two.close()
    shared.close()
    apart.close()
