"""What comes in, read strictly: JSON bodies and query strings turned into models, every problem told at once."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from flask import Request
from gunicorn.http.errors import ParseException
from pydantic import BaseModel, TypeAdapter, ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge, UnsupportedMediaType

from dashify.errors import Invalid

M = TypeVar("M", bound=BaseModel)
_MOST_PROBLEMS = 100
_LONGEST_FIELD = 100
_JSON_TYPE = re.compile(r"application/(?:[\w.-]+\+)?json", re.ASCII)

_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length} {unit}",
    "too_long": "must have at most {max_length} {unit}",
    "literal_error": "must be one of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def read_body(model: type[M], request: Request) -> M:
    """Read a JSON body as `model`.

    Raises:
        UnsupportedMediaType: the body is not declared as JSON.
        RequestEntityTooLarge: it is over the limit, found before or while reading.
        Invalid: it is not JSON as we take it, or not the shape of `model`.
    """
    if not _JSON_TYPE.fullmatch(request.mimetype):
        raise UnsupportedMediaType("The body must be JSON, sent with Content-Type: application/json.")
    try:
        raw = request.get_data(cache=False)
    except ClientDisconnected as error:
        raise Invalid("The body ended before it was complete.") from error
    except ParseException as error:
        raise Invalid("The body is not sent in the chunks that HTTP knows.") from error
    if len(raw) >= (request.max_content_length or sys.maxsize):
        raise RequestEntityTooLarge
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.", details=[{"field": "", "problem": "must be a JSON object"}])
    return _validated(model, value)


def read_query(model: type[M], request: Request) -> M:
    """Read the query string as `model`; an empty value counts as absent.

    Raises:
        Invalid: a name is unknown or repeated, or a value is wrong.
    """
    return read_fields(model, request.args)


def read_fields(model: type[M], fields: MultiDict[str, str]) -> M:
    """Read named texts, of a query or a form, as `model`; see `read_query`."""
    pairs = list(fields.items(multi=True))
    values = {name: value for name, value in pairs if value}
    repeated = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs[:_MOST_PROBLEMS]) > 1})
    if repeated:
        raise _invalid([{"field": name[:_LONGEST_FIELD], "problem": "is given more than once"} for name in repeated])
    return _validated(model, values)


def validated(adapter: TypeAdapter[Any], value: Any, field: str) -> Any:
    """Check one value that stands alone, such as a part of a path; raise `Invalid` where it is wrong."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _invalid([{**problem, "field": field} for problem in _problems(error)]) from None


def parse_json(raw: bytes) -> Any:
    """Parse JSON as its standard has it: UTF-8, no NaN or Infinity, no name twice in an object, no endless nesting.

    Raises:
        Invalid: it is anything else.
    """
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_object)
    except UnicodeDecodeError:
        problem = "is not valid UTF-8"
    except RecursionError:
        problem = "is nested too deeply"
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        # Python's own limit on the digits of a number, or one of ours.
        problem = str(error) if isinstance(error, _Refused) else "holds a number with too many digits"
    raise Invalid(f"The body {problem}.", details=[{"field": "", "problem": problem}])


class _Refused(ValueError):
    """A part of JSON text that Python takes and we do not."""


def _refuse_constant(name: str) -> Any:
    raise _Refused(f"holds {name}, which is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("names the same field twice in one object")
    return found


def _validated(model: type[M], value: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _invalid(_problems(error)) from None


def _problems(error: ValidationError) -> list[dict[str, str]]:
    found = error.errors(include_url=False, include_input=False)[:_MOST_PROBLEMS]
    return [{"field": _field(one["loc"]), "problem": _sentence(one["type"], one["msg"], one.get("ctx", {}))}
            for one in found]


def _field(location: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in location)[:_LONGEST_FIELD]


def _sentence(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    known = _SENTENCES.get(kind)
    # A length that is checked after other rules is told by pydantic as if text were a list.
    unit = "characters" if context.get("field_type") == "Value" else "items"
    if context.get("min_length") == 1:
        return "must not be empty"
    return known.format(unit=unit, **context) if known else message


def _invalid(problems: list[dict[str, str]]) -> Invalid:
    first = problems[0]
    named = f"{first['field']} {first['problem']}" if first["field"] else first["problem"]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Invalid(f"The request is not valid: {named}{more}.", details=problems)
