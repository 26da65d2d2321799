"""Daily digests as values: time zones, and whose morning lies in a stretch of time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

USUAL_ZONE = "UTC"
MORNING = time(7)
CATCH_UP = timedelta(hours=6)
"""How late a digest may still come. Later in the day it is no morning's mail any more."""
MOST_LINES = 20  # of each part


def is_zone(name: str) -> bool:
    """Tell whether `name` is a time zone of the IANA's database."""
    return name in _zones()


def zone_of(name: str | None) -> ZoneInfo:
    """Give the time zone called `name`; UTC for none, and for one that this host does not know."""
    return ZoneInfo(name if name is not None and is_zone(name) else USUAL_ZONE)


def morning_within(zone: ZoneInfo, after: datetime, until: datetime) -> date | None:
    """Give the local date whose 7:00 lies in (`after`, `until`], or None; both are aware and less than a day apart.

    Where clocks are put forward over 7:00, the moment counts at which it would have been 7:00 by the old time.
    """
    today = until.astimezone(zone).date()
    return next((day for day in (today, today - timedelta(days=1)) if after < morning_of(zone, day) <= until), None)


def morning_of(zone: ZoneInfo, day: date) -> datetime:
    """Give the moment of 7:00 on a local date, in UTC."""
    return datetime.combine(day, MORNING, zone).astimezone(UTC)


def catch_up_since(tick: datetime, now: datetime) -> datetime:
    """Give the moment after which a morning is still worth a digest, for a tick that is done at `now`."""
    return max(tick, now) - CATCH_UP


@cache
def _zones() -> frozenset[str]:
    # A host's own name for its local time is no zone that another host would know.
    return frozenset(available_timezones() - {"localtime", "Factory"})
