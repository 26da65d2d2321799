"""Asking the assistant: what a question needs, in a conversation of one's own and in a channel."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dashify.context import Context, Platform
from dashify.domain import chat, names
from dashify.domain.answers import asked, month_of, title_of
from dashify.domain.jobs import Job
from dashify.domain.names import new_id
from dashify.errors import NotAllowedNow, Unavailable
from dashify.services.channels import access_channel
from dashify.stores.lane import Beside
from dashify.stores.store import Store
from dashify.units import Unit

Json = dict[str, Any]
Row = dict[str, Any]
_MINUTE = 60


def ask(ctx: Context, question: str, conversation_id: str | None, channel_id: str | None) -> Json:
    """Ask the assistant, in a new conversation or going on in one of mine; the answer comes in the background.

    With `channel_id` only what everybody in that channel may read is used.

    Raises:
        NotFound: the conversation or the channel is not for me.
        NotAllowedNow: `budget_exhausted`; the organization has used its tokens of this month.
        RateLimited: I ask too often.
        Unavailable: the database, or Redis, is away.
    """
    if conversation_id is not None:
        ctx.store.conversations.get_own(conversation_id, ctx.actor.user_id)
    if channel_id is not None:
        access_channel(ctx, channel_id)
    ensure_budget(ctx)
    _count(ctx)
    answer_id, talk_id = new_id(), conversation_id or new_id()

    def work(unit: Unit) -> None:
        # A conversation that was removed at this moment is not made again by an answer.
        if conversation_id is None:
            unit.store.conversations.add(talk_id, ctx.actor.user_id, title_of(question), now=unit.now)
        else:
            unit.store.conversations.get_own(talk_id, ctx.actor.user_id)
            unit.store.conversations.touch(talk_id, now=unit.now)
        _add(unit, ctx, answer_id, question, {"talk_id": talk_id, "conversation_id": talk_id, "channel_id": None,
                                              "scope_id": channel_id, "message_id": None})

    ctx.unit(work)
    return {"id": answer_id, "conversation_id": talk_id}


def ask_in_channel(ctx: Context, text: str) -> Beside | None:
    """Give what has the assistant answer a message in its own transaction; None where it asks nothing.

    Raises:
        RateLimited: I ask too often; nothing is to be posted then.
    """
    question = asked(text)
    if question is None:
        return None
    # What is said in a channel does not wait for Redis.
    with suppress(Unavailable):
        _count(ctx)

    def work(unit: Unit, outcome: chat.Outcome) -> None:
        message = outcome.message
        _add(unit, ctx, new_id(), question, {
            "talk_id": message["thread_id"] or message["_id"], "conversation_id": None,
            "channel_id": message["channel_id"], "scope_id": message["channel_id"], "message_id": message["_id"]})

    return ctx.beside(work)


def model_for(reach: Context | Platform, store: Store) -> str | None:
    """Give the model that answers a tenant's questions: its choice, or the first; None where there is no model."""
    offered = reach.models.chat_models()
    chosen = (store.assistant_rules.find() or {}).get("model")
    return chosen if chosen in offered else next(iter(offered), None)


def tokens_left(reach: Context | Platform, store: Store) -> int | None:
    """Give how many tokens a tenant may still use this month, None where there is no limit."""
    most = (store.assistant_rules.find() or {}).get("monthly_tokens")
    return None if most is None else max(0, most - store.token_use.count(month_of(reach.now)))


def ensure_budget(reach: Context | Platform, store: Store | None = None) -> None:
    """Raise `NotAllowedNow` where answering would need a model and the tenant has no tokens left."""
    own = store or (reach.store if isinstance(reach, Context) else None)
    assert own is not None
    if model_for(reach, own) is not None and tokens_left(reach, own) == 0:
        raise NotAllowedNow("Your organization has used up its tokens for this month.", code="budget_exhausted")


def room_of(tenant_id: str, row: Row) -> str:
    """Name the room of those who follow an answer: a channel's people, or the one who asked."""
    if row["channel_id"] is not None:
        return names.channel_room(tenant_id, row["channel_id"])
    return names.user_room(tenant_id, row["asker_id"])


def announce_end(reach: Context | Platform, tenant_id: str, row: Row) -> None:
    """Tell those who follow an answer how it has ended."""
    event: Json = {"answer_id": row["_id"], "status": row["status"]}
    if row["error"]:
        event["error"] = row["error"]
    reach.publisher.emit(room_of(tenant_id, row), "assistant:done", event)


def _add(unit: Unit, ctx: Context, answer_id: str, question: str, where: Row) -> None:
    job_id = unit.jobs.add(Job.ANSWER_QUESTION, {"answer_id": answer_id})
    unit.store.answers.add(answer_id, {**where, "asker_id": ctx.actor.user_id, "question": question,
                                       "job_id": job_id, "created_at": unit.now})


def _count(ctx: Context) -> None:
    ctx.limits.take(("questions", ctx.actor.user_id, ctx.settings.limits.questions_per_minute, _MINUTE))
