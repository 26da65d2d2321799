"""One run of a job: what its function gets in hand, and how its effect and its end are recorded together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from dashify.clients.rq_lists import Claim
from dashify.context import Context, Platform
from dashify.domain.jobs import Queue
from dashify.services.jobs import act_for, announce
from dashify.units import Unit

Row = dict[str, Any]
Json = Mapping[str, Any]
Commit = Callable[[str, str, Callable[[Unit], Any]], Any]
PROGRESS_SECONDS = 0.25


class Superseded(Exception):
    """The run does not count any more: it was cancelled, or another run has begun because this one seemed dead."""


class TimeIsUp(BaseException):
    """Raised inside a run that takes longer than its queue allows. Not an `Exception`, so that no job swallows it."""


class Run:
    """The run `attempt` of a job. `finish` is the only way to an effect in MongoDB, and takes it once over all runs."""

    def __init__(self, platform: Platform, row: Row, claim: Claim, commit: Commit | None = None) -> None:
        self.platform = platform
        self._commit: Commit = commit or platform.unit
        self.row = row
        self.claim = claim
        self.queue = Queue(row["queue"])
        self.job_id: str = row["_id"]
        self.kind: str = row["kind"]
        self.tenant_id: str = row["tenant_id"]
        self.actor_id: str = row["actor_id"]
        self.attempt: int = row["attempt"]
        self.payload: Row = row["payload"]
        self.finished = False
        self._lost = False
        self._next_progress = 0.0

    def context(self) -> Context:
        """Give the context of whoever asked for the job, with the rights they have now.

        Raises:
            NotFound: they are not active any more.
        """
        return act_for(self.platform, self.actor_id)

    def finish(self, work: Callable[[Unit], Json | None]) -> None:
        """Do `work` and record the job's end with what `work` gives as its result, in one transaction, or neither.

        Raises:
            Superseded: the run does not count any more; nothing was written.
            Unavailable: the database is away.
        """
        self.check()

        def within(unit: Unit) -> Row:
            row = unit.store.jobs.finish(self.job_id, self.attempt, work(unit), now=unit.now)
            if row is None:
                raise Superseded
            return row

        row = self._commit(self.tenant_id, self.actor_id, within)
        self.finished = True
        announce(self.platform, self.tenant_id, row)

    def progress(self, fraction: float) -> None:
        """Note how far the run is, from 0 to 1; written at most four times a second.

        Raises:
            Superseded: the run does not count any more, so the function should end.
            Unavailable: the database is away.
        """
        self.check()
        if time.monotonic() < self._next_progress:
            return
        self._next_progress = time.monotonic() + PROGRESS_SECONDS
        jobs = self.platform.store_of(self.tenant_id).jobs
        row = jobs.note_progress(self.job_id, self.attempt, min(1.0, max(0.0, fraction)))
        if row is None:
            raise Superseded
        announce(self.platform, self.tenant_id, row)

    @property
    def last_try(self) -> bool:
        """Tell whether the job is dead if this run fails, however passing the reason."""
        policy = self.platform.settings.queues[self.queue.value]
        return bool(self.row["failures"] + 1 >= policy.most_failures)

    def lose(self) -> None:
        """Say from elsewhere that the claim has ended."""
        self._lost = True

    @property
    def lost(self) -> bool:
        """Tell whether the claim has ended."""
        return self._lost

    def check(self) -> None:
        """Raise `Superseded` if the claim has ended."""
        if self._lost:
            raise Superseded
