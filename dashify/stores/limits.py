"""How often somebody did something, counted in Redis so that every instance counts together, and atomically."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
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
# An attempt may begin while failures and attempts under way stay below the limit together, so that a burst in parallel
# gets no more guesses than one after the other. -1: wait for an attempt under way to end.
_BEGIN = """
for i = 1, #KEYS, 2 do
  if tonumber(redis.call('GET', KEYS[i]) or '0') >= tonumber(ARGV[i]) then
    return math.max(redis.call('TTL', KEYS[i]), 1)
  end
end
for i = 1, #KEYS, 2 do
  local under_way = tonumber(redis.call('GET', KEYS[i + 1]) or '0')
  if tonumber(redis.call('GET', KEYS[i]) or '0') + under_way >= tonumber(ARGV[i]) then return -1 end
end
for i = 1, #KEYS, 2 do
  redis.call('INCR', KEYS[i + 1])
  redis.call('EXPIRE', KEYS[i + 1], 10)
end
return 0
"""
_END = """
for i = 1, #KEYS, 2 do
  if tonumber(redis.call('GET', KEYS[i + 1]) or '0') > 0 then redis.call('DECR', KEYS[i + 1]) end
  if ARGV[#ARGV] == '1' and redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[i + 1]) end
end
return 0
"""
_LONGEST_WAIT = 5.0
_RETRY_SECONDS = 0.03


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

    @contextmanager
    def attempt(self, *counters: tuple[str, str, int, int]) -> Iterator[None]:
        """Let the block try something of which only failures count: an exception counts one towards every counter.

        Raises:
            RateLimited: too many failures, or too many attempts under way for 5 s.
            Unavailable: `redis_unavailable`.
        """
        keys = [key for kind, subject, _, _ in counters
                for key in (limit_key(kind, subject), limit_key(kind + "_under_way", subject))]
        args: list[Any] = [number for counter in counters for number in counter[2:]]
        deadline = time.monotonic() + _LONGEST_WAIT
        while (wait := int(self._script(_BEGIN, keys, args))) != 0:
            if wait > 0 or time.monotonic() > deadline:
                raise RateLimited("That was tried too often. Please wait a little.", retry_after=max(wait, 1))
            time.sleep(_RETRY_SECONDS)
        try:
            yield
        except Exception:
            self._script(_END, keys, [*args, 1])
            raise
        self._script(_END, keys, [*args, 0])

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
