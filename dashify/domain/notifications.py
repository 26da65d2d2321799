"""Notifications as values: who is told of a message, as what, and how much of it a line shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from dashify.domain.accounts import PERMISSIONS, Role
from dashify.domain.chat import EVERYBODY, Message

KEPT_DAYS = 90
SNIPPET_LENGTH = 160


class Kind(StrEnum):
    """Why somebody is told of a message. A mention goes before a reply: nobody is told twice of one post."""

    MENTION = "mention"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody active who may be told of a message, with the role they have now, and whether they joined its channel.
    """

    user_id: str
    role: Role
    joined: bool


def kind_for(candidate: Candidate, message: Message, *, private: bool, mention_ids: Collection[str],
             participants: Collection[str]) -> Kind | None:
    """Say as what `candidate` is told of `message`; None where they are not, or may not see its channel.

    `mention_ids` are of those whom it mentions, `participants` of those who wrote in the thread that it answers.
    """
    sees = candidate.joined or (not private and "channel.browse" in PERMISSIONS[candidate.role])
    if candidate.user_id == message["author_id"] or not sees:
        return None
    if candidate.user_id in mention_ids or (EVERYBODY in mention_ids and candidate.joined):
        return Kind.MENTION
    return Kind.REPLY if candidate.user_id in participants else None


def snippet(text: str) -> str:
    """Give the beginning of a message's text as one line of at most 160 characters."""
    line = " ".join(text.split())
    return line if len(line) <= SNIPPET_LENGTH else line[:SNIPPET_LENGTH - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
