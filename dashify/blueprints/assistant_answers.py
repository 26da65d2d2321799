"""What goes out about the assistant."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dashify.blueprints.answers import Moment, Outgoing
from dashify.blueprints.knowledge_answers import Problem


class AskedQuestion(Outgoing):
    """An answer that was asked for."""

    id: str
    conversation_id: str


class AskedAnswer(Outgoing):
    """What was asked for."""

    answer: AskedQuestion


class Citation(Outgoing):
    """Where something comes from: `quote` is `[start:end]`, in code points, of the source's text at `version`."""

    number: int = Field(description="As the answer's text names it: [1].")
    kind: Literal["document", "message"]
    document_id: str | None
    message_id: str | None
    channel_id: str | None
    seq: int | None = Field(description="A message's place in its channel.")
    version: int
    title: str
    quote: str
    start: int
    end: int


class Token(Outgoing):
    """One piece of an answer; indices count from 0 without a gap."""

    index: int
    text: str


class ListedAnswer(Outgoing):
    """An answer as I may read it: what rests on a source that is not for me is left out. `text` is plain text."""

    id: str
    conversation_id: str | None
    channel_id: str | None
    message_id: str | None
    question: str
    status: Literal["queued", "running", "done", "failed", "stopped"]
    text: str
    count: int = Field(description="How many pieces there are.")
    citations: list[Citation]
    model: str | None = Field(description="Null where it is made of quotes alone.")
    rating: Literal["up", "down"] | None
    created_at: Moment
    position: int | None = Field(default=None, description="Its place in the line for a model, from 1.")
    error: Problem | None = None


class Answer(ListedAnswer):
    """An answer with the pieces that were asked for."""

    tokens: list[Token]


class AnswerAnswer(Outgoing):
    """One answer."""

    answer: Answer


class Conversation(Outgoing):
    """A conversation with the assistant."""

    id: str
    title: str
    created_at: Moment
    updated_at: Moment


class ConversationsAnswer(Outgoing):
    """My conversations, the one that was last asked in first."""

    conversations: list[Conversation]
    next: str | None


class ConversationAnswer(Outgoing):
    """One conversation with its answers, oldest first."""

    conversation: Conversation
    answers: list[ListedAnswer]
    next: str | None


class AssistantSettings(Outgoing):
    """What an organization has chosen about its assistant, and what it has used this month."""

    model: str | None = Field(description="Null for the first of `models`.")
    models: list[str] = Field(description="None: answers are made of quotes.")
    monthly_tokens: int | None = Field(description="Null for no limit.")
    used_tokens: int


class AssistantSettingsAnswer(Outgoing):
    """The assistant's settings."""

    settings: AssistantSettings
