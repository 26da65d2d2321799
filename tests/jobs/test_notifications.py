from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashify.context import Context, Platform
from dashify.domain.digests import morning_of, zone_of
from dashify.domain.jobs import INSTALLATION, Job
from dashify.jobs import notifications as module
from dashify.jobs.runner import Runner
from dashify.jobs.running import Run, Superseded
from dashify.resources import Resources
from dashify.services import accounts, channels, chat, people
from tests.jobs.conftest import claim

Row = dict[str, Any]
Join = Callable[..., Context]
# In an organization of their own; what is asked for at other tests' organizations is not looked at.
SOON = timedelta(days=2)


class Killed(BaseException):
    """The end of a process in the middle of a run."""


@pytest.fixture
def general(alice: Context) -> str:
    return str(channels.list_channels(alice, None, 50)["channels"][0]["id"])


@pytest.fixture
def told(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """The notifications that are sent to sockets, each with its `room`."""
    heard: list[Row] = []

    def hear(room: str, event: str, payload: Row) -> None:
        if event == "notification:new":
            heard.append({"room": room, "event": event, **payload["notification"]})

    monkeypatch.setattr(runner.resources.publisher, "emit", hear)
    return heard


def waiting(resources: Resources, ctx: Context, job: Job) -> list[Row]:
    return list(resources.database["jobs"].find({"tenant_id": ctx.actor.tenant_id, "kind": job.kind}))


def rows(resources: Resources, ctx: Context) -> list[str]:
    found = resources.database["notifications"].find({"tenant_id": ctx.actor.tenant_id})
    return sorted(row["user_id"] for row in found)


def crowd(alice: Context, join: Join, size: int) -> list[str]:
    return sorted(join(alice, f"Person {number}").actor.user_id for number in range(size))


def abandon(resources: Resources, job_id: str) -> None:
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"status": "queued", "worker": None}})


