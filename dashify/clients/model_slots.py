"""Slots of model hosts and the waiting line before them, in Redis, so that all processes of the fleet share both.

A slot is a lease that runs out when its holder stops renewing it; a place in the line runs out when its waiter stops
asking. The line goes by rounds (start-time fair queueing): a ticket's round is one more than that of its tenant's last
waiting ticket, or than the round being served. So tenants alternate, whoever has more waiting, each one's own stay in
order, and a place moves back only for a tenant that has fewer waiting. While Redis is away each process keeps to the
same caps and the same rule by itself (`model_line`).
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import redis

from dashify import metrics
from dashify.clients.model_line import Asked, Line, Ticket
from dashify.domain.names import model_keys
from dashify.errors import Unavailable
from dashify.gate import RedisGate

log = logging.getLogger(__name__)

LEASE_SECONDS = 8.0
RENEW_SECONDS = 2.0
# Longer than the longest time between two questions of one waiter.
WAITER_SECONDS = 5.0

# Keys: line (who, by round and number), entries (what they want), alive (until when), clock (round, last number).
# Arguments: ticket, tenant, most waiting, seconds of a place, lease, seconds of a lease, prefix of the slots' keys,
# round and number that the ticket had before, hosts that may serve it; then for each host its key and its slots.
_ASK = """
local line, entries, alive, clock = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ticket, tenant, most, lease, slots, hosts = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[5], ARGV[7], ARGV[10]
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function read(id)
  return string.match(redis.call('HGET', entries, id) or '', '^(.-)\\n(.-)\\n(.*)$')
end
local function drop(id)
  local _, member = read(id)
  if member then redis.call('ZREM', line, member) end
  redis.call('HDEL', entries, id)
  redis.call('ZREM', alive, id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now, 'LIMIT', 0, 500)) do drop(id) end

local served = tonumber(redis.call('HGET', clock, 'round') or '0')
local _, member = read(ticket)
local round, full = tonumber(ARGV[8]), false
if member then
  round = tonumber(redis.call('ZSCORE', line, member))
else
  local number, size, mine = tonumber(ARGV[9]), redis.call('ZCARD', line), 0
  if round then -- its place was lost: it goes back there, and whoever is new does not pass it
    if size == 0 and served < round - 1 then
      served = round - 1
      redis.call('HSET', clock, 'round', served)
    end
  else
    round = served
    for _, entry in ipairs(redis.call('HVALS', entries)) do
      local whose, other = string.match(entry, '^(.-)\\n(.-)\\n')
      if whose == tenant then
        mine = mine + 1
        round = math.max(round, tonumber(redis.call('ZSCORE', line, other) or '0'))
      end
    end
    round = round + 1
    number = redis.call('HINCRBY', clock, 'number', 1)
    full = size >= most or (mine > 0 and size >= most - math.floor(most / 5))
  end
  member = string.format('%016d', number)..':'..ticket
  redis.call('ZADD', line, round, member)
end
redis.call('HSET', entries, ticket, tenant..'\\n'..member..'\\n'..hosts)
redis.call('ZADD', alive, now + ARGV[4], ticket)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 3600) end

local free = {}
for i = 11, #ARGV, 2 do
  redis.call('ZREMRANGEBYSCORE', slots..ARGV[i], '-inf', now)
  free[ARGV[i]] = {left = ARGV[i + 1] - redis.call('ZCARD', slots..ARGV[i]), of = tonumber(ARGV[i + 1])}
end
local function choose(names)
  local best
  for name in string.gmatch(names, '[^,]+') do
    local one = free[name]
    if one and one.left > 0 and (not best or one.left / one.of > free[best].left / free[best].of) then best = name end
  end
  return best
end
local rank = redis.call('ZRANK', line, member)
local chosen = choose(hosts)
if chosen and rank > 0 then
  for _, other in ipairs(redis.call('ZRANGE', line, 0, rank - 1)) do
    local _, _, theirs = read(string.sub(other, 18))
    local taken = choose(theirs or '')
    if taken then free[taken].left = free[taken].left - 1 end
  end
  chosen = choose(hosts)
end
if chosen then
  redis.call('ZADD', slots..chosen, now + ARGV[6], lease)
  redis.call('EXPIRE', slots..chosen, 60)
  drop(ticket)
  redis.call('HSET', clock, 'round', math.max(served, round))
  return {chosen, 0, round, tonumber(string.sub(member, 1, 16))}
