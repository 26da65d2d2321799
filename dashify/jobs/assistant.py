"""The job that answers a question: each piece goes to MongoDB, then to whoever listens; a second run goes on after it.

A run that was overtaken, or whose answer was stopped, finds out at its next piece and ends without a word.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dashify.clients.models import ChatPiece
from dashify.context import Context, Platform
from dashify.domain import chat
from dashify.domain.answers import (
    MAX_ANSWER_TOKENS,
    MAX_PIECES,
    NOTHING_FOUND,
    NOTHING_SHARED,
    OPEN,
    AnswerStatus,
    Claim,
    Numbering,
    Turn,
    month_of,
)
from dashify.domain.claims import Checker
from dashify.domain.evidence import Evidence
from dashify.domain.extract import extract
from dashify.domain.knowledge import ASSISTANT, Passage
from dashify.domain.names import new_id
from dashify.domain.prompts import build, fit_passages
from dashify.errors import DashifyError, NotAllowedNow, NotFound, Unavailable
from dashify.jobs.running import Run, Superseded, TimeIsUp
from dashify.services.asking import announce_end, ensure_budget, model_for, room_of, tokens_left
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

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_NUMBER = re.compile(r"\[(\d{1,3})\]")
Row = dict[str, Any]


class Ended(Exception):
    """The answer is not this run's to write any more: it was stopped, or removed."""


def answer_question(platform: Platform, payload: Row, run: Run) -> None:
    """Answer a question, and in a channel post the answer into its thread: both once, however often this is run."""
    store = platform.store_of(run.tenant_id)
    row = store.answers.begin(payload["answer_id"], run.attempt)
    if row is not None and row["status"] in OPEN:
        if row["attempt"] != run.attempt:
            raise Superseded
        writing = Writing(platform, run, row)
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


class Writing:
    """One run's way to write an answer."""

    def __init__(self, platform: Platform, run: Run, row: Row) -> None:
        self.platform, self.run, self.row = platform, run, row
        self.store = platform.store_of(run.tenant_id)
        self.count: int = row["count"]
        self._tokens: int = row["tokens"]
        self._charged = 0
        self._looked, self._is_over = 0.0, False

    def say(self, claim: Claim, numbering: Numbering) -> None:
        """Tell one claim: keep it first, so that whoever heard it finds it again.

        Raises:
            Ended, Superseded: the answer is not ours any more.
        """
        self.run.check()
        piece, index, answer_id = numbering.piece(claim), self.count, self.row["_id"]
        if not self.store.answers.append(answer_id, self.run.attempt, index, piece.text, piece.cites, piece.new,
                                         self._tokens + self._charged):
            raise Ended
        self.count += 1
        self.platform.token_log_of(self.run.tenant_id).add(answer_id, index, piece.text, piece.cites)
        self._emit("assistant:token", {"index": index, "text": piece.text})

    def charge(self, used: int) -> None:
        """Count the tokens that this run has used so far towards the month's."""
        if used > self._charged:
            self.store.token_use.add(month_of(self.platform.now), used - self._charged)
            self._charged = used
            self.store.answers.note(self.row["_id"], self.run.attempt, {"tokens": self._tokens + used})

    def stopped(self) -> bool:
        """Tell whether the answer was stopped or taken from this run; asked of MongoDB twice a second."""
        if not self._is_over and time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            try:
                self._is_over = not self.store.answers.is_running(self.row["_id"], self.run.attempt)
            except Unavailable:
                return self.run.lost  # the next piece finds out
        return self._is_over or self.run.lost

    def full(self, checker: Checker) -> bool:
        """Tell whether the answer is as long as one may be."""
        return checker.full or self.count >= MAX_PIECES

    def place(self, position: int) -> None:
        """Tell how many are before the question in the line for a model."""
        if self.store.answers.note(self.row["_id"], self.run.attempt, {"position": position}):
            self._emit("assistant:position", {"position": position})

    def end(self, status: AnswerStatus, error: DashifyError | None = None) -> None:
        """End the answer, unless it is over."""
        about = {"code": error.code, "message": error.message} if error else None
        answers = self.store.answers
        if answers.end(self.row["_id"], status, now=self.platform.now, attempt=self.run.attempt, error=about):
            announce_end(self.platform, self.run.tenant_id, answers.get(self.row["_id"]))

    @contextmanager
    def failing_aloud(self) -> Iterator[None]:
        """Have the answer say why there is none, or no more of it, where it is not going to be tried again."""
        try:
            yield
        except Ended:
            return
        except Superseded:
            raise
        except TimeIsUp:
            self.end(AnswerStatus.FAILED, DashifyError("It took too long to answer this.", code="time_limit"))
            raise
        except Unavailable as error:
            if not self.run.last_try:
                raise
            self.end(AnswerStatus.FAILED, error)
        except DashifyError as error:
            self.end(AnswerStatus.FAILED, error)
        except Exception:
            log.exception("A question could not be answered")
            self.end(AnswerStatus.FAILED, DashifyError("Something went wrong inside Dashify.", code="internal"))

    def _emit(self, event: str, about: Row) -> None:
        room = room_of(self.run.tenant_id, self.row)
        self.platform.publisher.emit(room, event, {"answer_id": self.row["_id"], **about})


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
