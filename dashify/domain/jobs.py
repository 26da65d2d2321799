"""Jobs as values: their kinds, queues and states."""

from __future__ import annotations

from enum import StrEnum


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
    SEND_PASSWORD_RESET = "dashify.jobs.emails.send_password_reset"
    EXPORT_CHANNEL = "dashify.jobs.reports.export_channel"
    SELF_CHECK = "dashify.jobs.audit.self_check"


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
    Job.SELF_CHECK: Queue.AUDIT,
}