end
if full then drop(ticket) end
return {'', full and 0 or rank + 1, round, tonumber(string.sub(member, 1, 16))}
"""
# Keys as above. Argument: the ticket.
_LEAVE = """
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if entry then redis.call('ZREM', KEYS[1], string.match(entry, '^.-\\n(.-)\\n')) end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
"""
# Keys: the slots of a host for each lease. Arguments: seconds, the leases. One that ran out is taken again, since its
# host does compute for it.
_RENEW = """
local time = redis.call('TIME')
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, time[1] + time[2] / 1000000 + ARGV[1], ARGV[i + 1])
  redis.call('EXPIRE', key, 60)
end
return #KEYS
"""
_KEYS = [model_keys(part) for part in ("line", "entries", "alive", "clock")]
_SLOTS = model_keys("slots:")


class Slots:
    """This process's part in the line and its leases. `caps`: the slots of each host, by its key."""

    def __init__(self, gate: RedisGate, caps: Mapping[str, int], most_waiting: int, names: Mapping[str, str]) -> None:
        self._gate, self._caps, self._most, self._names = gate, dict(caps), most_waiting, names
        self._alone = Line(caps, most_waiting)
        for host, cap in caps.items():
            metrics.model_slots.labels(names[host]).set(cap)
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}
        self._keeping = False

    def ask(self, ticket: Ticket, hosts: Sequence[str]) -> Asked:
        """Take a slot at one of `hosts` (keys) for `ticket` if it is its turn, else stand in the line.

        To be asked again every 2 s at least, until a slot is there or `leave` is called.
        """
        lease = secrets.token_hex(8)
        try:
            asked = self._ask_redis(ticket, hosts, lease)
            self._alone.leave(ticket.id)
        except (Unavailable, redis.RedisError):
            with self._lock:
                asked = self._alone.ask(ticket, hosts, Counter(self._held.values()), lease)
                if asked.host:
                    self._held[lease] = asked.host
        if asked.host:
            self._hold(lease, asked.host)
        return asked

    def leave(self, ticket: Ticket) -> None:
        """Give up the ticket's place in the line."""
        self._alone.leave(ticket.id)
        self._try(_LEAVE, _KEYS, [ticket.id])

    def release(self, lease: str) -> None:
        """Give a slot back."""
        with self._lock:
            host = self._held.pop(lease, None)
        if host is None:
            return
        metrics.model_slots_used.labels(self._names[host]).dec()
        self._try("return redis.call('ZREM', KEYS[1], ARGV[1])", [_SLOTS + host], [lease])

    def close(self) -> None:
        """Give every slot back, so that others need not wait until this process's leases have run out."""
        for lease in list(self._held):
            self.release(lease)

    def _ask_redis(self, ticket: Ticket, hosts: Sequence[str], lease: str) -> Asked:
        before: list[Any] = ["", ""] if ticket.round is None else [ticket.round, ticket.number]
        caps = [value for pair in self._caps.items() for value in pair]
        host, position, ticket.round, ticket.number = self._run(_ASK, _KEYS, [
            ticket.id, ticket.tenant_id, self._most, WAITER_SECONDS, lease, LEASE_SECONDS, _SLOTS, *before,
            ",".join(hosts), *caps])
        if not host and not position:
            ticket.round = None
        return Asked(host or None, lease if host else "", int(position))

    def _hold(self, lease: str, host: str) -> None:
        with self._lock:
            self._held[lease] = host
            begin, self._keeping = not self._keeping, True
        metrics.model_slots_used.labels(self._names[host]).inc()
        if begin:
            threading.Thread(target=self._keep, name="model-slots", daemon=True).start()

    def _keep(self) -> None:
        while True:
            time.sleep(RENEW_SECONDS)
            with self._lock:
                held = list(self._held.items())
                self._keeping = bool(held)
            if not held:
                return
            self._try(_RENEW, [_SLOTS + host for _, host in held], [LEASE_SECONDS, *(lease for lease, _ in held)])
            with self._lock:
                gone = [(lease, host) for lease, host in held if lease not in self._held]
            for lease, host in gone:
                # Released while it was renewed.
                self._try("return redis.call('ZREM', KEYS[1], ARGV[1])", [_SLOTS + host], [lease])

    def _try(self, text: str, keys: Sequence[str], args: Sequence[Any]) -> None:
        try:
            self._run(text, keys, args)
        except (Unavailable, redis.RedisError):
            # What stays behind runs out by itself.
            log.debug("Redis is away: a change of the model hosts' line is left out")

    def _run(self, text: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        return self._gate.run(lambda client: cast(Any, client).register_script(text)(keys=keys, args=args))
