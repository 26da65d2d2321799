"""Sessions: in Redis for speed, mirrored in MongoDB, which decides. Above tenants: a cookie names nobody's tenant.

The order that makes a revocation hold: MongoDB first, then Redis, then the control channel, then the answer. Nothing
here writes a session back: a touch is `EXPIRE`, creation and rebuilding are `SET NX`, and a rebuild is refused while
the tombstone that a revocation leaves is there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import redis
from pymongo.client_session import ClientSession
from pymongo.database import Database

from dashify.domain import names
from dashify.gate import RedisGate
from dashify.stores.mongo import Document, in_parts, translated
from dashify.stores.tenant import TenantCollection

TOUCH_SECONDS = 60
_TOMBSTONE_SECONDS = 60

_READ = """
local value = redis.call('GET', KEYS[1])
if not value then return {false, false, 0} end
local epoch = 'dashify:epoch:' .. cjson.decode(value)['user_id']
local touched = 0
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[1]) - tonumber(ARGV[2]) then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
  redis.call('EXPIRE', epoch, ARGV[1])
  touched = 1
end
return {value, redis.call('GET', epoch), touched}
"""
_PUT = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2])
return 1
"""
_REPLACE = """
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1', 'EX', ARGV[3])
if redis.call('EXISTS', KEYS[4]) == 0 then redis.call('SET', KEYS[3], ARGV[1], 'NX', 'EX', ARGV[2]) end
return 1
"""
_RAISE_EPOCH = """
local held = redis.call('GET', KEYS[1])
local version = tonumber(string.match(ARGV[1], ':(%d+)$'))
if held and tonumber(string.match(held, ':(%d+)$')) >= version then return held end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
"""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What a session holds: identity only. `id` is the public handle, `created_at` in seconds since 1970."""

    id: str
    user_id: str
    tenant_id: str
    epoch: int
    created_at: float


@dataclass(frozen=True, slots=True)
class SessionRead:
    """One look at a session: its record, the user's `(session_epoch, version)` where Redis knows it, and whether
    this look extended (in MongoDB: should extend) its life."""

    record: SessionRecord
    epoch: tuple[int, int] | None
    touched: bool


class Sessions:
    """Every session of the installation. `key_hash` is always the SHA-256 of the cookie, in hex."""

    def __init__(self, gate: RedisGate, database: Database[Document], seconds: int) -> None:
        self._gate = gate
        self._mirror = database["sessions"]
        self._seconds = seconds

    def read(self, key_hash: str) -> SessionRead | None:
        """Look a session up in Redis, in one round trip, touching it at most once a minute.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        answer = self._script(_READ, [names.session_key(key_hash)], [self._seconds, TOUCH_SECONDS])
        if not answer[0]:
            return None
        record = SessionRecord(**json.loads(answer[0]))
        return SessionRead(record, parse_epoch(answer[1]), bool(answer[2]))

    def find_mirrored(self, key_hash: str, now: datetime) -> SessionRead | None:
        """Look a live session up in MongoDB: the way while Redis is away or has lost it. Due for a touch: `touched`."""
        alive_since = now - timedelta(seconds=self._seconds + TOUCH_SECONDS)
        with translated():
            row = self._mirror.find_one({"key_hash": key_hash, "revoked_at": None, "seen_at": {"$gt": alive_since}})
        if row is None:
            return None
        return SessionRead(record_of(row), None, row["seen_at"] < now - timedelta(seconds=TOUCH_SECONDS))

    def ensure_reachable(self) -> None:
        """Make sure that Redis can take a session, before one is begun.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        self._gate.run(lambda client: client.ping())

    def add(self, record: SessionRecord, key_hash: str, about: Document, now: datetime, tx: ClientSession) -> None:
        """Create a session in the mirror, for `put` after the commit; `about`: `device`, `address` and `expires_at`."""
        with translated():
            self._mirror.insert_one({
                "_id": record.id, "key_hash": key_hash, "user_id": record.user_id, "tenant_id": record.tenant_id,
                "epoch": record.epoch, "created_at": now, "seen_at": now, "revoked_at": None, **about}, session=tx)

    def put(self, record: SessionRecord, key_hash: str) -> None:
        """Put a new session, or one that Redis lost, into Redis, unless it was revoked in the last minute.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        self._script(_PUT, [names.session_key(key_hash), _tombstone(key_hash)], [_encode(record), self._seconds])

    def replace(self, record: SessionRecord, old_hash: str, new_hash: str) -> bool:
        """Give a session a new cookie and record; tell whether the old one was still there (else nothing happens).

        Raises:
            Unavailable: one of the stores is away.
        """
        with translated():
            moved = self._mirror.update_one({"_id": record.id, "key_hash": old_hash, "revoked_at": None},
                                            {"$set": {"key_hash": new_hash, "epoch": record.epoch}})
        if moved.matched_count == 0:
            return False
        keys = [names.session_key(old_hash), _tombstone(old_hash), names.session_key(new_hash), _tombstone(new_hash)]
        self._script(_REPLACE, keys, [_encode(record), self._seconds, _TOMBSTONE_SECONDS])
        return True

    def mark_seen(self, session_id: str, now: datetime) -> None:
        """Record in the mirror that a session was used; at most once a minute is enough."""
        with translated():
            self._mirror.update_one({"_id": session_id, "seen_at": {"$lt": now - timedelta(seconds=TOUCH_SECONDS / 2)}},
                                    {"$set": {"seen_at": now}})

    def drop(self, key_hashes: list[str]) -> None:
        """Take sessions out of Redis, leaving a tombstone each. MongoDB must say revoked already.

        Raises:
            Unavailable: `redis_unavailable`; some may still be there.
        """
        def work(client: redis.Redis) -> None:
            with client.pipeline(transaction=True) as pipe:
                for key_hash in key_hashes:
                    pipe.set(_tombstone(key_hash), "1", ex=_TOMBSTONE_SECONDS)
                    pipe.delete(names.session_key(key_hash))
                pipe.execute()

        if key_hashes:
            self._gate.run(work)

    def raise_epoch(self, user_id: str, epoch: tuple[int, int]) -> tuple[int, int]:
        """Tell Redis a user's `(session_epoch, version)` unless it knows a later one; give the later.

        Raises:
            Unavailable: `redis_unavailable`.
        """
        value = f"{epoch[0]}:{epoch[1]}"
        held = self._script(_RAISE_EPOCH, [names.epoch_key(user_id)], [value, self._seconds + TOUCH_SECONDS])
        return parse_epoch(held) or epoch

    def revoke_all(self, now: datetime) -> None:
        """Mark every session as revoked. Instances that run hear of it as of any revocation, by looking."""
        with translated():
            in_parts(self._mirror, {"revoked_at": None},
                     lambda part, tx: self._mirror.update_many(part, {"$set": {"revoked_at": now}}, session=tx))

    def list_revoked(self, since: datetime) -> list[str]:
        """List the handles of every session revoked after `since`."""
        # With the type in it MongoDB sees that the index, which has no others, holds whatever this may find.
        where = {"revoked_at": {"$gte": since, "$type": "date"}}
        with translated():
            return [row["_id"] for row in self._mirror.find(where, {"_id": 1})]

    def remove_ended(self, now: datetime) -> int:
        """Forget the mirror rows of sessions that ended over a day ago, by disuse or revocation; give their number.

        Every instance holds revocations for 8 h by the mirror, so nothing that is forgotten here is still asked for.
        """
        day_ago = now - timedelta(days=1)
        unused = {"seen_at": {"$lt": day_ago - timedelta(seconds=self._seconds)}}
        with translated():
            return in_parts(self._mirror, {"$or": [unused, {"revoked_at": {"$lt": day_ago}}]},
                            lambda part, tx: self._mirror.delete_many(part, session=tx))

    def list_live(self, session_ids: list[str], now: datetime) -> dict[str, int]:
        """Give `{handle: epoch}` of those of `session_ids` that are neither revoked nor expired."""
        alive_since = now - timedelta(seconds=self._seconds + TOUCH_SECONDS)
        where = {"_id": {"$in": session_ids}, "revoked_at": None, "seen_at": {"$gt": alive_since},
                 "expires_at": {"$gt": now}}
        with translated():
            return {row["_id"]: row["epoch"] for row in self._mirror.find(where, {"epoch": 1})}

    def _script(self, text: str, keys: list[str], args: list[Any]) -> Any:
        return self._gate.run(lambda client: cast(Any, client.register_script(text))(keys=keys, args=args))


