"""A pytest plugin that spreads tests over workers: a file stays on one, and what loads the machine runs one by one.

A file's servers start once that way, and no test of how fast the product recovers runs beside another such test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

ONE_BY_ONE = "tests/system/"


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hand out whole files; xdist's own groups need a test's id to be assignable, which pytest 9.2 ended."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_BY_ONE if nodeid.startswith(ONE_BY_ONE) else nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Say how tests are shared out, whatever `--dist` says."""
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest group first, so that the others do the rest meanwhile."""
    items.sort(key=lambda item: not item.nodeid.startswith(ONE_BY_ONE))
