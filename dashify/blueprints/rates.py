"""How often one person calls this instance. In memory: it protects this process, and must cost no round trip."""

from __future__ import annotations

import time
from collections import Counter

from dashify.errors import RateLimited


class Rates:
    """Counts calls in the present second. The counters of a second that has passed are forgotten at once."""

    def __init__(self) -> None:
        self._second = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    def take(self, kind: str, subject: str, limit: int) -> None:
        """Count one call, or raise `RateLimited` where the second holds `limit` of them already."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._counts = second, Counter()
        key = (kind, subject)
        if self._counts[key] >= limit:
            raise RateLimited("That was too much at once. Please wait a little.", retry_after=0.5)
        self._counts[key] += 1
