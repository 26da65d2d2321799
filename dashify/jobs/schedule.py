"""The schedule: what is done when, in which time zone; and the scheduler, of which any number may run.

One leads, so that the others save work. What makes each tick one job is the tick's row, which commits with the job's.
Ticks that passed while no scheduler ran are caught up by one job, for the latest of them.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

from dashify import metrics
from dashify.context import Platform
from dashify.domain.jobs import INSTALLATION, QUEUE_OF, Job, Queue
from dashify.errors import SettingsError, Unavailable
from dashify.stores.job_book import JobBook
from dashify.stores.schedule import Leadership, Ticks
from dashify.stores.workers import Clock, Workers
from dashify.units import Unit

log = logging.getLogger(__name__)

SCHEDULER = "scheduler"
TURN_SECONDS = 1.0
_COUNT_TURNS = 15


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what, when (a cron line: minute hour day month weekday), where that is (`zone` None: the setting's)."""

    name: str
    when: str
    job: Job
    zone: str | None = None

    @property
    def queue(self) -> Queue:
        """The queue that the job waits in."""
        return QUEUE_OF[self.job]

    def latest(self, now: datetime, default_zone: ZoneInfo) -> datetime:
        """Give the last time, in UTC, at which this came due by `now`."""
        local = now.astimezone(ZoneInfo(self.zone) if self.zone else default_zone)
        line = croniter(self.when, local)
        # `get_prev` alone leaves out a tick that is due at this very moment.
        line.get_next(datetime)
        found: datetime = line.get_prev(datetime)
        return found.astimezone(UTC)


TABLE: Sequence[Entry] = (
    Entry("daily-digest", "*/15 * * * *", Job.DIGEST_TICK, zone="UTC"),  # 7:00 comes to some zone with each
    Entry("nightly-indexer", "0 2 * * *", Job.NIGHTLY_TICK),
    Entry("weekly-report", "0 6 * * 1", Job.WEEKLY_TICK),
    Entry("clean-sessions", "40 3 * * *", Job.CLEAN_SESSIONS),
    Entry("remove-old-files", "10 4 * * *", Job.REMOVE_OLD_FILES),
)


class Overtaken(Exception):
    """Somebody else leads, or has recorded this tick already: nothing is written."""


class Scheduler:
    """Turns ticks into jobs, as long as it leads."""

    def __init__(self, platform: Platform, clock: Clock, table: Sequence[Entry] = TABLE) -> None:
        database = platform.resources.database
        self._platform, self._clock, self._table = platform, clock, table
        holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._leadership = Leadership(database, clock, SCHEDULER, holder)
        self._ticks = Ticks(database)
        self._zone = zone_of(platform.settings.time_zone)
        self.fence: int | None = None

    def run(self, stopping: threading.Event) -> None:
        """Turn every second until `stopping` is set; then let another lead at once."""
        turns = 0
        while not stopping.is_set():
            try:
                self.turn()
                if self.fence is not None and turns % _COUNT_TURNS == 0:
                    count_queues(JobBook(self._platform.resources.database, self._clock),
                                 Workers(self._platform.resources.database, self._clock))
            except Unavailable as error:
                self.fence = None
                log.warning("The schedule waits: %s", error.code)
            except Exception:  # the next turn may find things in order
                log.exception("A turn of the schedule failed")
            turns += 1
            stopping.wait(TURN_SECONDS)
        if self.fence is not None:
            self._leadership.resign()

    def turn(self) -> int:
        """Ask for the jobs of all that came due since the last tick; give their number.

        Raises:
            Unavailable: MongoDB is away.
        """
        fence, before = self._leadership.lead(), self.fence
        self.fence = fence
        if fence is None:
            return 0
        if before != fence:
            log.info("This scheduler leads", extra={"fence": fence})
        return sum(self._tick(entry, fence) for entry in self._table)

    def _tick(self, entry: Entry, fence: int) -> bool:
        due, last = entry.latest(self._clock.now(), self._zone), self._ticks.find_last(entry.name)
        if last is None:
            # What is new begins with its next time, not with one before it was there.
            self._ticks.add(entry.name, due, {"job_id": None})
            return False
        if due <= last:
            return False

        def work(unit: Unit) -> None:
            if not self._leadership.prove(fence, unit.tx):
                raise Overtaken
            job_id = unit.jobs.add(entry.job, {"tick": due.isoformat()})
            if not self._ticks.add(entry.name, due, {"job_id": job_id}, unit.tx):
                raise Overtaken

        try:
            self._platform.unit(INSTALLATION, SCHEDULER, work)
        except Overtaken:
            return False
        log.info("The schedule asked for %s", entry.name, extra={"tick": due.isoformat()})
        return True


def zone_of(name: str) -> ZoneInfo:
    """Give a time zone by its name, such as Europe/Berlin.

    Raises:
        SettingsError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"DASHIFY_TIME_ZONE must name a time zone such as Europe/Berlin, not {name!r}.") from error


def count_queues(book: JobBook, workers: Workers) -> None:
    """Measure every queue, for whoever reads the metrics of the scheduler that leads."""
    live = workers.list_live()
    for queue in Queue:
        counts = book.census(queue)
        for state in ("queued", "delayed", "running", "dead"):
            metrics.queue_jobs.labels(queue.value, state).set(counts[state])
        metrics.queue_oldest_seconds.labels(queue.value).set(counts["oldest_seconds"])
        metrics.queue_workers.labels(queue.value).set(sum(row["queue"] == queue.value for row in live))
