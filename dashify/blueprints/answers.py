"""What goes out: a model for every answer.

Views answer with what services give; these describe it, and tests hold it to them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dashify.blueprints.schemas import RoleName

Moment = str


class Outgoing(BaseModel):
    """What every answer obeys. A reader must allow for fields that are added later."""

    model_config = ConfigDict(extra="forbid")


class Organization(Outgoing):
    """An organization, to its people."""

    id: str
    name: str


class Me(Outgoing):
    """Somebody to themselves."""

    id: str
    name: str
    email: str
    role: RoleName
    superadmin: bool
    organization: Organization
    time_zone: str
    digest: bool


class MeAnswer(Outgoing):
    """Who I am."""

    user: Me


class Person(Outgoing):
    """Somebody to a colleague."""

    id: str
    name: str
    email: str
    role: RoleName
    active: bool
    created_at: Moment


class PersonAnswer(Outgoing):
    """One person."""

    user: Person


class PeopleAnswer(Outgoing):
    """A page of the people of my organization."""

    users: list[Person]
    next: str | None


class Session(Outgoing):
    """One of my sessions."""

    id: str
    device: str
    address: str
    created_at: Moment
    seen_at: Moment
    current: bool


class SessionsAnswer(Outgoing):
    """My live sessions, last used first."""

    sessions: list[Session]
    next: str | None


class Invitation(Outgoing):
    """An invitation that can still be accepted."""

    id: str
    email: str
    role: RoleName
    invited_by: str
    created_at: Moment
    expires_at: Moment


class InvitationAnswer(Outgoing):
    """A new invitation and the token of its link, which is shown this once."""

    invitation: Invitation
    token: str


class InvitationsAnswer(Outgoing):
    """Open invitations, newest first."""

    invitations: list[Invitation]
    next: str | None


class InvitationPreview(Outgoing):
    """Who invites to what, for somebody who is not here yet."""

    organization: str
    email: str
    role: RoleName
    invited_by: str


class Channel(Outgoing):
    """A channel as I see it."""

    id: str
    name: str
    private: bool
    default: bool
    created_by: str
    created_at: Moment
    head: int
    joined: bool
    read_seq: int
    unread: int
    mentions: int


class ChannelAnswer(Outgoing):
    """One channel."""

    channel: Channel


class ChannelsAnswer(Outgoing):
    """A page of the channels I can see."""

    channels: list[Channel]
    next: str | None


class Member(Outgoing):
    """Who is in a channel, and since when."""

    channel_id: str
    user_id: str
    joined_at: Moment


class MemberAnswer(Outgoing):
    """One membership."""

    member: Member


class MembersAnswer(Outgoing):
    """A page of a channel's members."""

    members: list[Member]
    next: str | None


class Message(Outgoing):
    """A message. `seq` is its place, `changed_seq` the number of its last change; a deleted one keeps its place."""

    id: str
    channel_id: str
    seq: int
    changed_seq: int
    author_id: str
    text: str
    client_id: str | None
    thread_id: str | None
    reactions: dict[str, list[str]]
    created_at: Moment
    edited_at: Moment | None
    deleted_at: Moment | None


class MessageAnswer(Outgoing):
    """One message."""

    message: Message


class MessagesAnswer(Outgoing):
    """A page of a channel's messages. `head` was read before them."""

    messages: list[Message]
    head: int
    more: bool


class ChangesAnswer(Outgoing):
    """What changed after a number, each message once in its present state; or `reset`, which comes alone."""

    messages: list[Message] = Field(default_factory=list)
    head: int = 0
    floor: int = 0
    epoch: str = ""
    more: bool = False
    reset: bool = False


class Notification(Outgoing):
    """Somebody mentioned me or wrote in a thread of mine. `snippet` is the beginning of the message as it is now."""

    id: str
    kind: Literal["mention", "reply"]
    channel_id: str
    channel_name: str
    message_id: str
    thread_id: str | None
    seq: int
    author_id: str
    author_name: str
    snippet: str
    created_at: Moment
    read_at: Moment | None


class NotificationsAnswer(Outgoing):
    """A page of my notifications, newest first. `unread` counts all of mine, up to 1,000."""

    notifications: list[Notification]
    unread: int
    next: str | None


class UnreadAnswer(Outgoing):
    """How many of my notifications are unread, up to 1,000."""

    unread: int


class JobFailure(Outgoing):
    """Why a job failed."""

    code: str
    message: str


class Job(Outgoing):
    """Work in the background. `progress` runs from 0 to 1; `result_url` is relative and there when it is done."""

    id: str
    kind: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    result_url: str | None = None
    error: JobFailure | None = None


class JobAnswer(Outgoing):
    """One job."""

    job: Job


class Failure(Outgoing):
    """What went wrong: `code` for programs, `message` for people, `details` as `[{field, problem}]` for `invalid`."""

    code: str
    message: str
    details: list[Any] | dict[str, Any]
    request_id: str


class FailureAnswer(Outgoing):
    """Any answer that is not a success."""

    error: Failure


class Document(BaseModel):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
