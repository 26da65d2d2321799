"""Modules that cost a start more than all of ours, and that many processes never use: imported when first asked."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_names: list[str] = []


class Later:
    """Stands for the module `name`, which is imported when something of it is first asked for.

    Not `importlib.util.LazyLoader`: a second thread that asks while the first one imports gets a module half done.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        _names.append(name)

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(import_module(self._name), attribute)
        setattr(self, attribute, found)  # so that the next one who asks pays nothing
        return found


def import_all() -> None:
    """Import now whatever is `Later`, in a process that will use it and should not make its first user wait."""
    for name in _names:
        import_module(name)
