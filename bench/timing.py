"""How long things take."""

from __future__ import annotations

import time
from collections.abc import Callable


def rate(count: int, work: Callable[[], object]) -> float:
    """Do `work`, which does `count` things, and give how many that were a second."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)
