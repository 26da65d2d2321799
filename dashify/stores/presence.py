"""Who is connected, over all instances: a sorted set in Redis for each tenant, which forgets an instance that dies."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, cast

import redis

from dashify.domain.names import presence_key
from dashify.gate import RedisGate

LIFE_SECONDS = 25.0


class PresenceStore:
    """Marks of `user on instance`, each good for 25 s."""

    def __init__(self, gate: RedisGate, instance: str) -> None:
        self._gate = gate
        self._instance = instance

    def mark(self, tenant_id: str, user_ids: Iterable[str]) -> None:
        """Say that people are connected to this instance.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        expires = time.time() + LIFE_SECONDS
        marks = {self._member(user_id): expires for user_id in user_ids}
        key = presence_key(tenant_id)

        def work(client: redis.Redis) -> None:
            with client.pipeline(transaction=False) as pipe:
                pipe.zadd(key, cast(Any, marks))
                pipe.zremrangebyscore(key, "-inf", time.time())
                pipe.expire(key, int(LIFE_SECONDS * 2))
                pipe.execute()

        if marks:
            self._gate.run(work)

    def unmark(self, tenant_id: str, user_id: str) -> None:
        """Say that somebody is not connected to this instance any more."""
        self._gate.run(lambda client: client.zrem(presence_key(tenant_id), self._member(user_id)))

    def list_online(self, tenant_id: str) -> set[str]:
        """List who is connected anywhere."""
        def work(client: redis.Redis) -> list[str]:
            return cast(list[str], client.zrangebyscore(presence_key(tenant_id), time.time(), "+inf"))

        return {member.split("|", 1)[0] for member in self._gate.run(work)}

    def _member(self, user_id: str) -> str:
        return f"{user_id}|{self._instance}"
