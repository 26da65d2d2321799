"""The line before the model hosts: fair, bounded, shared by processes, and free of the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashify.clients import model_slots
from dashify.clients.model_line import Asked, Ticket
from dashify.clients.model_slots import Slots
from dashify.gate import RedisGate
from dashify.local.processes import ROOT
from dashify.local.servers import Server, running_redis
from tests.models.hosts import eventually

ONE = {"a:1": 1}
Make = Callable[..., Slots]


@contextmanager
def making(gate: RedisGate) -> Iterator[Make]:
    made: list[Slots] = []

    def make(caps: dict[str, int] | None = None, most: int = 100) -> Slots:
        caps = caps or ONE
        made.append(Slots(gate, caps, most, {key: key for key in caps}))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def slots(gate: RedisGate) -> Iterator[Make]:
    """Give a function that makes one process's slots, all on one Redis without anybody in line."""
    gate.run(lambda client: client.delete(*(client.keys("dashify:models:*") or ["none"])))
    with making(gate) as make:
        yield make


@pytest.fixture(params=["with Redis", "without Redis"])
def alone_too(request: pytest.FixtureRequest, slots: Make) -> Iterator[Make]:
    """Like `slots`, and once more where Redis is away."""
    away = RedisGate("redis://127.0.0.1:9/0")
    with making(away) as make:
        yield slots if request.param == "with Redis" else make
    away.close()


def ask(slots: Slots, ticket: Ticket, hosts: list[str] | None = None) -> Asked:
    return slots.ask(ticket, hosts or ["a:1"])


def serve(slots: Slots, lease: str, tickets: list[Ticket]) -> list[str]:
    """Give the slot on to one after the other of `tickets`, the last asking first, and tell the order."""
    order: list[str] = []
    waiting = list(tickets)
    while waiting:
        slots.release(lease)
        answers = [(ticket, ask(slots, ticket)) for ticket in reversed(waiting)]
        ((served, lease),) = [(ticket, asked.lease) for ticket, asked in answers if asked.host]
        order.append(served.id)
        waiting.remove(served)
    slots.release(lease)
    return order


def test_tenants_take_turns_whoever_has_more_waiting(alone_too: Make) -> None:
    slots = alone_too()
    running = ask(slots, Ticket("running", "C"))
    tickets = [Ticket(f"A{number}", "A") for number in range(5)] + [Ticket("B0", "B")]
    for ticket in tickets:
        ask(slots, ticket)
    assert [ask(slots, ticket).position for ticket in tickets] == [1, 3, 4, 5, 6, 2]
    assert serve(slots, running.lease, tickets) == ["A0", "B0", "A1", "A2", "A3", "A4"]


def test_a_tenant_that_comes_late_waits_for_one_round_and_not_for_all_that_wait(alone_too: Make) -> None:
    slots = alone_too()
    running = ask(slots, Ticket("running", "C"))
    many = [Ticket(f"A{number}", "A") for number in range(6)]
    for ticket in many:
        ask(slots, ticket)
    slots.release(running.lease)
    running = ask(slots, many[0])
    late = [Ticket("B0", "B"), Ticket("B1", "B")]
    assert [ask(slots, ticket).position for ticket in late] == [2, 4]
    assert serve(slots, running.lease, many[1:] + late) == ["A1", "B0", "A2", "B1", "A3", "A4", "A5"]


def test_who_gives_up_costs_its_tenant_no_turn(alone_too: Make) -> None:
    slots = alone_too()
    ask(slots, Ticket("running", "C"))
    given_up = [Ticket(f"A{number}", "A") for number in range(9)]
    for ticket in given_up:
        ask(slots, ticket)
    for ticket in given_up:
        slots.leave(ticket)
    assert ask(slots, Ticket("A again", "A")).position == 1
    assert ask(slots, Ticket("B0", "B")).position == 2


