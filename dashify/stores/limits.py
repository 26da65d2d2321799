"""How often somebody did something, counted in Redis so that every instance counts together, and atomically."""

from __future__ import annotations

from typing import Any, cast

import redis

from dashify.domain.names import limit_key
from dashify.errors import RateLimited
from dashify.gate import RedisGate

# Takes one from each counter, or none when one of them is full. A counter begins its window with its first hit.
_TAKE = """
for i = 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or '0') >= tonumber(ARGV[2 * i - 1]) then
    return math.max(redis.call('TTL', KEYS[i]), 1)
  end
end
for i = 1, #KEYS do
  if redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[2 * i]) end
end
return 0
"""
_GIVE_BACK = """
for i = 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or '0') > 0 then redis.call('DECR', KEYS[i]) end
end
return 0
"""


class LimitStore:
    """Fixed-window counters. A counter is `(kind, subject, limit, window in seconds)`."""

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate

    def take(self, *counters: tuple[str, str, int, int]) -> None:
        """Count one towards every counter at once.

        Raises:
            RateLimited: one of them is full; none was counted.
            Unavailable: `redis_unavailable`.
        """
        keys = [limit_key(kind, subject) for kind, subject, _, _ in counters]
        wait = int(self._script(_TAKE, keys, [number for counter in counters for number in counter[2:]]))
        if wait:
            raise RateLimited("That was tried too often. Please wait a little.", retry_after=wait)

    def give_back(self, *counters: tuple[str, str, int, int]) -> None:
        """Take one back from every counter: what was counted turned out not to count."""
        self._script(_GIVE_BACK, [limit_key(kind, subject) for kind, subject, _, _ in counters], [])

    def count(self, kind: str, subject: str) -> int:
        """Give the present count of one counter."""
        return int(self._gate.run(lambda client: cast(Any, client).get(limit_key(kind, subject))) or 0)

    def clear(self, kind: str, subject: str) -> None:
        """Begin one counter anew."""
        self._gate.run(lambda client: client.delete(limit_key(kind, subject)))

    def _script(self, text: str, keys: list[str], args: list[Any]) -> Any:
        def work(client: redis.Redis) -> Any:
            return cast(Any, client.register_script(text))(keys=keys, args=args)

        return self._gate.run(work)
