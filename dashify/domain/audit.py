"""The audit log as values: what is accounted for, and how an entry is sealed so that nobody changes it unseen."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

Detail = str | bool | int | float
Entry = Mapping[str, Any]  # as stored
Subject = tuple[str, str]  # what kind of thing, and its id

SEALED_AT_ONCE = 500
_MOST_WORDS = 100
_WORD = re.compile(r"\w+")
# MongoDB ends a transaction after a minute, so by then an entry that was being written is there or never will be.
_LATEST_COMMIT = timedelta(minutes=2)


class Action(StrEnum):
    """What somebody did: `<resource>.<past verb>`."""

    ORGANIZATION_CREATED = "organization.created"
    SESSION_STARTED = "session.started"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
    SESSION_REVOKED = "session.revoked"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - an action, not a password
    PASSWORD_RESET = "password.reset"  # noqa: S105 - the same
    PROFILE_CHANGED = "profile.changed"
    ROLE_CHANGED = "role.changed"
    USER_ACTIVATED = "user.activated"
    USER_DEACTIVATED = "user.deactivated"
    INVITATION_CREATED = "invitation.created"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    INVITATION_ACCEPTED = "invitation.accepted"
    CHANNEL_CREATED = "channel.created"
    CHANNEL_RENAMED = "channel.renamed"
    MEMBER_ADDED = "member.added"
    MEMBER_REMOVED = "member.removed"
    MESSAGE_DELETED = "message.deleted"
    DOCUMENT_CREATED = "document.created"
    DOCUMENT_DELETED = "document.deleted"
    DOCUMENT_SHARED = "document.shared"
    ASSISTANT_CHANGED = "assistant.changed"
    REPORT_REQUESTED = "report.requested"
    REPORT_DOWNLOADED = "report.downloaded"
    JOB_RETRIED = "job.retried"
    JOB_DISCARDED = "job.discarded"
    SUPERADMIN_CHANGED = "superadmin.changed"


# The detail that names what is called the same for ever. People and channels are looked up, since they are renamed.
_NAMED_BY = {"invitation": "email", "session": "device", "job": "kind", "queue": "queue"}


def person_named(entry: Entry) -> str | None:
    """Give the id of the person whose name the subject goes by: a message goes by its author's. None for no person."""
    subject = entry["subject"]
    if subject["kind"] == "message":
        return str(entry["details"].get("author_id", ""))
    return str(subject["id"]) if subject["kind"] == "user" else None


def names(entry: Entry, people: Mapping[str, str], channels: Mapping[str, str]) -> dict[str, str]:
    """Give what actor and subject are called, by names of people and channels; an empty name where there is none."""
    subject, person = entry["subject"], person_named(entry)
    if person is not None:
        name = people.get(person, "")
    elif subject["kind"] == "channel":
        name = channels.get(subject["id"], "")
    else:
        name = str(entry["details"].get(_NAMED_BY.get(subject["kind"], ""), ""))
    return {"actor": people.get(entry["actor_id"], ""), "subject": name}


def sealed(entry: Entry, called: Mapping[str, str], number: int, before: str) -> dict[str, Any]:
    """Give `entry` with its names, the words to find it by, its number, and the seal that binds it to the one `before`.
    """
    texts = [entry["action"], entry["address"] or "", *called.values(),
             *(value for value in entry["details"].values() if isinstance(value, str))]
    row = {**entry, "names": dict(called), "words": words(texts), "number": number}
    return {**row, "seal": seal(row, before)}


def seal(entry: Entry, before: str) -> str:
    """Give the SHA-256, in hex, of all that is stored of an entry but its seal, and of the seal before it."""
    content = {field: value for field, value in entry.items() if field != "seal"}
    text = json.dumps([before, content], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def words(texts: Iterable[str]) -> list[str]:
    """Give the words of `texts` to search by: each once, without case, at most 100."""
    return sorted({word for text in texts for word in _WORD.findall(text.casefold())})[:_MOST_WORDS]


def sealing_key(number: int, now: datetime) -> str:
    """Name the job that seals what has come since entry `number` was sealed, so that a burst asks for one job.

    The hour is in it so that a job which failed for good, or was discarded, holds nothing up for longer.
    """
    return f"seal-audit-{number}-{now:%Y%m%d%H}"


def straggling(now: datetime) -> tuple[str, datetime]:
    """Give name and time of the job that looks again after a sealing at `now`, one for each minute.

    An entry in a transaction that was open meanwhile was not there to be sealed, and had no reason to ask for a job.
    """
    minute = now.replace(second=0, microsecond=0)
    return f"seal-audit-again-{minute:%Y%m%d%H%M}", minute + timedelta(minutes=1) + _LATEST_COMMIT
