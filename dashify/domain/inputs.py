"""The types that every input model is made of: one kind of text, one kind of whole number, both bounded.

A lone surrogate passes pydantic's `str` and fails in BSON, and an integer over 64 bits fails there too, so neither
gets in.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr

MAX_NUMBER = 2**53 - 1  # what JavaScript holds exactly
_SURROGATE_OR_NUL = re.compile(r"[\ud800-\udfff\x00]")


class Input(BaseModel):
    """A body, query or event: strict types, nothing unknown, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def _encodable(value: str) -> str:
    if _SURROGATE_OR_NUL.search(value):
        raise ValueError("contains characters that are not text")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


Text = Annotated[StrictStr, AfterValidator(_encodable)]
MessageText = Annotated[Text, Field(min_length=1, max_length=16_000), AfterValidator(_not_blank)]
Identifier = Annotated[Text, Field(min_length=1, max_length=64)]
ClientId = Annotated[Text, Field(min_length=1, max_length=64)]
Number = Annotated[StrictInt, Field(ge=0, le=MAX_NUMBER)]
