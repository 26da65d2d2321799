"""Logs: one JSON line an event on stderr, carrying the request, user and tenant it belongs to.

Never log a secret: no cookie, token, password, message text or mail body passes through here.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_scope: ContextVar[dict[str, Any] | None] = ContextVar("dashify_log_scope", default=None)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON: time, level, logger, message, the scope's ids, and `extra` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line break inside."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_scope.get() or {}),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(level: str, **constant: str) -> None:
    """Send every logger's records to stderr as JSON lines, each carrying `constant` (such as `instance`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    _scope.set(dict(constant))
    # These say on every frame or command what our own lines say once.
    for chatty in ("engineio", "socketio", "werkzeug", "rq", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


@contextmanager
def scope(**fields: Any) -> Iterator[None]:
    """Add `fields` (such as `request_id`, `user_id`, `tenant_id`) to every line logged inside the block."""
    token = _scope.set({**(_scope.get() or {}), **fields})
    try:
        yield
    finally:
        _scope.reset(token)


def add_to_scope(**fields: Any) -> None:
    """Add `fields` to the lines of the innermost scope from now on."""
    _scope.set({**(_scope.get() or {}), **fields})


def current(field: str) -> Any:
    """Give the value that `field` has in the present scope, or None."""
    return (_scope.get() or {}).get(field)
