"""Jobs as values: their kinds, queues and states, and when what failed is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

INSTALLATION = "installation"  # in a tenant's place where a job belongs to the installation itself
LEASE_SECONDS = 15.0
BEAT_SECONDS = 5.0
MOST_CRASHES = 3
MOST_FAILURES = 15
_LONGEST_PAUSE = 900.0


class Queue(StrEnum):
    """The queues; one worker process serves one of them."""

    EMAILS = "emails"
    REPORTS = "reports"
    INDEXER = "indexer"
    NOTIFICATIONS = "notifications"
    AUDIT = "audit"


class Job(StrEnum):
    """What can be asked for in the background: each value is the dotted path of the function that does it."""

    SEND_INVITATION = "dashify.jobs.emails.send_invitation"
    SEND_PASSWORD_RESET = "dashify.jobs.emails.send_password_reset"  # noqa: S105 - a path, not a password
    EXPORT_CHANNEL = "dashify.jobs.reports.export_channel"
    EXPORT_MEMBERS = "dashify.jobs.reports.export_members"
    EXPORT_AUDIT = "dashify.jobs.reports.export_audit"
    REMOVE_OLD_FILES = "dashify.jobs.reports.remove_old_files"
    SELF_CHECK = "dashify.jobs.audit.self_check"

    @property
    def kind(self) -> str:
        """Give the name that rows, people and metrics know the job by."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A job that is to be handed to a worker of its queue, before all that waits there with `front`."""

    job_id: str
    queue: Queue
    front: bool = False


class JobStatus(StrEnum):
    """Where a job's row stands. `DEAD` is the dead-letter list; people see it as `failed`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


QUEUE_OF: dict[Job, Queue] = {
    Job.SEND_INVITATION: Queue.EMAILS,
    Job.SEND_PASSWORD_RESET: Queue.EMAILS,
    Job.EXPORT_CHANNEL: Queue.REPORTS,
    Job.EXPORT_MEMBERS: Queue.REPORTS,
    Job.EXPORT_AUDIT: Queue.REPORTS,
    Job.REMOVE_OLD_FILES: Queue.REPORTS,
    Job.SELF_CHECK: Queue.AUDIT,
}
BY_KIND: dict[str, Job] = {job.kind: job for job in Job}
WATCHED: frozenset[str] = frozenset(
    {Job.EXPORT_CHANNEL.kind, Job.EXPORT_MEMBERS.kind, Job.EXPORT_AUDIT.kind})
"""The kinds whose progress is shown to the person who asked."""


def pause(failures: int) -> float:
    """Give the seconds to wait after so many failures (from 1): doubling from 2 s to 15 min, give or take half."""
    return float(min(2.0**failures, _LONGEST_PAUSE) * random.uniform(0.5, 1.5))