def test_the_host_with_the_least_to_do_is_chosen(alone_too: Make) -> None:
    caps = {"small:1": 1, "large:1": 4}
    slots = alone_too(caps)
    both = list(caps)
    taken = [ask(slots, Ticket(str(number), "A"), both).host for number in range(5)]
    assert sorted(map(str, taken)) == ["large:1"] * 4 + ["small:1"]
    assert taken[4] == "large:1"
    assert ask(slots, Ticket("one more", "A"), both).position == 1


def test_who_waits_for_one_host_does_not_hold_up_another(alone_too: Make) -> None:
    slots = alone_too({"a:1": 1, "b:1": 1})
    assert ask(slots, Ticket("first", "A"), ["a:1"]).host == "a:1"
    assert ask(slots, Ticket("second", "A"), ["a:1"]).position == 1
    assert ask(slots, Ticket("third", "A"), ["b:1"]).host == "b:1"


def test_a_free_slot_is_kept_for_whoever_is_before(alone_too: Make) -> None:
    slots = alone_too()
    running = ask(slots, Ticket("running", "A"))
    first, second = Ticket("first", "A"), Ticket("second", "A")
    assert [ask(slots, first).position, ask(slots, second).position] == [1, 2]
    slots.release(running.lease)
    assert ask(slots, second).position == 2
    assert ask(slots, first).host == "a:1"


def test_the_line_is_bounded_and_its_last_fifth_is_for_others(alone_too: Make) -> None:
    slots = alone_too(most=10)
    ask(slots, Ticket("running", "A"))
    places = [ask(slots, Ticket(f"A{number}", "A")).position for number in range(10)]
    assert places == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0]
    assert ask(slots, Ticket("B0", "B")).position == 2
    assert ask(slots, Ticket("B1", "B")).position == 0
    assert ask(slots, Ticket("C0", "C")).position == 3
    assert ask(slots, Ticket("D0", "D")).position == 0


def test_a_short_line_lets_nobody_in_who_would_wait_and_everybody_else(alone_too: Make) -> None:
    slots = alone_too(most=1)
    running = ask(slots, Ticket("running", "A"))
    first = Ticket("first", "A")
    assert ask(slots, first).position == 1
    assert ask(slots, Ticket("second", "B")).position == 0
    slots.release(running.lease)
    assert ask(slots, first).host == "a:1"


def test_processes_share_the_slots_and_the_line(slots: Make) -> None:
    one, other = slots(), slots()
    running = ask(one, Ticket("running", "A"))
    first, second = Ticket("first", "A"), Ticket("second", "A")
    assert ask(other, first).position == 1
    assert ask(one, second).position == 2
    one.release(running.lease)
    assert ask(other, first).host == "a:1"
    assert ask(one, second).position == 1


def test_a_wish_that_another_process_takes_over_keeps_its_place(slots: Make) -> None:
    one, other = slots(), slots()
    running = ask(one, Ticket("running", "A"))
    ask(one, Ticket("job 1", "A"))
    ask(one, Ticket("job 2", "A"))
    assert ask(other, Ticket("job 1", "A")).position == 1
    one.release(running.lease)
    assert ask(other, Ticket("job 1", "A")).host == "a:1"


_HOLDER = """
import sys, time
from dashify.clients import model_slots
from dashify.clients.model_line import Ticket
from dashify.clients.model_slots import Slots
from dashify.gate import RedisGate
model_slots.LEASE_SECONDS = 4.0
slots = Slots(RedisGate(sys.argv[1]), {"a:1": 1}, 100, {"a:1": "a:1"})
holder, waiter = Ticket("holder", "A"), Ticket("waiter", "A")
slots.ask(holder, ["a:1"])
while True:
    slots.ask(waiter, ["a:1"])
    print("ready", flush=True)
    time.sleep(0.3)
"""


