"""A client of Redis that cannot write: for looking at RQ's lists without a way to change them."""

from __future__ import annotations

from typing import Any

import redis
from redis.client import Pipeline

from dashify.gate import RedisGate

_READING = frozenset({"EXISTS", "GET", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "INFO", "KEYS", "LLEN",
                      "LPOS", "LRANGE", "MGET", "PING", "SCAN", "SCARD", "SISMEMBER", "SMEMBERS", "TTL", "TYPE", "XLEN",
                      "XRANGE", "XREVRANGE", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZRANK", "ZREVRANGE",
                      "ZSCORE"})
# RQ takes out of its lists what it finds to be gone, also when it is only asked to read; that is left undone.
_TIDYING = frozenset({"SREM", "LREM", "ZREM"})


class WriteRefused(Exception):
    """Something wanted to write where only reading is allowed."""


class ReadOnlyPipeline(Pipeline):
    """A pipeline of reads."""

    def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Queue a reading command; leave one that tidies up out."""
        if not _reads(args):
            return self
        return super().execute_command(*args, **kwargs)  # type: ignore[no-untyped-call]  # redis-py has not typed it


class ReadOnlyRedis(redis.Redis):
    """Redis for reading. A command that is not known to read raises `WriteRefused` and is not sent."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a reading command; answer one that tidies up with 0, nothing was taken out."""
        if not _reads(args):
            return 0
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # the same

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Pipeline:
        """Give a pipeline that reads only."""
        return ReadOnlyPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


def connect_to_read(gate: RedisGate) -> ReadOnlyRedis:
    """Give a client of the gate's Redis that only reads and answers in bytes, as RQ wants them."""
    return ReadOnlyRedis(connection_pool=gate.client(decode=False, pool_size=4).connection_pool)


def _reads(args: tuple[Any, ...]) -> bool:
    """Tell a reading command (True) from one that tidies up (False).

    Raises:
        WriteRefused: it is neither.
    """
    command = str(args[0]).upper()
    if command in _READING or command in _TIDYING:
        return command in _READING
    raise WriteRefused(f"{command} is not a reading command")
