"""What may come in about the assistant."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from dashify.blueprints.schemas import PieceNumber, ShortLine
from dashify.domain.answers import MAX_COMMENT, MAX_QUESTION
from dashify.domain.inputs import Identifier, Input, Number, Text

QuestionText = Annotated[Text, AfterValidator(str.strip), Field(min_length=1, max_length=MAX_QUESTION)]


class NewQuestion(Input):
    """A question; `channel_id` has it answered only from what everybody in that channel may read."""

    question: QuestionText
    conversation_id: Identifier | None = None
    channel_id: Identifier | None = None


class AnswerPage(Input):
    """From which piece on; `after` is the index of the last one that is known."""

    after: PieceNumber = -1


class NewRating(Input):
    """What somebody thinks of an answer; null takes it back."""

    rating: Literal["up", "down"] | None
    comment: Annotated[Text, Field(max_length=MAX_COMMENT)] | None = None


class AssistantChange(Input):
    """What to choose; at least one of them. Null is the usual: the first model, and no limit."""

    model: ShortLine | None = None
    monthly_tokens: Number | None = None

    @model_validator(mode="after")
    def _something(self) -> AssistantChange:
        if not self.changes():
            raise ValueError("model or monthly_tokens is required")
        return self

    def changes(self) -> dict[str, Any]:
        """Give what was given."""
        return self.model_dump(exclude_unset=True)
