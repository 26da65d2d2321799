from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, Job
from dashify.errors import SettingsError
from dashify.jobs.schedule import TABLE, Entry, Scheduler, zone_of
from dashify.resources import Resources
from dashify.stores.schedule import Leadership

START = datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC)
EVERY_MINUTE = (Entry("check", "* * * * *", Job.CLEAN_SESSIONS),)
UTC_ZONE = ZoneInfo("UTC")


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


class Killed(BaseException):
    """The end of a scheduler in the middle of a turn."""


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def scheduler(platform: Platform, clock: Hand) -> Callable[..., Scheduler]:
    return lambda table=EVERY_MINUTE: Scheduler(platform, clock, table)  # type: ignore[arg-type]


def ticks(resources: Resources) -> list[str]:
    rows = resources.database["jobs"].find({"kind": "clean_sessions", "tenant_id": INSTALLATION}).sort("_id", 1)
    return [row["payload"]["tick"] for row in rows]


def test_three_schedulers_over_fifty_ticks_with_kills_ask_for_fifty_jobs(
        scheduler: Callable[..., Scheduler], clock: Hand, resources: Resources,
        monkeypatch: pytest.MonkeyPatch) -> None:
    schedulers = [scheduler() for _ in range(3)]
    assert [one.turn() for one in schedulers] == [0, 0, 0]
    chance = random.Random(7)
    real = Leadership.prove

    def prove(self: Leadership, fence: int, tx: Any) -> bool:
        proven = real(self, fence, tx)
        if chance.random() < 0.4:
            raise Killed
        return proven

    monkeypatch.setattr(Leadership, "prove", prove)
    for _ in range(50):
        clock.move(seconds=60)
        for _ in range(6):
            number = chance.randrange(3)
            try:
                schedulers[number].turn()
            except Killed:
                schedulers[number] = scheduler()
            clock.move(seconds=chance.random())
        clock.at = clock.at.replace(second=30, microsecond=0)
        # Whoever was killed while it led holds the lead for 10 s; by the end of the minute somebody else has taken it.
        clock.move(seconds=20)
        monkeypatch.setattr(Leadership, "prove", real)
        for one in schedulers:
            one.turn()
        monkeypatch.setattr(Leadership, "prove", prove)
        clock.at = clock.at.replace(second=30)
    found = ticks(resources)
    # A tick without its job would say that a commit was torn; no tick, that nobody could take the lead.
    known = list(resources.database["schedule_ticks"].find({}, {"_id": 1, "job_id": 1}))
    assert len(found) == len(set(found)) == 50, (sorted(found), known, resources.database["leases"].find_one())


def test_one_leads_and_another_follows_when_it_is_gone(scheduler: Callable[..., Scheduler], clock: Hand) -> None:
    first, second = scheduler(), scheduler()
    first.turn()
    second.turn()
    assert (first.fence, second.fence) == (1, None)
    clock.move(seconds=11)
    second.turn()
    first.turn()
    assert (first.fence, second.fence) == (None, 2)


def test_a_leader_that_was_overtaken_writes_nothing(scheduler: Callable[..., Scheduler], clock: Hand,
                                                    resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    late, other = scheduler(), scheduler()
    late.turn()
    clock.move(seconds=61)
    monkeypatch.setattr(late._leadership, "lead", lambda: 1)  # what it believes after a long pause
    assert other.turn() == 1
    clock.move(seconds=60)
    assert late.turn() == 0
    assert other.turn() == 1
    assert len(ticks(resources)) == 2


def test_ticks_missed_while_none_ran_are_caught_up_by_one_job(scheduler: Callable[..., Scheduler], clock: Hand,
                                                              resources: Resources) -> None:
    scheduler().turn()
    clock.move(hours=5)
    assert [scheduler().turn(), scheduler().turn()] == [1, 0]
    assert ticks(resources) == [datetime(2026, 3, 2, 5, 0, tzinfo=UTC).isoformat()]


def test_what_is_new_begins_with_its_next_time(scheduler: Callable[..., Scheduler], clock: Hand,
                                               resources: Resources) -> None:
    one = scheduler()
    assert [one.turn(), one.turn()] == [0, 0]
    clock.move(seconds=30)
    assert one.turn() == 1
    assert ticks(resources) == [datetime(2026, 3, 2, 0, 1, tzinfo=UTC).isoformat()]


@pytest.mark.parametrize(("now", "due"), [
    ((2026, 3, 28, 3, 0), (2026, 3, 28, 2, 40)),    # winter: 3:40 in Berlin is 2:40
    ((2026, 3, 29, 1, 41), (2026, 3, 29, 1, 40)),   # the day on which clocks go forward: 3:40 is 1:40
    ((2026, 10, 25, 2, 41), (2026, 10, 25, 2, 40)),  # and back
    ((2026, 10, 25, 2, 39), (2026, 10, 24, 1, 40)),
    ((2026, 6, 1, 1, 40), (2026, 6, 1, 1, 40)),     # at the very moment
])
def test_a_nightly_job_comes_once_a_night_whatever_the_clocks_do(now: tuple[int, ...], due: tuple[int, ...]) -> None:
    entry = Entry("nightly", "40 3 * * *", Job.CLEAN_SESSIONS, zone="Europe/Berlin")
    found = entry.latest(datetime(*now, tzinfo=UTC), UTC_ZONE)  # type: ignore[misc, arg-type]
    assert found == datetime(*due, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_every_entry_of_the_table_comes_due_and_has_a_name_of_its_own() -> None:
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert len({entry.name for entry in TABLE}) == len(TABLE)
    for entry in TABLE:
        assert timedelta() <= now - entry.latest(now, UTC_ZONE) <= timedelta(days=7)
        assert entry.queue


def test_a_zone_that_does_not_exist_is_refused_in_one_sentence() -> None:
    with pytest.raises(SettingsError, match="DASHIFY_TIME_ZONE"):
        zone_of("Europe/Atlantis")