@pytest.fixture
def holder(redis_server: Server, slots: Make) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the only slot and stands in line once more."""
    process = subprocess.Popen([sys.executable, "-c", _HOLDER, redis_server.url], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()


def test_a_killed_process_frees_its_slot_and_its_place_within_seconds(
        slots: Make, holder: subprocess.Popen[str]) -> None:
    ours, ticket = slots(), Ticket("ours", "A")
    assert ask(ours, ticket).position == 2
    os.kill(holder.pid, signal.SIGKILL)
    killed = time.monotonic()
    eventually(lambda: ask(ours, ticket).host == "a:1", model_slots.WAITER_SECONDS + 1)
    assert time.monotonic() - killed < model_slots.WAITER_SECONDS + 1


def test_a_slot_stays_with_a_process_that_computes_for_long(
        slots: Make, monkeypatch: pytest.MonkeyPatch, gate: RedisGate) -> None:
    monkeypatch.setattr(model_slots, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(model_slots, "RENEW_SECONDS", 0.1)
    ours = slots()
    running = ask(ours, Ticket("running", "A"))
    time.sleep(1.2)
    assert ask(slots(), Ticket("other", "A")).position == 1
    ours.release(running.lease)
    time.sleep(0.3)
    assert gate.run(lambda client: client.zcard("dashify:models:slots:a:1")) == 0


def test_a_redis_that_forgot_everything_learns_it_again(
        slots: Make, monkeypatch: pytest.MonkeyPatch, gate: RedisGate) -> None:
    monkeypatch.setattr(model_slots, "RENEW_SECONDS", 0.1)
    ours = slots()
    running = ask(ours, Ticket("running", "A"))
    tickets = [Ticket("A0", "A"), Ticket("A1", "A"), Ticket("A2", "A")]
    for ticket in tickets:
        ask(ours, ticket)
    gate.run(lambda client: client.delete(*client.keys("dashify:models:*")))
    eventually(lambda: gate.run(lambda client: client.zcard("dashify:models:slots:a:1")) == 1, 3)
    assert ask(ours, tickets[2]).position == 1
    assert ask(ours, tickets[0]).position == 1
    assert ask(ours, Ticket("new", "A")).position == 3
    assert [ask(ours, ticket).position for ticket in tickets] == [1, 2, 3]
    ours.release(running.lease)


def test_the_caps_hold_while_redis_goes_away_and_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_slots, "RENEW_SECONDS", 0.1)
    with running_redis(tmp_path) as server:
        gate = RedisGate(server.url)
        ours = Slots(gate, {"a:1": 1, "b:1": 1}, 100, {"a:1": "a:1", "b:1": "b:1"})
        waiting = Ticket("waiting", "A")
        before = ask(ours, Ticket("before", "A"), ["a:1"])
        assert ask(ours, waiting, ["a:1"]).position == 1
        server.stop()
        assert ask(ours, waiting, ["a:1"]).position == 1
        assert ask(ours, Ticket("meanwhile", "A"), ["b:1"]).host == "b:1"
        server.start()
        eventually(lambda: gate.available, 5)
        eventually(lambda: gate.run(lambda client: client.zcard("dashify:models:slots:b:1")) == 1, 3)
        assert ask(ours, waiting, ["a:1"]).position == 1
        ours.release(before.lease)
        assert ask(ours, waiting, ["a:1"]).host == "a:1"
        gate.close()


def test_a_hundred_who_wait_ask_fast_enough(slots: Make) -> None:
    ours = slots()
    ask(ours, Ticket("running", "A"))
    tickets = [Ticket(f"{number}", f"tenant {number % 7}") for number in range(80)]
    for ticket in tickets:
        ask(ours, ticket)
    took = []
    for _ in range(3):
        began = time.monotonic()
        for ticket in tickets:
            assert ask(ours, ticket).position
        took.append(time.monotonic() - began)
    # A hundred who wait ask about a hundred times a second together; a busy machine may hold up any one round.
    assert min(took) < 0.8
