"""The pieces of answers in Redis, so that whoever comes back reads on without asking MongoDB for the whole answer.

A piece gets here after it is in MongoDB, under its index as the stream's own id: so Redis keeps each once, and one that
is missing shows. Nothing rests on it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import redis

from dashify.domain.answers import MAX_PIECES
from dashify.domain.names import token_log_key
from dashify.errors import Unavailable
from dashify.gate import RedisGate

_KEPT_SECONDS = 3_600


class TokenLog:
    """The streams of one tenant's answers."""

    def __init__(self, gate: RedisGate, tenant_id: str) -> None:
        self._gate = gate
        self._tenant_id = tenant_id

    def add(self, answer_id: str, index: int, text: str, cites: Sequence[int]) -> None:
        """Keep the piece number `index`, from 0; where Redis is away or has a later one, nothing happens."""
        key = token_log_key(self._tenant_id, answer_id)
        fields = {"piece": json.dumps({"text": text, "cites": list(cites)}, separators=(",", ":"))}

        def work(client: redis.Redis) -> None:
            with client.pipeline(transaction=False) as pipe:
                pipe.xadd(key, cast(Any, fields), id=f"1-{index + 1}", maxlen=MAX_PIECES, approximate=True)
                pipe.expire(key, _KEPT_SECONDS)
                pipe.execute(raise_on_error=False)

        try:
            self._gate.run(work)
        except Unavailable:
            return

    def read(self, answer_id: str, after: int, count: int) -> list[dict[str, Any]] | None:
        """Give the pieces after number `after` (-1 for all) up to the `count`th; None where any of them is not here."""
        if after + 1 >= count:
            return []
        key = token_log_key(self._tenant_id, answer_id)
        try:
            found = self._gate.run(lambda client: cast(Any, client).xrange(key, f"1-{after + 2}", f"1-{count}"))
        except Unavailable:
            return None
        indices = [int(entry.partition("-")[2]) - 1 for entry, _ in found]
        if indices != list(range(after + 1, count)):
            return None
        return [json.loads(fields["piece"]) for _, fields in found]
