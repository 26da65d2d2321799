"""The few kinds of failure that cross rooms. No HTTP here: each transport maps a kind to its own answer, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

# Of every kind of process whose release is too old for the database. gunicorn ends on a worker's 3; so should a unit.
EXIT_OUTDATED = 3


class DashifyError(Exception):
    """A failure that a caller may be told about.

    `code` is stable and for programs, `message` is one sentence for people, `details` is JSON-ready
    (for `Invalid`: a list of `{"field", "problem"}`).
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, details: Sequence[Any] | dict[str, Any] = ()) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.message = message
        self.details = details if isinstance(details, dict) else list(details)


class Invalid(DashifyError):
    """The input does not have the shape that was asked for."""

    default_code = "invalid"


class Unauthenticated(DashifyError):
    """Nobody is signed in, or the proof of it does not hold any more."""

    default_code = "unauthenticated"


class Forbidden(DashifyError):
    """Somebody is signed in, may see the thing, and may not do this with it."""

    default_code = "forbidden"


class NotFound(DashifyError):
    """There is no such thing for this caller: absent, malformed id, or another tenant's."""

    default_code = "not_found"


class Conflict(DashifyError):
    """The thing exists already, or was changed by somebody else."""

    default_code = "conflict"


class NotAllowedNow(DashifyError):
    """Well-formed, permitted in general, and against a rule in the present state."""

    default_code = "not_allowed"


class TooLarge(DashifyError):
    """The input is over its size limit."""

    default_code = "too_large"


class RateLimited(DashifyError):
    """Too often. `retry_after` is in whole seconds, at least 1."""

    default_code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = max(1, round(retry_after + 0.5))


class Unavailable(DashifyError):
    """Something this work needs is away. Trying again later may help; jobs retry on exactly this kind."""

    default_code = "unavailable"


class Outdated(DashifyError):
    """This release is older than the database allows; starting it again does not help, only a newer one does."""

    default_code = "release_outdated"


class SettingsError(DashifyError):
    """A setting is missing or wrong; the message names the variable and says what would be right."""

    default_code = "settings"
