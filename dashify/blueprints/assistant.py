"""The assistant: questions, answers, conversations, and its settings."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.assistant_answers import (
    AnswerAnswer,
    AskedAnswer,
    AssistantSettingsAnswer,
    ConversationAnswer,
    ConversationsAnswer,
)
from dashify.blueprints.assistant_schemas import AnswerPage, AssistantChange, NewQuestion, NewRating
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import Page
from dashify.context import Context
from dashify.services import asking, assistant

blueprint = guarded("assistant", signed_in)

_ANSWER = "/assistant/answers/<answer_id>"
_CONVERSATION = "/assistant/conversations/<conversation_id>"


@endpoint(blueprint, "POST", "/assistant/questions", answers={202: AskedAnswer}, errors=(404, 422, 429))
def ask_assistant(ctx: Context, body: NewQuestion) -> dict[str, Any]:
    """Ask the assistant; the answer is told over the socket as it comes."""
    return {"answer": asking.ask(ctx, body.question, body.conversation_id, body.channel_id)}


@endpoint(blueprint, "GET", _ANSWER, answers={200: AnswerAnswer}, errors=(404,))
def show_answer(ctx: Context, answer_id: str, query: AnswerPage) -> dict[str, Any]:
    """Give an answer, with its pieces after one that is known."""
    return {"answer": assistant.get_answer(ctx, answer_id, query.after)}


@endpoint(blueprint, "POST", f"{_ANSWER}/stop", answers={200: AnswerAnswer}, errors=(403, 404))
def stop_answer(ctx: Context, answer_id: str) -> dict[str, Any]:
    """End an answer; doing it again changes nothing."""
    return {"answer": assistant.stop_answer(ctx, answer_id)}


@endpoint(blueprint, "PUT", f"{_ANSWER}/rating", answers={200: AnswerAnswer}, errors=(403, 404))
def rate_answer(ctx: Context, answer_id: str, body: NewRating) -> dict[str, Any]:
    """Say what I think of an answer to me."""
    return {"answer": assistant.rate_answer(ctx, answer_id, body.rating, body.comment)}


@endpoint(blueprint, "GET", "/assistant/conversations", answers={200: ConversationsAnswer})
def list_conversations(ctx: Context, query: Page) -> dict[str, Any]:
    """List my conversations."""
    return assistant.list_conversations(ctx, query.cursor, query.limit)


@endpoint(blueprint, "GET", _CONVERSATION, answers={200: ConversationAnswer}, errors=(404,))
def show_conversation(ctx: Context, conversation_id: str, query: Page) -> dict[str, Any]:
    """Give one of my conversations with its answers."""
    return assistant.get_conversation(ctx, conversation_id, query.cursor, query.limit)


@endpoint(blueprint, "DELETE", _CONVERSATION, answers={204: None}, errors=(404,))
def remove_conversation(ctx: Context, conversation_id: str) -> None:
    """Remove one of my conversations with its answers."""
    assistant.remove_conversation(ctx, conversation_id)


@endpoint(blueprint, "GET", "/assistant/settings", answers={200: AssistantSettingsAnswer})
def show_assistant_settings(ctx: Context) -> dict[str, Any]:
    """Give what my organization has chosen about its assistant."""
    return {"settings": assistant.get_settings(ctx)}


@endpoint(blueprint, "PUT", "/assistant/settings", answers={200: AssistantSettingsAnswer}, errors=(403,))
def change_assistant_settings(ctx: Context, body: AssistantChange) -> dict[str, Any]:
    """Choose the model and the tokens a month."""
    return {"settings": assistant.change_settings(ctx, body.changes())}
