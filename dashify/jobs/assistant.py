"""The job that answers a question: each piece goes to MongoDB, then to whoever listens; a second run goes on after it.

A run that was overtaken, or whose answer was stopped, finds out at its next piece and ends without a word.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from functools import partial
from typing import Any

from dashify.clients.models import ChatPiece
from dashify.context import Context, Platform
from dashify.domain import chat
from dashify.domain.answers import (
    MAX_ANSWER_TOKENS,
    NOTHING_FOUND,
    NOTHING_SHARED,
    OPEN,
    AnswerStatus,
    Claim,
    Numbering,
    Turn,
)
from dashify.domain.claims import Checker
from dashify.domain.evidence import Evidence
from dashify.domain.extract import extract
from dashify.domain.knowledge import ASSISTANT, Passage
from dashify.domain.names import new_id
from dashify.domain.prompts import build, fit_passages
from dashify.errors import NotAllowedNow, NotFound
from dashify.jobs.running import Run, Superseded
from dashify.jobs.writing import Ended, Writing
from dashify.services.asking import ensure_budget, model_for, tokens_left
from dashify.services.channels import ensure_visible
from dashify.services.chat import announcer
from dashify.services.forgetting import review_posts
from dashify.services.grounding import (
    find_ground,
    keep_ground,
    nearness,
    read_ground,
    readers_of_answer,
    recall,
)
from dashify.services.notifications import fan_out

_NUMBER = re.compile(r"\[(\d{1,3})\]")
Row = dict[str, Any]


def answer_question(platform: Platform, payload: Row, run: Run) -> None:
    """Answer a question, and in a channel post the answer into its thread: both once, however often this is run."""
    store = platform.store_of(run.tenant_id)
    row = store.answers.begin(payload["answer_id"], run.attempt)
    if row is not None and row["status"] in OPEN:
        if row["attempt"] != run.attempt:
            raise Superseded
        writing = Writing(platform, run, row)
        writing.show_at_work()
        with writing.failing_aloud():
            write(writing)
            writing.end(AnswerStatus.DONE)
        row = store.answers.find(row["_id"])
    if row is not None and row["channel_id"] is not None:
        post_answer(run, row)
    run.finish(lambda unit: None)


def review_answers(platform: Platform, payload: Row, run: Run) -> None:
    """Take back what was posted in channels and is not for everybody there any more."""
    taken = review_posts(platform, run.tenant_id, run.check, channel_id=payload.get("channel_id"),
                         document_id=payload.get("document_id"))
    run.finish(lambda unit: {"taken_back": taken})


def write(writing: Writing) -> None:
    """Find what answers the question and tell it, with a model where there is one.

    Raises:
        DashifyError: it cannot be answered, and the message says why.
        Ended, Superseded: the answer is not ours any more.
    """
    ctx, row = writing.run.context(), writing.row
    if row["message_id"] is not None and not ctx.store.messages.find_standing([row["message_id"]]):
        writing.end(AnswerStatus.STOPPED)
        raise Ended
    principals = readers_of_answer(ctx, row)
    turns = recall(ctx, row, principals)
    if row["sources"] is None:
        passages = fit_passages(find_ground(ctx, row, turns, principals))
        row["sources"] = keep_ground(passages)
        if not writing.store.answers.note(row["_id"], writing.run.attempt, {"sources": row["sources"]}):
            raise Ended
    passages = _ground(ctx, row, principals)
    model = model_for(writing.platform, writing.store)
    began_quoting = row["count"] > 0 and row["model"] is None
    if model is None or not passages or began_quoting:
        _tell_by_extraction(writing, ctx, passages)
    elif not _tell_by_model(writing, ctx, model, turns, principals):
        # Small models are often not borne out where a sentence of the passages itself would have answered.
        writing.store.answers.note(row["_id"], writing.run.attempt, {"model": None})
        _tell_by_extraction(writing, ctx, _ground(ctx, row, principals))
    if writing.count == 0:
        nothing = NOTHING_FOUND if row["scope_id"] is None else NOTHING_SHARED
        writing.say(Claim("", nothing, "", ()), Numbering([]))


def _ground(ctx: Context, row: Row, principals: frozenset[str]) -> list[Passage]:
    """Read the passages that were found, as they may be read now.

    Raises:
        NotAllowedNow: `sources_changed`; part of the answer is told already, and rests on what is not there any more.
    """
    passages = read_ground(ctx, row["sources"], principals)
    if row["count"] and len(passages) < len(row["sources"]):
        raise NotAllowedNow("What this answer rests on was changed while it was written. Please ask again.",
                            code="sources_changed")
    return passages


def _tell_by_extraction(writing: Writing, ctx: Context, passages: list[Passage]) -> None:
    """Quote. The same passages give the same pieces, so what an earlier run has told is passed over."""
    if not passages:
        return
    numbering, told, question = Numbering(passages), writing.row["pieces"], writing.row["question"]
    evidence = Evidence(passages)
    for index, claim in enumerate(extract(question, evidence, nearness(ctx, question, evidence))):
        if index >= len(told):
            writing.say(claim, numbering)
        elif numbering.piece(claim).text != told[index]["text"]:
            raise NotAllowedNow("This answer was interrupted. Please ask again.", code="interrupted")


def _tell_by_model(writing: Writing, ctx: Context, model: str, turns: list[Turn], principals: frozenset[str]) -> bool:
    """Have a model answer, and tell what of it the passages bear out.

    Give whether that is an answer: something was told, or the model says that the passages do not answer.
    """
    row = writing.row
    ensure_budget(writing.platform, writing.store)
    writing.store.answers.note(row["_id"], writing.run.attempt, {"model": model})
    turn_at = partial(writing.platform.models.turn, writing.run.tenant_id, row["_id"], model=model)
    with turn_at(on_position=writing.place, stopped=writing.stopped) as turn:
        passages = _ground(ctx, row, principals)  # the wait may have been long
        numbering = Numbering(passages, row["citations"])
        checker = Checker(Evidence(passages), row["question"], "".join(piece["text"] for piece in row["pieces"]))
        left = tokens_left(writing.platform, writing.store)
        messages = build(row["question"], passages, turns, fence=f"<<{secrets.token_hex(12)}>>",
                         partial=_told_with_passages(row, numbering))
        most = MAX_ANSWER_TOKENS if left is None else max(1, min(MAX_ANSWER_TOKENS, left))
        pieces = turn.chat(messages, max_tokens=most, stopped=lambda: writing.full(checker) or writing.stopped())
        _tell_checked(writing, pieces, checker, numbering)
    return writing.count > 0 or checker.declined


def _tell_checked(writing: Writing, pieces: Iterator[ChatPiece], checker: Checker, numbering: Numbering) -> None:
    used = 0
    try:
        for piece in pieces:
            used = piece.prompt_tokens + piece.tokens
            for claim in checker.feed(piece.text):
                if not writing.full(checker):
                    writing.say(claim, numbering)
                    writing.charge(used)
    finally:
        writing.charge(used)
    if writing.stopped():
        raise Ended
    for claim in checker.close():
        if not writing.full(checker):
            writing.say(claim, numbering)


def _told_with_passages(row: Row, numbering: Numbering) -> str:
    """Give what was told with the numbers that a prompt gives its passages."""
    by_number = {one["number"]: numbering.passage_of(one) for one in row["citations"]}
    text = "".join(piece["text"] for piece in row["pieces"])
    return _NUMBER.sub(lambda found: f"[{by_number.get(int(found[1]), found[1])}]", text)


def post_answer(run: Run, row: Row) -> None:
    """Post what the assistant has to say into the question's thread; the answer's id makes it one post."""
    if row["status"] == AnswerStatus.STOPPED:
        return
    try:
        ctx = run.context()
        ensure_visible(ctx, row["channel_id"])
    except NotFound:
        return
    text = "".join(piece["text"] for piece in row["pieces"]).strip()
    if row["status"] == AnswerStatus.FAILED:
        text = "\n\n".join(part for part in (text, f"I could not answer this. {row['error']['message']}") if part)
    post = chat.Post(new_id(), ASSISTANT, text[:chat.MAX_TEXT], row["_id"], row["talk_id"])
    ctx.change_channel(row["channel_id"], post, announcer(ctx, run.tenant_id, "message:new"), fan_out(ctx))
