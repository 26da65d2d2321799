"""What goes out of the audit log; as `answers`."""

from __future__ import annotations

from dashify.blueprints.answers import Moment, Outgoing


class AuditSubject(Outgoing):
    """What something was done to. `name` is what it was called; empty where it has none, or one not for everybody."""

    kind: str
    id: str
    name: str


class AuditEntry(Outgoing):
    """What somebody did. `action` is `<resource>.<past verb>`; with a `seal` it cannot be changed unseen any more."""

    id: str
    action: str
    actor_id: str
    actor_name: str
    subject: AuditSubject
    details: dict[str, str | bool | int | float]
    address: str | None
    created_at: Moment
    seal: str | None


class AuditAnswer(Outgoing):
    """A page of the audit log, newest first."""

    entries: list[AuditEntry]
    next: str | None


class AuditCheckAnswer(Outgoing):
    """Whether the sealed entries are what they were. `broken_at` is where they are not."""

    entries: int
    sealed: int
    intact: bool
    broken_at: str | None
