"""One queue's data in Redis, in RQ 3.0's own keys, moved by Lua so that at no instant a job is in no list.

Waiting: RQ's list. Running: its registry of started jobs (scored +inf, so that RQ's own cleaning leaves them alone: our
leases are in MongoDB), an execution, and the worker's index of executions. Due later: its registry of scheduled jobs.
Dead: its registry of failed jobs. Done: gone, since the row in MongoDB is what is kept. RQ's classes, `rq info` and
dashboards read all of it; a test holds that.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

import redis
from rq.defaults import RQ_KEY_PREFIX

from dashify.domain.jobs import KEPT_DAYS, Delivery, Queue

RUN = "dashify.jobs.runner.run"
FAILURE_SECONDS = KEPT_DAYS * 24 * 3600
_BATCH = 500
_PIECE = 5_000

_PARTS = """
local queue, now = ARGV[1], ARGV[2]
local list, wip = 'rq:queue:'..queue, 'rq:wip:'..queue
local scheduled, failed = 'rq:scheduled:'..queue, 'rq:failed:'..queue
local function leave(id, execution)
  local member = id..':'..execution
  if redis.call('ZREM', wip, member) == 0 then return false end
  local worker = redis.call('HGET', 'rq:execution:'..member, 'worker_name')
  redis.call('DEL', 'rq:execution:'..member)
  redis.call('ZREM', 'rq:executions:'..id, execution)
  if worker then redis.call('SREM', 'rq:worker:'..worker..':executions', member) end
  return true
end
local function wait(id, front)
  redis.call('HSET', 'rq:job:'..id, 'status', 'queued', 'enqueued_at', now, 'started_at', '', 'worker_name', '')
  redis.call(front and 'LPUSH' or 'RPUSH', list, id)
end
local function delay(id, due)
  redis.call('HSET', 'rq:job:'..id, 'status', 'scheduled', 'started_at', '', 'worker_name', '')
  redis.call('ZADD', scheduled, due, id)
end
"""
# For each job: id, '1' for the front, the second it is due or ''.
_ENQUEUE = _PARTS + """
redis.call('SADD', 'rq:queues', list)
local function held(id, status)
  if status == 'queued' then return redis.call('LPOS', list, id) end
  if status == 'scheduled' then return redis.call('ZSCORE', scheduled, id) end
  if status ~= 'started' then return false end
  for _, execution in ipairs(redis.call('ZRANGE', 'rq:executions:'..id, 0, -1)) do
    if redis.call('ZSCORE', wip, id..':'..execution) then return true end
  end
  return false
end
local added = 0
for i = 5, #ARGV, 3 do
  local id, key = ARGV[i], 'rq:job:'..ARGV[i]
  local status = redis.call('HGET', key, 'status')
  if not (status and held(id, status)) then
    if status then
      redis.call('ZREM', failed, id)
      redis.call('PERSIST', key)
      redis.call('HDEL', key, 'exc_info')
    end
    redis.call('HSET', key, 'created_at', now, 'origin', queue, 'description', queue..' job '..id, 'timeout', '-1',
      'data', '["'..ARGV[3]..'",null,["'..id..'"],{}]', 'result_ttl', '0', 'failure_ttl', ARGV[4], 'ended_at', '',
      'front', ARGV[i + 1])
    if ARGV[i + 2] == '' then wait(id, ARGV[i + 1] == '1') else delay(id, ARGV[i + 2]) end
    added = added + 1
  end
