"""Real sentinels promote a replica that lags behind: nothing acknowledged is missing, nothing revoked lives."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from dashify.domain.accounts import token_hash
from dashify.domain.names import new_id, session_key
from dashify.errors import Unavailable
from dashify.gate import RedisGate
from dashify.redis_link import Sentinels
from dashify.redis_url import SentinelAddress, parse_redis_url
from dashify.settings import Settings
from tests.system.kit import Instance, Person, until
from tests.system.redis_set import MASTER, RedisSet, port_of, running_set
from tests.system.test_outages import Poster, by_http, by_socket, follow
from tests.system.test_revocation import other_session

StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def redis_set(tmp_path: Path) -> Iterator[RedisSet]:
    with running_set(tmp_path) as running:
        yield running


class Repeated(threading.Thread):
    """Does something all the time, and notes what came of it and when."""

    def __init__(self, what: Callable[[], object], pause: float = 0.05) -> None:
        super().__init__(daemon=True)
        self.what, self.pause = what, pause
        self.outcomes: list[tuple[float, float, object]] = []
        self.done = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.done.wait(self.pause):
            began = time.monotonic()
            outcome = self.what()
            self.outcomes.append((began, time.monotonic(), outcome))

    def finish(self) -> Counter[object]:
        self.done.set()
        self.join(30)
        return Counter(outcome for _, _, outcome in self.outcomes)

    def describe(self, good: object) -> str:
        """From the first call that failed to the end of the last, and the longest call of all."""
        bad = [(began, ended) for began, ended, outcome in self.outcomes if outcome != good]
        away = bad[-1][1] - bad[0][0] if bad else 0.0
        longest = max(ended - began for began, ended, _ in self.outcomes)
        return f"{len(bad)} of {len(self.outcomes)} calls failed, over {away:.1f} s; the longest took {longest:.1f} s"


def works(gate: RedisGate, work: Callable[[redis.Redis], object]) -> bool:
    try:
        gate.run(work)
    except Unavailable:
        return False
    return True


def invite(person: Person, url: str, guests: list[str]) -> int:
    """Invite somebody new, who is one of `guests` once that was acknowledged."""
    guest = f"{new_id()}@acme.test"
    status = person.call("POST", "/invitations", {"email": guest, "role": "member"}, url=url).status_code
    if status == 201:
        guests.append(guest)
    return status


def mailed(folder: Path) -> set[str]:
    return {found for one in folder.glob("*.eml") for found in re.findall(r"^To: (\S+)", one.read_text(), re.MULTILINE)}


class Busy:
    """Two instances on the set, a worker, people who post, invite and try a session that is revoked, all the time."""

    def __init__(self, redis_set: RedisSet, own: Settings, folder: Path) -> None:
        self.redis_set, self.mails = redis_set, folder / "mails"
        self.posters: list[Poster] = []
        self.revoked: list[Repeated] = []
        self.inviting: list[Repeated] = []
        self.guests: list[str] = []
        self.instances = [Instance(own, f"api-{number}", folder) for number in (1, 2)]

    def begin(self) -> None:
        """Begin, cut the master's replicas off, and then revoke the session, whose key in Redis this gives."""
        for instance in self.instances:
            until(instance.ready, 90, "an instance")
        urls = [instance.url for instance in self.instances]
        alice = Person(urls[0]).sign_up("Alice", "Acme")
        bob = alice.invite("Bob", urls[1])
        laptop = Person(urls[1]).sign_in(alice.user["email"])
        self.general = alice.general()
        self.listeners = [alice.connect(urls[0]), bob.connect(urls[1])]
        self.posters = [Poster(by_http(alice, urls[0], self.general), "http"),
                        Poster(by_socket(bob.connect(), self.general), "socket")]
        for poster in self.posters:
            poster.start()
        self.key = session_key(token_hash(laptop.http.cookies["dashify_session"]))
        servers = [self.redis_set.users.admin_of(one) for one in self.redis_set.servers]
        until(lambda: all(one.exists(self.key) for one in servers), 15, "replicated")
        time.sleep(1)
        self.redis_set.cut_replicas_off()
        alice.ok("DELETE", f"/me/sessions/{other_session(alice)}")
        self.revoked = [Repeated(lambda url=url: laptop.call("GET", "/me", url=url).status_code) for url in urls]
        self.inviting = [Repeated(lambda url=url: invite(alice, url, self.guests)) for url in urls]

    def has_the_session(self) -> bool:
        return bool(self.redis_set.users.admin_of(self.redis_set.master()).exists(self.key))

    def ready(self) -> bool:
        return all(instance.ready() for instance in self.instances)

    def finish(self) -> None:
        """Stop, and check what holds however Redis fared."""
        assert [set(one.finish()) for one in self.revoked] == [{401}, {401}]
        assert all(set(one.finish()) <= {201, 503} for one in self.inviting)
        for poster in self.posters:
            poster.finish()
        assert sum(poster.refused for poster in self.posters) == 0
        acknowledged = {seq for poster in self.posters for seq in poster.acknowledged}
        for listener in self.listeners:
            until(lambda listener=listener: acknowledged <= follow(listener, self.general), 15, "what was acknowledged")
        assert len(self.guests) > 10
        until(lambda: set(self.guests) <= mailed(self.mails), 60, "the mail of every acknowledged invitation")

    def stop(self) -> None:
        for running in (*self.posters, *self.revoked, *self.inviting):
            running.done.set()
            running.join(30)
        for instance in self.instances:
            instance.end()


