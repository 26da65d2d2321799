"""The arithmetic of `dashify capacity`, on measurements made up by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashify.domain.capacity import Group, Need, Report, judge
from dashify.domain.fleet import Fleet, Process, QueueState, sum_up

INSTANCE = Process("api-1", "api", "", slots=10_000, cores=0.3, memory_bytes=1e8, sockets=100)
WORKER = Process("w-1", "worker", "emails", slots=20, cores=0.1, memory_bytes=1e8, busy=2.0, jobs=4.0)
SCHEDULER = Process("s", "scheduler", "", slots=0, cores=0.01, memory_bytes=1e8)
FLEET = Fleet(60.0, [INSTANCE, replace(INSTANCE, target="api-2"), WORKER, SCHEDULER], {"emails": QueueState()}, {},
              0, 0, 0.0, 0, [])


def report(*processes: Process, **changes: object) -> Report:
    fleet = replace(FLEET, **({"processes": processes} if processes else {}), **changes)
    return judge(fleet, ["emails"])


def group(found: Report, name: str) -> Group:
    return next(one for one in found.groups if one.name == name)


def instances(*cores: float, sockets: float = 0) -> list[Process]:
    return [replace(INSTANCE, target=f"api-{at}", cores=one, sockets=sockets) for at, one in enumerate(cores)]


@pytest.mark.parametrize(("cores", "now", "doubled"), [
    ([0.0], 2, 2), ([0.6, 0.6], 2, 4), ([0.61, 0.6], 3, 5), ([0.3, 0.3, 0.3, 0.3], 2, 4), ([1.0] * 5, 9, 17)])
def test_instances_are_counted_by_the_cores_they_use(cores: list[float], now: int, doubled: int) -> None:
    found = group(report(*instances(*cores)), "api")
    assert (found.running, found.needed(1), found.needed(2)) == (len(cores), now, doubled)


def test_instances_are_counted_by_the_sockets_they_hold() -> None:
    found = group(report(*instances(0.1, 0.1, 0.1, sockets=7_000)), "api")
    assert (found.needed(1), found.needed(2)) == (3, 6)
    assert found.fullest.thing == "sockets"
    assert found.fullest.pressure == pytest.approx(1.0)


def test_workers_are_counted_by_what_runs_at_once_and_by_their_core() -> None:
    by_slots = group(report(replace(WORKER, busy=14.0)), "emails")
    assert (by_slots.needed(1), by_slots.needed(2), by_slots.fullest.thing) == (1, 2, "jobs at once")
    by_core = group(report(replace(WORKER, cores=0.9)), "emails")
    assert (by_core.needed(1), by_core.needed(2), by_core.fullest.thing) == (2, 3, "processor")


def test_a_queue_that_grows_needs_as_much_more_as_it_grows_and_ten_minutes_for_what_waits() -> None:
    full = replace(WORKER, busy=20.0, jobs=4.0)
    assert group(report(full), "emails").needed(1) == 2
    # 4 jobs a second end, 4 more come than end, 2,400 wait: 4 + 4 + 2,400 / 600 = 12 a second, three times as many.
    growing = report(full, queues={"emails": QueueState(queued=2_400, growth=4.0)})
    need = group(growing, "emails").fullest
    assert need.used == pytest.approx(60.0)
    assert group(growing, "emails").needed(1) == 5  # 60 / (20 x 0.7) = 4.29
    shrinking = report(full, queues={"emails": QueueState(growth=-3.0)})
    assert group(shrinking, "emails").fullest.used == pytest.approx(20.0)


def test_a_queue_without_workers_needs_one_and_is_told_of() -> None:
    found = report(INSTANCE, SCHEDULER, queues={"emails": QueueState(queued=5, oldest_seconds=300, dead=2)})
    assert group(found, "emails").running == 0
    assert group(found, "emails").needed(1) == 1
    said = " ".join(found.warnings)
    assert "emails: none was found" in said
    assert "emails: 5 jobs wait, the first for 300 s" in said
    assert "emails: 2 jobs have failed for good" in said


def test_jobs_that_wait_while_none_ends_say_nothing_about_what_they_need() -> None:
    found = report(replace(WORKER, jobs=0.0, busy=0.0), queues={"emails": QueueState(queued=5)})
    assert any("none ended" in one for one in found.warnings)


def test_the_bottleneck_is_what_is_full_first() -> None:
    def full_first(*processes: Process, **changes: object) -> tuple[str, str]:
        found = report(*processes, **changes).bottleneck
        assert found is not None
        return found.name, found.fullest.thing

    assert full_first(*instances(0.5, 0.1), replace(WORKER, busy=2.0)) == ("api", "processor")
    assert full_first(*instances(0.1, 0.1), replace(WORKER, busy=10.0)) == ("emails", "jobs at once")
    assert full_first(*instances(0.1, 0.1), model_slots={"a": 1.0, "b": 1.0}, models_used=1, models_waiting=4) == (
        "model hosts", "slots")
    idle = report(*instances(0.0), replace(WORKER, cores=0.0, busy=0.0))
    assert idle.bottleneck is None


def test_model_hosts_are_counted_by_who_computes_and_who_waits() -> None:
    found = group(report(model_slots={"a": 2.0, "b": 2.0}, models_used=4, models_waiting=1), "model hosts")
    assert (found.running, found.needed(1), found.needed(2)) == (2, 4, 7)  # 5 / (2 x 0.8) = 3.13, 10 / 1.6 = 6.25


@pytest.mark.parametrize(("cores", "said"), [
    ([0.1] * 4, "2 of 4 are not needed, also with twice the load"),
    ([0.3] * 4, "2 of 4 are not needed, none of them with twice the load"),
    ([0.24] * 5, "3 of 5 are not needed, 1 of them with twice the load")])
def test_what_is_not_needed_is_told_with_and_without_twice_the_load(cores: list[float], said: str) -> None:
    assert f"API instances: {said}" in report(*instances(*cores)).idle


def test_nothing_is_idle_where_all_is_needed() -> None:
    assert not [one for one in report(*instances(0.6, 0.6)).idle if one.startswith("API")]


def test_what_is_odd_is_told() -> None:
    said = " ".join(report(*instances(0.9, 0.1, 0.1), dropped=3.0, redis_away=1, unknown=["x:1"]).warnings)
    for words in ("api-0 works 2.5 times", "no scheduler", "3.0 events a second were dropped",
                  "1 processes do not reach Redis", "x:1"):
        assert words in said
    late = report(replace(INSTANCE, lag_seconds=0.5), INSTANCE, WORKER, SCHEDULER)
    assert any("0.50 s late" in one for one in late.warnings)
    assert report().warnings == []


def test_a_need_of_unknown_size_counts_for_nothing() -> None:
    need = Need("sockets", 10.0, 0.0, 0.7, 0)
    assert need.needed(1) == 0
    assert need.pressure == float("inf")
    assert Need("sockets", 0.0, 0.0, 0.7, 0).pressure == 0


def labelled(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


IS_API = labelled("dashify_process_slots", role="api", queue="")


def test_rates_are_by_each_process_own_time_and_survive_a_restart() -> None:
    fleet = sum_up({
        "a": {IS_API: [(0, 100), (10, 100)], labelled("process_cpu_seconds_total"): [(0, 50.0), (10, 52.0)],
              labelled("dashify_deliveries_total"): [(0, 1_000), (5, 1_100), (10, 30)],
              labelled("dashify_http_request_seconds_count", route="/x"): [(0, 10), (10, 20)],
              labelled("dashify_http_request_seconds_count", route="/new"): [(10, 40)],
              labelled("dashify_heard_total", kind="event"): [(0, 0), (10, 70)],
              labelled("dashify_heard_total", kind="own"): [(0, 0), (10, 900)]}})
    [process] = fleet.processes
    assert process.cores == pytest.approx(0.2)
    assert process.deliveries == pytest.approx(13.0)  # 100 before the restart, 30 after it
    assert process.requests == pytest.approx(5.0)  # 10 more on one route, 40 on one that was new
    assert process.heard == pytest.approx(7.0)
    assert (process.role, process.slots, fleet.seconds) == ("api", 100, 10)


def test_who_is_gone_is_forgotten_and_who_says_nothing_is_named() -> None:
    fleet = sum_up({
        "gone": {IS_API: [(0, 1), (10, 1)]}, "here": {IS_API: [(200, 1), (210, 1)]}, "once": {IS_API: [(210, 1)]},
        "stranger": {labelled("process_cpu_seconds_total"): [(200, 1), (210, 2)]}, "empty": {}})
    assert [one.target for one in fleet.processes] == ["here"]
    assert fleet.unknown == ["once", "stranger"]


def test_a_queues_state_is_the_busiest_count_and_its_growth() -> None:
    def scheduler(queued: float, before: float) -> Any:
        return {labelled("dashify_process_slots", role="scheduler", queue=""): [(0, 0), (10, 0)],
                labelled("dashify_queue_oldest_seconds", queue="emails"): [(0, 1), (10, 9)],
                labelled("dashify_queue_jobs", queue="emails", state="queued"): [(0, before), (10, queued)],
                labelled("dashify_queue_jobs", queue="emails", state="dead"): [(0, 3), (10, 4)]}

    fleet = sum_up({"leads": scheduler(50, 20), "led": scheduler(10, 10)})
    assert fleet.queues == {"emails": QueueState(queued=50, dead=4, oldest_seconds=9, growth=3.0)}