end
return added
"""
# Then: seconds, the worker's name, one execution id for each job wanted.
_CLAIM = _PARTS + """
local claimed = {}
for i = 5, #ARGV do
  local id
  repeat
    id = redis.call('LPOP', list)
  until not id or redis.call('HGET', 'rq:job:'..id, 'status') == 'queued'
  if not id then break end
  local execution = ARGV[i]
  local member = id..':'..execution
  redis.call('HSET', 'rq:job:'..id, 'status', 'started', 'started_at', now, 'last_heartbeat', now,
    'worker_name', ARGV[4])
  redis.call('HSET', 'rq:execution:'..member, 'id', execution, 'job_id', id, 'created_at', ARGV[3],
    'last_heartbeat', ARGV[3], 'worker_name', ARGV[4])
  redis.call('ZADD', 'rq:executions:'..id, '+inf', execution)
  redis.call('ZADD', wip, '+inf', member)
  redis.call('SADD', 'rq:worker:'..ARGV[4]..':executions', member)
  claimed[#claimed + 1] = id
  claimed[#claimed + 1] = execution
end
return claimed
"""
# Then: the worker's name, seconds, how long failures are kept. For each job: id, execution, place, a detail.
_SETTLE = _PARTS + """
local worker, fine, bad = 'rq:worker:'..ARGV[3], 0, 0
for i = 6, #ARGV, 4 do
  local id, place, detail = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  if leave(id, ARGV[i + 1]) then
    local key = 'rq:job:'..id
    if redis.call('EXISTS', 'rq:executions:'..id) == 1 then
      bad = bad + 1 -- somebody else holds it too, after Redis lost something: the job stays theirs
    elseif place == 'gone' then
      fine = fine + 1
      redis.call('DEL', key)
    elseif place == 'front' or place == 'back' then
      wait(id, place == 'front')
    elseif place == 'later' then
      bad = bad + 1
      delay(id, detail)
    else
      bad = bad + 1
      redis.call('HSET', key, 'status', 'failed', 'ended_at', now, 'exc_info', detail)
      redis.call('ZADD', failed, ARGV[4] + ARGV[5], id)
      redis.call('EXPIRE', key, ARGV[5])
    end
  end
end
if redis.call('EXISTS', worker) == 1 then
  redis.call('HINCRBY', worker, 'successful_job_count', fine)
  redis.call('HINCRBY', worker, 'failed_job_count', bad)
end
return fine + bad
"""
# Then: seconds. Jobs that were put into the queue by their time alone keep the order of their times.
_PROMOTE = _PARTS + """
local due = redis.call('ZRANGEBYSCORE', scheduled, '-inf', ARGV[3], 'LIMIT', 0, 500)
for _, id in ipairs(due) do
  redis.call('ZREM', scheduled, id)
  local front = redis.call('HGET', 'rq:job:'..id, 'front')
  if front then wait(id, front == '1') end
end
return #due
"""
# For each job: id.
_WITHDRAW = _PARTS + """
for i = 3, #ARGV do
  local id = ARGV[i]
  local status = redis.call('HGET', 'rq:job:'..id, 'status')
  if status == 'queued' then redis.call('LREM', list, 0, id) end
  redis.call('ZREM', scheduled, id)
  redis.call('ZREM', failed, id)
  if status and status ~= 'started' then redis.call('DEL', 'rq:job:'..id, 'rq:executions:'..id) end
end
return #ARGV - 2
"""


class Place(StrEnum):
    """Where a job goes when a worker lets go of it: nowhere, back to its queue, until its time, or to the dead."""

    GONE = "gone"
    FRONT = "front"
    BACK = "back"
    LATER = "later"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker holds. `execution` fences: whoever finds it gone holds the job no more."""

    job_id: str
    execution: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a claim. `due` (for `LATER`) in seconds since 1970; `code` (for `FAILED`) is an error's code."""

    claim: Claim
    place: Place
    due: float = 0.0
    code: str = ""


class RqLists:
    """One queue. `client` must not decode answers; what it raises is redis-py's."""

    def __init__(self, client: redis.Redis, queue: Queue) -> None:
        self._client = client
        self._queue = queue.value
        self._list = f"{RQ_KEY_PREFIX}:queue:{queue.value}"
        self._wip = f"{RQ_KEY_PREFIX}:wip:{queue.value}"
        self._scheduled = f"{RQ_KEY_PREFIX}:scheduled:{queue.value}"
        self._scripts: dict[str, Any] = {}

    def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        """Put jobs into the queue, those that it does not hold already; give how many those were."""
        added = 0
        for start in range(0, len(deliveries), _BATCH):
            args: list[Any] = [RUN, FAILURE_SECONDS]
            for one in deliveries[start:start + _BATCH]:
                due = "" if one.due_at is None else f"{one.due_at.timestamp():.3f}"
                args += [one.job_id, "1" if one.front else "", due]
            added += self._run(_ENQUEUE, args)
        return added

    def claim(self, count: int, worker: str) -> list[Claim]:
        """Take up to `count` jobs from the front for `worker`."""
        executions = [uuid.uuid4().hex for _ in range(count)]
        found = cast("list[bytes]", self._run(_CLAIM, [f"{time.time():.3f}", worker, *executions]))
        texts = [one.decode() for one in found]
        return [Claim(*pair) for pair in zip(texts[::2], texts[1::2], strict=True)]

    def settle(self, worker: str, settlements: Sequence[Settlement]) -> int:
        """Let go of claims, those that still hold; give how many ended. `worker` gets the credit in RQ's statistics."""
        ended = 0
        for start in range(0, len(settlements), _BATCH):
            args: list[Any] = [worker, f"{time.time():.3f}", FAILURE_SECONDS]
            for one in settlements[start:start + _BATCH]:
                detail = f"{one.due:.3f}" if one.place is Place.LATER else one.code
                args += [one.claim.job_id, one.claim.execution, one.place.value, detail]
            ended += self._run(_SETTLE, args)
        return ended

    def promote(self) -> int:
        """Move the jobs whose time has come into the queue, at most 500; give their number."""
        return int(self._run(_PROMOTE, [f"{time.time():.3f}"]))

    def withdraw(self, job_ids: Sequence[str]) -> None:
        """Take jobs that are over out of every list; one that runs is let go of by its worker."""
        for start in range(0, len(job_ids), _BATCH):
            self._run(_WITHDRAW, job_ids[start:start + _BATCH])

    def wait(self, seconds: float) -> bool:
        """Wait until a job waits in the queue, without taking it; tell whether one does."""
        # Moving the first element to where it stands is the one blocking command that leaves the list as it was.
        return self._client.blmove(self._list, self._list, int(seconds), "LEFT", "LEFT") is not None

    def depth(self) -> int:
        """Count what waits in the queue."""
        return self._client.llen(self._list)

    def list_held(self) -> set[str]:
        """List the ids of all jobs that wait, run or have a time to come, in the order in which jobs pass through."""
        found = {one.decode() for one in cast("list[bytes]", self._client.zrange(self._scheduled, 0, -1))}
        start = 0
        while piece := cast("list[bytes]", self._client.lrange(self._list, start, start + _PIECE - 1)):
            found.update(one.decode() for one in piece)
            start += _PIECE
        return found | {claim.job_id for claim in self.list_claims()}

    def list_claims(self) -> list[Claim]:
        """List what workers hold."""
        members = cast("list[bytes]", self._client.zrange(self._wip, 0, -1))
        pairs = (member.decode().partition(":") for member in members)
        return [Claim(job_id, execution) for job_id, _, execution in pairs]

    def list_holders(self, claims: Iterable[Claim]) -> dict[Claim, str]:
        """Give the worker that holds each claim; empty where nobody knows."""
        listed = list(claims)
        with self._client.pipeline(transaction=False) as pipe:
            for one in listed:
                pipe.hget(f"{RQ_KEY_PREFIX}:execution:{one.job_id}:{one.execution}", "worker_name")
            names = pipe.execute() if listed else []
        return {one: (name or b"").decode() for one, name in zip(listed, names, strict=True)}

    def _run(self, text: str, args: Sequence[Any]) -> Any:
        if text not in self._scripts:
            self._scripts[text] = self._client.register_script(text.replace("'rq:", f"'{RQ_KEY_PREFIX}:"))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return self._scripts[text](args=[self._queue, now, *args])
