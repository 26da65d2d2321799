"""One run's way to write an answer: kept, then told, until it ends or is not this run's to write any more."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dashify.context import Platform
from dashify.domain.answers import MAX_PIECES, AnswerStatus, Claim, Numbering, month_of
from dashify.domain.claims import Checker
from dashify.domain.knowledge import ASSISTANT
from dashify.errors import DashifyError, Unavailable
from dashify.jobs.running import Run, Superseded, TimeIsUp
from dashify.services.asking import announce_end, room_of

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_SHOW_SECONDS = 3.0  # pages show it for five
Row = dict[str, Any]


class Ended(Exception):
    """The answer is not this run's to write any more: it was stopped, or removed."""


class Writing:
    """One run's way to write an answer."""

    def __init__(self, platform: Platform, run: Run, row: Row) -> None:
        self.platform, self.run, self.row = platform, run, row
        self.store = platform.store_of(run.tenant_id)
        self.count: int = row["count"]
        self._tokens: int = row["tokens"]
        self._charged = 0
        self._looked, self._is_over = 0.0, False
        self._shown = 0.0

    def say(self, claim: Claim, numbering: Numbering) -> None:
        """Tell one claim: keep it first, so that whoever heard it finds it again.

        Raises:
            Ended, Superseded: the answer is not ours any more.
        """
        self.run.check()
        self.show_at_work()
        piece, index, answer_id = numbering.piece(claim), self.count, self.row["_id"]
        if not self.store.answers.append(answer_id, self.run.attempt, index, piece.text, piece.cites, piece.new,
                                         self._tokens + self._charged):
            raise Ended
        self.count += 1
        self.platform.token_log_of(self.run.tenant_id).add(answer_id, index, piece.text, piece.cites)
        self._emit("assistant:token", {"answer_id": answer_id, "index": index, "text": piece.text})

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
            self.show_at_work()
            try:
                self._is_over = not self.store.answers.is_running(self.row["_id"], self.run.attempt)
            except Unavailable:
                return self.run.lost  # the next piece finds out
        return self._is_over or self.run.lost

    def show_at_work(self) -> None:
        """Let a channel know every few seconds that its answer is being written."""
        if self.row["channel_id"] is not None and time.monotonic() - self._shown > _SHOW_SECONDS:
            self._shown = time.monotonic()
            self._emit("typing", {"channel_id": self.row["channel_id"], "user_id": ASSISTANT})

    def full(self, checker: Checker) -> bool:
        """Tell whether the answer is as long as one may be."""
        return checker.full or self.count >= MAX_PIECES

    def place(self, position: int) -> None:
        """Tell how many are before the question in the line for a model."""
        if self.store.answers.note(self.row["_id"], self.run.attempt, {"position": position}):
            self._emit("assistant:position", {"answer_id": self.row["_id"], "position": position})

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
        self.platform.publisher.emit(room_of(self.run.tenant_id, self.row), event, about)
