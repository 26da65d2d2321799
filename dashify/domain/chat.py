"""Channels and messages as values, and how one change turns a message into its next state."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashify.errors import Conflict, NotAllowedNow, NotFound

Message = dict[str, Any]  # as stored: the contract's fields with `_id` for `id`, plus `mention_ids`

MAX_TEXT = 16_000
MAX_REACTIONS = 40
EVERYBODY = "*"  # in an id's place: all members of the channel
_NAMES_OF_EVERYBODY = ("channel", "all")


@dataclass(frozen=True, slots=True)
class Post:
    """A new message. `client_id` makes a repeated post the same post."""

    id: str
    author_id: str
    text: str
    client_id: str | None
    thread_id: str | None
    mention_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """New text for a message that exists."""

    message_id: str
    text: str
    mention_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """The end of a message: a tombstone stays."""

    message_id: str


@dataclass(frozen=True, slots=True)
class React:
    """A person's reaction, put there (`on`) or taken away."""

    message_id: str
    user_id: str
    emoji: str
    on: bool


Change = Post | Edit | Delete | React


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change came to: the message's state, and whether it took a number (`created`: by a new message)."""

    message: Message
    changed: bool
    created: bool = False


def post(change: Post, earlier: Message | None, channel_id: str, number: int, now: datetime) -> Outcome:
    """Give the message that a post makes at change number `number`, or the one it made before.

    Raises:
        Conflict: the same author's `client_id` stands for another text already.
    """
    if earlier is not None:
        if earlier["posted"] != fingerprint(change):
            raise Conflict("This client_id was used for another message.", code="client_id_reused")
        return Outcome(earlier, changed=False)
    return Outcome({
        "_id": change.id, "channel_id": channel_id, "seq": number, "changed_seq": number,
        "author_id": change.author_id, "text": change.text, "client_id": change.client_id,
        "thread_id": change.thread_id, "reactions": {}, "created_at": now, "edited_at": None, "deleted_at": None,
        "mention_ids": list(change.mention_ids), "posted": fingerprint(change),
    }, changed=True, created=True)


def fingerprint(change: Post) -> str:
    """Give what a repeated post is compared by. It outlives edits and deletion, which the text does not."""
    return hashlib.sha256(f"{change.thread_id or ''}\n{change.text}".encode()).hexdigest()[:32]


def revise(change: Edit | Delete | React, message: Message, number: int, now: datetime) -> Outcome:
    """Give the state of `message` after `change` at change number `number`; no number is spent where nothing changes.

    Raises:
        NotFound: an edit or reaction of a message that was deleted.
        NotAllowedNow: more kinds of reaction than a message holds.
    """
    if isinstance(change, Delete):
        if message["deleted_at"] is not None:
            return Outcome(message, changed=False)
        fields: Mapping[str, Any] = {"text": "", "reactions": {}, "mention_ids": [], "deleted_at": now}
    elif message["deleted_at"] is not None:
        raise NotFound("This message was deleted.")
    elif isinstance(change, Edit):
        if message["text"] == change.text:
            return Outcome(message, changed=False)
        fields = {"text": change.text, "edited_at": now, "mention_ids": list(change.mention_ids)}
    else:
        reactions = _reacted(change, message["reactions"])
        if reactions == message["reactions"]:
            return Outcome(message, changed=False)
        fields = {"reactions": reactions}
    return Outcome({**message, **fields, "changed_seq": number}, changed=True)


def existing(known: Mapping[str, Message], message_id: str) -> Message:
    """Give the message with this id out of `known`, or raise `NotFound`."""
    if message_id not in known:
        raise NotFound("There is no such message.")
    return known[message_id]


def _reacted(change: React, before: Mapping[str, list[str]]) -> dict[str, list[str]]:
    people = [user for user in before.get(change.emoji, []) if user != change.user_id]
    if change.on:
        if change.user_id in before.get(change.emoji, []):
            return dict(before)
        if change.emoji not in before and len(before) >= MAX_REACTIONS:
            raise NotAllowedNow("This message has as many kinds of reaction as it can hold.")
        people.append(change.user_id)
    after = {**before, change.emoji: people}
    return {emoji: users for emoji, users in after.items() if users}


def mentioned(text: str, names: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Give the ids of those whom `text` mentions as `@Name`, whole name, case-insensitively.

    `names` are pairs of id and name; where one name begins another (`@Ann`, `@Ann Lee`), the longer one counts.
    `@channel` and `@all` give `EVERYBODY`.
    """
    if "@" not in text:
        return ()
    by_name: dict[str, list[str]] = {name: [EVERYBODY] for name in _NAMES_OF_EVERYBODY}
    for user_id, name in names:
        by_name.setdefault(name.casefold(), []).append(user_id)
    longest_first = sorted(by_name, key=len, reverse=True)
    pattern = re.compile(r"(?<![\w@])@(" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
    found = set(pattern.findall(text.casefold()))
    return tuple(sorted({user_id for name in found for user_id in by_name[name]}))