class OwnSessions:
    """The sessions of one tenant's people, as they see and revoke them."""

    def __init__(self, sessions: TenantCollection) -> None:
        self._sessions = sessions

    def list_of(self, user_id: str, *, alive_since: datetime, limit: int = 200) -> list[Document]:
        """List a person's live sessions, last used first."""
        return self._sessions.find({"user_id": user_id, "revoked_at": None, "seen_at": {"$gt": alive_since}},
                                   sort=[("seen_at", -1)], limit=limit)

    def last_seen(self, user_ids: list[str]) -> dict[str, datetime]:
        """Give when each of `user_ids` was last here, as far as their sessions, which are kept for a while, tell."""
        rows = self._sessions.aggregate([{"$match": {"user_id": {"$in": user_ids}}},
                                         {"$group": {"_id": "$user_id", "seen_at": {"$max": "$seen_at"}}}])
        return {row["_id"]: row["seen_at"] for row in rows}

    def revoke(self, user_id: str, *, now: datetime, only: str | None = None, but: str | None = None) -> list[Document]:
        """Mark a person's sessions as revoked (one, or all, or all but one); give the rows, also of those that were
        revoked before, so that a revocation that stopped half way can be repeated."""
        where: Document = {"user_id": user_id}
        if only is not None:
            where["_id"] = only
        elif but is not None:
            where["_id"] = {"$ne": but}
        self._sessions.update({**where, "revoked_at": None}, {"$set": {"revoked_at": now}}, many=True)
        return self._sessions.find({**where, "revoked_at": {"$gte": now - timedelta(hours=8)}},
                                   fields=["_id", "key_hash", "device", "revoked_at"])


def record_of(row: Document) -> SessionRecord:
    """Make the record out of a mirror row."""
    return SessionRecord(row["_id"], row["user_id"], row["tenant_id"], row["epoch"], row["created_at"].timestamp())


def parse_epoch(value: str | None) -> tuple[int, int] | None:
    """Read `session_epoch:version`."""
    if not value:
        return None
    session_epoch, version = value.split(":")
    return int(session_epoch), int(version)


def _encode(record: SessionRecord) -> str:
    return json.dumps(asdict(record))


def _tombstone(key_hash: str) -> str:
    return f"dashify:revoked:{key_hash}"
