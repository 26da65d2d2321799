"""Whose morning lies in a stretch of time, whatever their clocks do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from dashify.domain.digests import CATCH_UP, catch_up_since, is_zone, morning_of, morning_within, zone_of

QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize(("zone", "seven"), [
    ("UTC", "2026-11-24T07:00Z"), ("Asia/Kolkata", "2026-11-24T01:30Z"), ("Asia/Kathmandu", "2026-11-24T01:15Z"),
    ("Pacific/Chatham", "2026-11-23T17:15Z"), ("Pacific/Kiritimati", "2026-11-23T17:00Z"),
    ("Pacific/Pago_Pago", "2026-11-24T18:00Z"), ("Europe/Berlin", "2026-11-24T06:00Z"),
])
def test_seven_is_found_by_the_quarter_that_ends_there_and_by_no_other(zone: str, seven: str) -> None:
    moment, day = datetime.fromisoformat(seven), date(2026, 11, 24)
    assert morning_of(zone_of(zone), day) == moment
    assert morning_within(zone_of(zone), moment - QUARTER, moment) == day
    assert morning_within(zone_of(zone), moment, moment + QUARTER) is None
    assert morning_within(zone_of(zone), moment - 2 * QUARTER, moment - QUARTER) is None


# Each stretch holds a change of the clocks: by an hour, by half an hour, and of a whole day that Samoa left out.
@pytest.mark.parametrize(("zone", "first", "days", "missing"), [
    ("Europe/Berlin", date(2026, 3, 27), 5, ()), ("Europe/Berlin", date(2026, 10, 23), 5, ()),
    ("America/New_York", date(2026, 3, 6), 5, ()), ("America/New_York", date(2026, 10, 30), 5, ()),
    ("Australia/Lord_Howe", date(2026, 4, 3), 5, ()), ("Australia/Lord_Howe", date(2026, 10, 2), 5, ()),
    ("Asia/Kathmandu", date(2026, 6, 1), 3, ()), ("Africa/Casablanca", date(2026, 2, 13), 5, ()),
    ("Pacific/Apia", date(2011, 12, 28), 5, (date(2011, 12, 30),)),
])
def test_every_local_date_has_one_morning_however_clocks_change(zone: str, first: date, days: int,
                                                                missing: tuple[date, ...]) -> None:
    expected = {first + timedelta(days=number) for number in range(days)} - set(missing)
    tick = morning_of(zone_of(zone), first) - timedelta(hours=6)
    end = morning_of(zone_of(zone), first + timedelta(days=days - 1)) + timedelta(hours=6)
    found: Counter[date] = Counter()
    while tick < end:
        day = morning_within(zone_of(zone), tick - QUARTER, tick)
        if day is not None:
            found[day] += 1
            assert tick.astimezone(zone_of(zone)).time().hour == 7
        tick += QUARTER
    assert found == Counter(expected)


def test_a_late_tick_still_finds_the_morning_but_not_one_of_long_ago() -> None:
    zone, seven = zone_of("Europe/Berlin"), datetime(2026, 11, 24, 6, tzinfo=UTC)
    for late in (timedelta(), timedelta(hours=2), CATCH_UP - timedelta(minutes=1)):
        tick = seven + late
        assert morning_within(zone, catch_up_since(tick, now=tick), tick) == date(2026, 11, 24)
    tick = seven + CATCH_UP
    assert morning_within(zone, catch_up_since(tick, now=tick), tick) is None
    assert morning_within(zone, catch_up_since(seven, now=seven + CATCH_UP), seven) is None


def test_a_zone_is_one_of_the_databases_and_else_utc() -> None:
    assert is_zone("Europe/Berlin")
    assert is_zone("Asia/Calcutta")
    for name in ("", "Europe", "europe/berlin", "../UTC", "/etc/passwd", "Mars/Olympus", "localtime", "a\x00b"):
        assert not is_zone(name)
        assert zone_of(name).key == "UTC"
    assert zone_of(None).key == "UTC"
