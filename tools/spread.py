"""A pytest plugin that spreads tests over two workers: a file stays on one, and what loads the machine runs one by one.

A file's servers start once that way, and no test of how fast the product recovers runs beside another such test.
"""

from __future__ import annotations

import pytest

ONE_BY_ONE = "tests/system/"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test's group, and put the longest group first, so that the other worker does the rest meanwhile."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group("one by one" if file.startswith(ONE_BY_ONE) else file))
    items.sort(key=lambda item: not item.nodeid.startswith(ONE_BY_ONE))
