"""The assistant to whoever asked: its answers as they may read them now, conversations, ratings, and its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashify.context import Context
from dashify.domain.answers import LOST, OPEN, AnswerStatus, month_of, shown_pieces
from dashify.domain.audit import Action
from dashify.domain.jobs import JobStatus
from dashify.domain.names import is_id
from dashify.errors import Forbidden, Invalid, NotFound
from dashify.services import views
from dashify.services.asking import announce_end
from dashify.services.channels import ensure_visible
from dashify.services.retrieval import check_citations
from dashify.units import Unit

Json = dict[str, Any]
Row = dict[str, Any]
_OPEN_JOBS = (JobStatus.QUEUED.value, JobStatus.RUNNING.value)


def get_answer(ctx: Context, answer_id: str, after: int) -> Json:
    """Show an answer: mine, or one in a channel that I see; with the pieces after number `after`, -1 for all.

    What rests on something that I may not read now, or that was changed, is left out of it.

    Raises:
        NotFound: there is none, or it is not for me.
    """
    row = _as_it_is(ctx, _access(ctx, answer_id))
    [shown] = _shown(ctx, [row])
    pieces = shown_pieces(row["pieces"], frozenset(one["number"] for one in shown["citations"]))
    return {**shown, "tokens": [{"index": index, "text": text} for index, text in enumerate(pieces) if index > after]}


def stop_answer(ctx: Context, answer_id: str) -> Json:
    """End an answer that is on its way; one that is over stays as it is. Give it as it is then.

    Raises:
        NotFound: there is none, or it is not for me.
        Forbidden: somebody else asked, and I am no admin.
    """
    row = _access(ctx, answer_id)
    if row["asker_id"] != ctx.actor.user_id and not ctx.actor.may("message.moderate"):
        raise Forbidden("Only who asked or an admin can stop an answer.")
    _end(ctx, row, AnswerStatus.STOPPED, None)
    return get_answer(ctx, answer_id, -1)


def rate_answer(ctx: Context, answer_id: str, rating: str | None, comment: str | None) -> Json:
    """Keep what I think of an answer to me: "up", "down" or nothing.

    Raises:
        NotFound: there is none, or it is not for me.
        Forbidden: somebody else asked.
    """
    row = _access(ctx, answer_id)
    if row["asker_id"] != ctx.actor.user_id:
        raise Forbidden("Only who asked can rate an answer.")
    ctx.store.answers.rate(answer_id, rating, comment if rating else None)
    return get_answer(ctx, answer_id, -1)


def list_conversations(ctx: Context, cursor: str | None, limit: int) -> Json:
    """List my conversations, the one that I last asked in first."""
    rows = ctx.store.conversations.list_of(ctx.actor.user_id, before=cursor, limit=limit + 1)
    return {"conversations": [_conversation(row) for row in rows[:limit]],
            "next": rows[limit - 1]["order"] if len(rows) > limit else None}


def get_conversation(ctx: Context, conversation_id: str, cursor: str | None, limit: int) -> Json:
    """Show one of my conversations with its answers, oldest first.

    Raises:
        NotFound: I have no such conversation.
    """
    row = ctx.store.conversations.get_own(conversation_id, ctx.actor.user_id)
    answers = ctx.store.answers.list_talk(conversation_id, after=cursor, limit=limit + 1)
    page = views.page("answers", _shown(ctx, [_as_it_is(ctx, one) for one in answers]), limit)
    return {"conversation": _conversation(row), **page}


def remove_conversation(ctx: Context, conversation_id: str) -> None:
    """Remove one of my conversations with all its answers; one that is on its way ends.

    Raises:
        NotFound: I have no such conversation.
    """
    def work(unit: Unit) -> None:
        if not unit.store.conversations.remove(conversation_id, ctx.actor.user_id):
            raise NotFound("You have no such conversation.")
        unit.store.answers.remove_talk(conversation_id)

    ctx.unit(work)


def get_settings(ctx: Context) -> Json:
    """Show what my organization has chosen, what it may choose from, and the tokens that it has used this month."""
    rules = ctx.store.assistant_rules.find() or {}
    return {"model": rules.get("model"), "models": ctx.models.chat_models(),
            "monthly_tokens": rules.get("monthly_tokens"),
            "used_tokens": ctx.store.token_use.count(month_of(ctx.now))}


def change_settings(ctx: Context, change: Mapping[str, Any]) -> Json:
    """Choose what `change` holds out of `model` and `monthly_tokens`, None for the usual.

    Raises:
        Forbidden: I am no admin.
        Invalid: no such model is offered.
    """
    if not ctx.actor.may("assistant.manage"):
        raise Forbidden("Only owners and admins can change the assistant's settings.")
    if change.get("model") is not None and change["model"] not in ctx.models.chat_models():
        raise Invalid("There is no such model to choose.",
                      details=[{"field": "model", "problem": "is not among those that are offered"}])

    def work(unit: Unit) -> None:
        unit.store.assistant_rules.save(dict(change))
        details = {name: "none" if value is None else value for name, value in change.items()}
        unit.audit.record(Action.ASSISTANT_CHANGED, subject=("assistant", "assistant"), details=details)

    ctx.unit(work)
    return get_settings(ctx)


def _access(ctx: Context, answer_id: str) -> Row:
    row = _load(ctx, answer_id) if is_id(answer_id) else None
    if row is None or (row["channel_id"] is None and row["asker_id"] != ctx.actor.user_id):
        raise NotFound("There is no such answer.")
    if row["channel_id"] is not None:
        ensure_visible(ctx, row["channel_id"])
    return row


def _load(ctx: Context, answer_id: str) -> Row | None:
    """Read an answer; the pieces of one that is being written from Redis, where all of them are."""
    row = ctx.store.answers.find(answer_id, pieces=False)
    if row is not None and row["status"] == AnswerStatus.RUNNING:
        pieces = ctx.token_log.read(answer_id, -1, row["count"])
        if pieces is not None:
            return {**row, "pieces": pieces}
    return row and ctx.store.answers.find(answer_id)


def _as_it_is(ctx: Context, row: Row) -> Row:
    """Give an answer; one whose job is over without having ended it is ended here, so that nobody waits for it."""
    if row["status"] not in OPEN:
        return row
    try:
        job = ctx.store.jobs.get(row["job_id"])["status"]
    except NotFound:
        job = JobStatus.DEAD.value
    return row if job in _OPEN_JOBS else _end(ctx, row, AnswerStatus.FAILED, LOST)


def _end(ctx: Context, row: Row, status: AnswerStatus, error: Mapping[str, str] | None) -> Row:
    ended = ctx.store.answers.end(row["_id"], status, now=ctx.now, error=error)
    after = ctx.store.answers.get(row["_id"])
    if ended:
        announce_end(ctx, ctx.actor.tenant_id, after)
    return after


def _shown(ctx: Context, rows: Sequence[Row]) -> list[Json]:
    """Show answers to me, with those citations that hold for me and what rests on them."""
    cited = [one for row in rows for one in row["citations"]]
    held = iter(check_citations(ctx, cited))
    places = {row["_id"]: row["seq"] for row in ctx.store.messages.list_standing(
        {one["message_id"] for one in cited if one["message_id"]})}
    return [_answer(row, [{**one, "seq": places.get(one["message_id"])} for one in row["citations"] if next(held)])
            for row in rows]


def _answer(row: Row, citations: Sequence[Row]) -> Json:
    pieces = shown_pieces(row["pieces"], frozenset(one["number"] for one in citations))
    shown: Json = {
        "id": row["_id"], "conversation_id": row["conversation_id"], "channel_id": row["channel_id"],
        "message_id": row["message_id"], "question": row["question"], "status": row["status"],
        "text": "".join(pieces).strip(), "count": row["count"], "citations": [dict(one) for one in citations],
        "model": row["model"], "rating": row["rating"], "created_at": views.moment(row["created_at"])}
    if row["position"] is not None:
        shown["position"] = row["position"]
    if row["error"]:
        shown["error"] = row["error"]
    return shown


def _conversation(row: Row) -> Json:
    return {"id": row["_id"], "title": row["title"], "created_at": views.moment(row["created_at"]),
            "updated_at": views.moment(row["updated_at"])}
