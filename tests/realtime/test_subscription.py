"""What an instance hears: only organizations it wants, from the moment it is told so, and again after an outage."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from dashify.domain.names import CONTROL_CHANNEL, events_channel, new_id
from dashify.gate import RedisGate, connect
from dashify.local.servers import Server, running_redis
from dashify.realtime import subscription
from dashify.realtime.subscription import Subscription
from tests.system.kit import until

STOP = "stop"


class Stop(BaseException):
    """The only way out of a loop that survives everything else."""


class Listener:
    """A subscription that runs in a thread, and what it heard."""

    def __init__(self, url: str) -> None:
        self.client = connect(url, timeout=5.0)
        self.heard: list[str] = []
        self.returned: list[Collection[str] | None] = []
        self._gate = RedisGate(url)
        self.subscription = Subscription(self._gate, self._handle)
        self.subscription.attach(self.returned.append)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _handle(self, text: str) -> None:
        if text == STOP:
            raise Stop
        if text == "bad":
            raise ValueError
        self.heard.append(text)

    def _run(self) -> None:
        with contextlib.suppress(Stop):
            self.subscription.run()

    def start(self) -> None:
        self._thread.start()
        until(lambda: self.subscription.live)

    def stop(self) -> None:
        if self._thread.is_alive():
            until(lambda: self.client.publish(CONTROL_CHANNEL, STOP))
            self._thread.join(10)
        self.client.connection_pool.disconnect()
        self._gate.close()

    def publish(self, tenant_id: str, text: str) -> int:
        """Publish, and give how many subscriptions Redis sent it to."""
        return int(self.client.publish(events_channel(tenant_id), text))


@pytest.fixture
def redis_alone(tmp_path: Path) -> Iterator[Server]:
    """A Redis of this test alone, which it may hurt."""
    with running_redis(tmp_path / "alone") as server:
        yield server


@pytest.fixture
def listener(redis_alone: Server) -> Iterator[Listener]:
    """A subscription, begun."""
    made = Listener(redis_alone.url)
    made.start()
    yield made
    made.stop()


def test_what_is_published_right_after_the_answer_is_heard_and_nothing_of_others(listener: Listener) -> None:
    ours, others = [new_id() for _ in range(50)], new_id()
    for tenant_id in ours:
        assert listener.subscription.hear(tenant_id, 5)
        assert listener.publish(tenant_id, tenant_id) == 1
    assert listener.publish(others, "not for us") == 0
    until(lambda: listener.heard == ours)
    assert listener.returned == []


def test_many_organizations_come_at_once(listener: Listener) -> None:
    ids = [new_id() for _ in range(300)]
    confirmed: list[bool] = []
    threads = [threading.Thread(target=lambda one=one: confirmed.append(listener.subscription.hear(one, 10)))
               for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert confirmed == [True] * 300
    assert all(listener.publish(one, "x") == 1 for one in ids)


def test_one_that_is_kept_no_longer_is_left_after_a_while_and_can_come_back(
        listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, left = new_id(), new_id()
    for tenant_id in (kept, left):
        assert listener.subscription.hear(tenant_id, 5)
    listener.subscription.keep([kept])
    assert listener.publish(left, "still heard") == 1
    monkeypatch.setattr(subscription, "LINGER_SECONDS", 0.0)
    listener.subscription.keep([kept])
    until(lambda: listener.publish(left, "into the void") == 0)
    assert listener.publish(kept, "heard") == 1
    monkeypatch.undo()
    assert listener.subscription.hear(left, 5)
    assert listener.publish(left, "back") == 1


def test_one_is_heard_that_is_kept_although_nobody_asked(listener: Listener) -> None:
    tenant_id = new_id()
    listener.subscription.keep([tenant_id])
    until(lambda: listener.publish(tenant_id, "x") == 1)


def test_after_an_outage_everything_wanted_is_heard_again_and_that_is_told(listener: Listener,
                                                                           redis_alone: Server) -> None:
    ids = [new_id() for _ in range(20)]
    for tenant_id in ids:
        assert listener.subscription.hear(tenant_id, 5)
    redis_alone.kill()
    until(lambda: not listener.subscription.live)
    late = new_id()
    assert not listener.subscription.hear(late, 30), "nobody waits for a Redis that is away"
    redis_alone.start()
    until(lambda: listener.returned)
    assert listener.returned == [None]
    assert listener.subscription.live
    assert all(listener.publish(one, "x") == 1 for one in [*ids, late])


def test_one_that_was_not_confirmed_in_time_is_told_when_it_is(listener: Listener, redis_alone: Server) -> None:
    punctual, late = new_id(), new_id()
    assert listener.subscription.hear(punctual, 5)
    redis_alone.freeze()
    try:
        assert listener.subscription.hear(punctual, 0.1)
        assert not listener.subscription.hear(late, 0.1)
    finally:
        redis_alone.thaw()
    until(lambda: listener.returned)
    assert listener.returned == [[late]]
    assert listener.publish(late, "x") == 1


def test_one_that_came_before_the_first_subscription_is_told_when_it_is_heard(redis_alone: Server) -> None:
    listener, early = Listener(redis_alone.url), new_id()
    assert not listener.subscription.hear(early, 30)
    listener.start()
    try:
        until(lambda: listener.returned)
        assert [set(one or ()) for one in listener.returned] == [{early}]
        assert listener.publish(early, "x") == 1
    finally:
        listener.stop()


def test_a_silent_redis_is_noticed(listener: Listener, redis_alone: Server) -> None:
    tenant_id = new_id()
    assert listener.subscription.hear(tenant_id, 5)
    redis_alone.freeze()
    try:
        until(lambda: not listener.subscription.live, 10)
    finally:
        redis_alone.thaw()
    until(lambda: listener.subscription.live)
    assert listener.returned == [None]
    until(lambda: listener.publish(tenant_id, "x") == 1)


def test_a_bad_message_ends_nothing(listener: Listener) -> None:
    tenant_id = new_id()
    assert listener.subscription.hear(tenant_id, 5)
    for text in ("bad", "good"):
        listener.publish(tenant_id, text)
    until(lambda: listener.heard == ["good"])
    assert listener.subscription.live