@pytest.mark.parametrize("end", ["kill", "freeze"])
def test_a_stale_replica_is_promoted_and_nothing_acknowledged_is_missing_and_nothing_revoked_lives(
        settings: Settings, redis_set: RedisSet, tmp_path: Path, start_worker: StartWorker, end: str) -> None:
    own = replace(redis_set.settings(settings), mongodb_database=f"dashify_failover_{time.time_ns()}",
                  mail_url=(tmp_path / "mails").as_uri())
    busy = Busy(redis_set, own, tmp_path)
    try:
        for what in ("emails", "--scheduler"):
            start_worker(what, own=own)
        busy.begin()
        assert not busy.has_the_session()
        time.sleep(2)
        before = [len(poster.acknowledged) for poster in busy.posters]
        old = redis_set.master()
        took = redis_set.promote(end)
        assert min(len(one.acknowledged) - count for one, count in zip(busy.posters, before, strict=True)) > 3
        assert busy.has_the_session(), "the promoted one is not stale"
        until(busy.ready, 40, "both ready")
        time.sleep(1)
        assert busy.has_the_session()
        old.thaw() if end == "freeze" else old.start()
        until(redis_set.complete, 60, "the old master follows the new one")
        time.sleep(1)
        busy.finish()
        print(f"\n{end}: the sentinels took {took:.1f} s; inviting: " + "; ".join(
            one.describe(201) for one in busy.inviting))
        asked = [*redis_set.servers[1:], *redis_set.sentinels]
        assert [redis_set.users.refused(one) for one in asked] == [[]] * len(asked)
    finally:
        busy.stop()


def test_a_planned_change_of_master_is_followed_at_once(redis_set: RedisSet) -> None:
    gates = [RedisGate(redis_set.url("sessions"), probe_key="dashify:probe:sessions") for _ in range(2)]
    calls = [Repeated(lambda gate=gate: works(gate, lambda client: client.incr("dashify:n")), 0.01) for gate in gates]
    old = redis_set.master()
    time.sleep(0.5)
    redis_set.users.admin_of(redis_set.sentinels[0]).execute_command("SENTINEL FAILOVER", MASTER)
    until(lambda: redis_set.master() is not old, 20, "another master")
    until(lambda: all(gate.moves == 1 for gate in gates), 5, "followed")
    for one in calls:
        print("\nplanned:", one.describe(True))
        assert one.finish()[True] > 20
    new = redis_set.users.admin_of(redis_set.master())
    for gate in gates:
        assert gate.available
        gate.run(lambda client: client.set("dashify:where", "on the new one"))
        assert new.get("dashify:where") == "on the new one"
        gate.close()


def test_a_master_that_was_replaced_while_it_still_answers_is_left(redis_set: RedisSet) -> None:
    """As on the wrong side of a broken network: its clients reach it, the sentinels do not."""
    gate = RedisGate(redis_set.url("sessions"), probe_key="dashify:probe:sessions")
    gate.run(lambda client: client.set("dashify:where", "old"))
    old = redis_set.master()
    admin = redis_set.users.admin_of(old)
    redis_set.cut_replicas_off()
    admin.acl_setuser("dashify-sentinel", enabled=False)
    admin.execute_command("CLIENT KILL USER dashify-sentinel")
    until(lambda: redis_set.master() is not old, 30, "another master")
    until(lambda: gate.moves == 1 and gate.available, 5, "the other one followed")
    assert admin.role()[0] == "master"
    gate.run(lambda client: client.set("dashify:where", "new"))
    assert admin.get("dashify:where") == "old"
    assert redis_set.users.admin_of(redis_set.master()).get("dashify:where") == "new"
    gate.close()


def test_a_sentinel_that_lags_behind_is_not_believed_and_one_that_is_away_costs_time_once(
        redis_set: RedisSet) -> None:
    first, second, third = redis_set.sentinels
    gate = RedisGate(redis_set.url("sessions"), probe_key="dashify:probe:sessions")
    first.freeze()
    began = time.monotonic()
    assert works(gate, lambda client: client.ping())
    assert 0.4 < time.monotonic() - began < 1.5
    time.sleep(2.5)
    # Asked again every second, the one that is away comes last.
    began = time.monotonic()
    gate.client(pool_size=1).ping()
    assert time.monotonic() - began < 0.4
    old = redis_set.master_by(second)
    old.kill()
    until(lambda: redis_set.master_by(second) is redis_set.master_by(third) is not old, 40, "another master")
    first.thaw()
    address = parse_redis_url(redis_set.url("sessions"))
    assert isinstance(address, SentinelAddress)
    for _ in range(20):
        assert Sentinels(address).locate()[1] == port_of(redis_set.master_by(second))
    until(lambda: works(gate, lambda client: client.set("dashify:a", "1")), 10)
    assert redis_set.users.admin_of(redis_set.master_by(second)).get("dashify:a") == "1"
    gate.close()


def test_without_any_sentinel_calls_fail_soon_and_open_connections_go_on(redis_set: RedisSet) -> None:
    gate = RedisGate(redis_set.url("sessions"), probe_key="dashify:probe:sessions")
    assert works(gate, lambda client: client.set("dashify:a", "1"))
    for sentinel in redis_set.sentinels:
        sentinel.kill()
    time.sleep(2.5)
    assert works(gate, lambda client: client.get("dashify:a"))
    fresh = RedisGate(redis_set.url("sessions"), probe_key="dashify:probe:sessions")
    began = time.monotonic()
    assert not works(fresh, lambda client: client.get("dashify:a"))
    assert time.monotonic() - began < 2.0
    redis_set.sentinels[0].start()
    until(lambda: works(fresh, lambda client: client.get("dashify:a")), 10)
    gate.close()
    fresh.close()
