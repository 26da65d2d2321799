"""Jobs as values: their kinds, queues and states, and when what failed is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashify.settings import QueuePolicy

INSTALLATION = "installation"  # in a tenant's place where a job belongs to the installation itself
OPERATOR = "operator"  # in an actor's place where the operator's commands ask
KEPT_DAYS = 30  # how long the row of a job that is over is kept, and a dead one can be put back
LEASE_SECONDS = 15.0
BEAT_SECONDS = 5.0
SUSPECT_CRASHES = 2  # after so many deaths of its worker a job runs alone, so that it takes no others down with it
MOST_ALONE_CRASHES = 3  # a job that has killed its worker so often while it ran alone is dead


class Queue(StrEnum):
    """The queues; one worker process serves one of them."""

    EMAILS = "emails"
    REPORTS = "reports"
    INDEXER = "indexer"
    NOTIFICATIONS = "notifications"
    AUDIT = "audit"
    ASSISTANT = "assistant"


class Job(StrEnum):
    """What can be asked for in the background: each value is the dotted path of the function that does it."""

    SEND_INVITATION = "dashify.jobs.emails.send_invitation"
    SEND_PASSWORD_RESET = "dashify.jobs.emails.send_password_reset"  # noqa: S105 - a path, not a password
    SEND_DIGEST = "dashify.jobs.emails.send_digest"
    EXPORT_CHANNEL = "dashify.jobs.reports.export_channel"
    SEND_WEEK = "dashify.jobs.emails.send_week"
    EXPORT_MEMBERS = "dashify.jobs.reports.export_members"
    EXPORT_AUDIT = "dashify.jobs.reports.export_audit"
    REMOVE_OLD_FILES = "dashify.jobs.reports.remove_old_files"
    FAN_OUT = "dashify.jobs.notifications.fan_out"
    DIGEST_TICK = "dashify.jobs.notifications.digest_tick"
    SEAL_AUDIT = "dashify.jobs.audit.seal_audit"
    WEEKLY_TICK = "dashify.jobs.weekly.weekly_tick"
    SUM_UP_WEEK = "dashify.jobs.weekly.sum_up_week"
    SELF_CHECK = "dashify.jobs.audit.self_check"
    CLEAN_SESSIONS = "dashify.jobs.audit.clean_sessions"

    READ_UPLOAD = "dashify.jobs.indexer.read_upload"
    INDEX_DOCUMENT = "dashify.jobs.indexer.index_document"
    INDEX_CHANNEL = "dashify.jobs.indexer.index_channel"
    PURGE_DOCUMENT = "dashify.jobs.indexer.purge_document"
    PURGE_TENANT = "dashify.jobs.indexer.purge_tenant"
    NIGHTLY_TICK = "dashify.jobs.nightly.nightly_tick"
    RECONCILE_TENANTS = "dashify.jobs.nightly.reconcile_tenants"
    RECONCILE_TENANT = "dashify.jobs.nightly.reconcile_tenant"
    REVIEW_ANSWERS = "dashify.jobs.assistant.review_answers"
    ANSWER_QUESTION = "dashify.jobs.assistant.answer_question"

    @property
    def kind(self) -> str:
        """Give the name that rows, people and metrics know the job by."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A job that is to be handed to a worker of its queue: at `due_at` or at once, then before all others (`front`)."""

    job_id: str
    queue: Queue
    front: bool = False
    due_at: datetime | None = None


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
    Job.SEND_DIGEST: Queue.EMAILS,
    Job.EXPORT_CHANNEL: Queue.REPORTS,
    Job.SEND_WEEK: Queue.EMAILS,
    Job.WEEKLY_TICK: Queue.REPORTS,
    Job.SUM_UP_WEEK: Queue.REPORTS,
    Job.EXPORT_MEMBERS: Queue.REPORTS,
    Job.EXPORT_AUDIT: Queue.REPORTS,
    Job.REMOVE_OLD_FILES: Queue.REPORTS,
    Job.FAN_OUT: Queue.NOTIFICATIONS,
    Job.DIGEST_TICK: Queue.NOTIFICATIONS,
    Job.SEAL_AUDIT: Queue.AUDIT,
    Job.SELF_CHECK: Queue.AUDIT,
    Job.CLEAN_SESSIONS: Queue.AUDIT,
    Job.READ_UPLOAD: Queue.INDEXER,
    Job.INDEX_DOCUMENT: Queue.INDEXER,
    Job.INDEX_CHANNEL: Queue.INDEXER,
    Job.PURGE_DOCUMENT: Queue.INDEXER,
    Job.PURGE_TENANT: Queue.INDEXER,
    Job.NIGHTLY_TICK: Queue.INDEXER,
    Job.RECONCILE_TENANTS: Queue.INDEXER,
    Job.RECONCILE_TENANT: Queue.INDEXER,
    Job.REVIEW_ANSWERS: Queue.ASSISTANT,
    Job.ANSWER_QUESTION: Queue.ASSISTANT,
}
BY_KIND: dict[str, Job] = {job.kind: job for job in Job}
WATCHED: frozenset[str] = frozenset(
    {Job.EXPORT_CHANNEL.kind, Job.EXPORT_MEMBERS.kind, Job.EXPORT_AUDIT.kind})
"""The kinds whose progress is shown to the person who asked."""


def pause(failures: int, policy: QueuePolicy) -> float:
    """Give the seconds to wait after so many failures (from 1): doubling up to the policy's longest, give or take half.
    """
    doubled = policy.first_pause * 2.0 ** min(failures - 1, 30)
    return float(min(doubled, policy.longest_pause) * random.uniform(0.5, 1.5))