def test_a_crowd_is_told_in_batches_and_each_of_it_once(
        runner: Runner, resources: Resources, alice: Context, join: Join, general: str, told: list[Row],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    everybody = crowd(alice, join, 5)
    chat.post_message(alice, general, "@channel and @Person 3 too", None, None)
    [job] = waiting(resources, alice, Job.FAN_OUT)
    assert runner.run(job["_id"]) == "done"
    assert rows(resources, alice) == everybody
    assert len(told) == 5


def test_a_run_killed_between_batches_is_made_whole_by_the_next_and_tells_nobody_twice(
        runner: Runner, resources: Resources, alice: Context, join: Join, general: str, told: list[Row],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    everybody = crowd(alice, join, 5)
    chat.post_message(alice, general, "@channel", None, None)
    [job] = waiting(resources, alice, Job.FAN_OUT)
    run = claim(runner, job["_id"])

    def die() -> None:
        raise Killed

    monkeypatch.setattr(run, "check", die)
    with pytest.raises(Killed):
        module.fan_out(runner.platform, run.payload, run)
    assert 0 < len(rows(resources, alice)) < 5
    abandon(resources, job["_id"])
    assert runner.run(job["_id"]) == "done"
    assert rows(resources, alice) == everybody
    assert sorted(one["room"] for one in told) == sorted(
        f"{alice.actor.tenant_id}:user:{user_id}" for user_id in everybody)


def test_two_runs_at_once_write_one_row_each_and_only_one_counts(
        runner: Runner, resources: Resources, alice: Context, join: Join, general: str, told: list[Row],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    everybody = crowd(alice, join, 5)
    chat.post_message(alice, general, "@channel", None, None)
    [job] = waiting(resources, alice, Job.FAN_OUT)
    late = claim(runner, job["_id"])
    abandon(resources, job["_id"])
    second = claim(runner, job["_id"])

    def perform(run: Run) -> bool:
        try:
            module.fan_out(runner.platform, run.payload, run)
        except Superseded:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(perform, [late, second])) == [False, True]
    assert rows(resources, alice) == everybody
    assert len(told) == 5


def test_a_message_that_is_gone_by_then_tells_nobody(runner: Runner, resources: Resources, alice: Context,
                                                     bob: Context, general: str, told: list[Row]) -> None:
    message, _ = chat.post_message(alice, general, "@Bob oops", None, None)
    chat.delete_message(alice, message["id"])
    [job] = waiting(resources, alice, Job.FAN_OUT)
    assert runner.run(job["_id"]) == "done"
    assert rows(resources, alice) == []
    assert told == []


def tick(platform: Platform, runner: Runner, moment: datetime) -> None:
    job_id = platform.unit(INSTALLATION, INSTALLATION, lambda unit: unit.jobs.add(
        Job.DIGEST_TICK, {"tick": moment.isoformat()}))
    assert runner.run(job_id) == "done"


def morning(zone: str) -> datetime:
    return morning_of(zone_of(zone), (datetime.now(UTC) + SOON).date())


def asked(resources: Resources, ctx: Context) -> list[tuple[str, str]]:
    """The digests asked for in an organization, as (user id, local date)."""
    return sorted((row["actor_id"], row["payload"]["date"]) for row in waiting(resources, ctx, Job.SEND_DIGEST))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"])
def test_a_digest_is_asked_for_when_it_is_seven_where_somebody_is(zone: str, platform: Platform, runner: Runner,
                                                                  resources: Resources, alice: Context) -> None:
    if zone != "UTC":
        accounts.change_profile(alice, time_zone=zone)
    seven = morning(zone)
    tick(platform, runner, seven - timedelta(minutes=15))
    assert asked(resources, alice) == []
    for _ in range(2):
        tick(platform, runner, seven)
    tick(platform, runner, seven + timedelta(minutes=15))
    day = seven.astimezone(zone_of(zone)).date()
    assert asked(resources, alice) == [(alice.actor.user_id, day.isoformat())]
    tick(platform, runner, seven + timedelta(days=1))
    assert len(asked(resources, alice)) == 2


def test_each_is_asked_for_by_their_own_clock(platform: Platform, runner: Runner, resources: Resources,
                                              alice: Context, bob: Context, carol: Context) -> None:
    accounts.change_profile(alice, time_zone="Asia/Kathmandu")
    accounts.change_profile(bob, time_zone="Asia/Tokyo")
    accounts.change_profile(carol, time_zone="America/New_York")
    tick(platform, runner, morning("Asia/Tokyo"))
    assert [user_id for user_id, _ in asked(resources, alice)] == [bob.actor.user_id]
    tick(platform, runner, morning("Asia/Kathmandu"))
    assert {user_id for user_id, _ in asked(resources, alice)} == {alice.actor.user_id, bob.actor.user_id}
    assert asked(resources, carol) == []


def test_a_tick_that_comes_hours_late_asks_for_what_is_missing_and_not_for_yesterday(
        platform: Platform, runner: Runner, resources: Resources, alice: Context, bob: Context) -> None:
    accounts.change_profile(alice, time_zone="Asia/Kathmandu")
    accounts.change_profile(bob, time_zone="Asia/Kathmandu")
    seven = morning("Asia/Kathmandu")
    tick(platform, runner, seven + timedelta(hours=5))
    assert len(asked(resources, alice)) == 2
    tick(platform, runner, seven + timedelta(days=1, hours=7))
    assert len(asked(resources, alice)) == 2


def test_nobody_is_asked_for_who_wants_none_is_inactive_or_came_later_that_day(
        platform: Platform, runner: Runner, resources: Resources, alice: Context, bob: Context, join: Join) -> None:
    dora, emil = join(alice, "Dora"), join(alice, "Emil")
    for ctx in (alice, bob, dora, emil):
        accounts.change_profile(ctx, time_zone="Asia/Kathmandu")
    accounts.change_profile(alice, digest=False)
    people.change_person(alice, bob.actor.user_id, None, False)
    seven = morning("Asia/Kathmandu")
    resources.database["users"].update_one({"_id": dora.actor.user_id}, {
        "$set": {"created_at": seven + timedelta(minutes=1)}})
    tick(platform, runner, seven + timedelta(minutes=5))
    assert [user_id for user_id, _ in asked(resources, alice)] == [emil.actor.user_id]


def test_many_people_are_gone_through_in_batches(platform: Platform, runner: Runner, resources: Resources,
                                                 alice: Context, join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(module, "_JOBS_IN_A_UNIT", 1)
    for user_id in crowd(alice, join, 4):
        resources.database["users"].update_one({"_id": user_id}, {"$set": {"time_zone": "Asia/Kathmandu"}})
    tick(platform, runner, morning("Asia/Kathmandu"))
    assert len(asked(resources, alice)) == 4


def test_a_zone_that_this_host_does_not_know_counts_as_utc(platform: Platform, runner: Runner, resources: Resources,
                                                           alice: Context) -> None:
    resources.database["users"].update_one({"_id": alice.actor.user_id}, {"$set": {"time_zone": "Mars/Olympus"}})
    tick(platform, runner, morning("UTC"))
    assert len(asked(resources, alice)) == 1
