"""Telling people: of a message that mentions them or answers them, and each morning of what they have not read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dashify.context import Platform
from dashify.domain.accounts import Role
from dashify.domain.chat import EVERYBODY
from dashify.domain.digests import catch_up_since, morning_of, morning_within, zone_of
from dashify.domain.jobs import Job
from dashify.domain.names import new_id
from dashify.domain.notifications import Candidate, kind_for
from dashify.errors import NotFound
from dashify.jobs.running import Run
from dashify.services.notifications import announce_new
from dashify.stores.store import Store
from dashify.units import Unit, UnitJobs

BATCH = 500
_JOBS_IN_A_UNIT = 100
Row = dict[str, Any]


def fan_out(platform: Platform, payload: Row, run: Run) -> None:
    """Write a notification for everybody whom a message mentions or answers and who may see it, 500 in a transaction.

    A row that is there already stays as it is, so that what an earlier run has written is not told again.
    """
    store = platform.store_of(run.tenant_id)
    try:
        message = store.messages.get(payload["message_id"])
    except NotFound:
        return
    fan = _Fan(platform, run.tenant_id, store, message, payload.get("mention_ids"))
    batch: list[str] = []
    for following in fan.batches():
        if batch:
            platform.unit(run.tenant_id, run.actor_id, partial(fan.tell, batch))
            run.check()
        batch = following
    run.finish(partial(fan.tell, batch))


class _Fan:
    """Whom one message concerns, and as what. `only` names those whom an edit has added."""

    def __init__(self, platform: Platform, tenant_id: str, store: Store, message: Row,
                 only: Sequence[str] | None) -> None:
        self._platform = platform
        self._tenant_id = tenant_id
        self._store = store
        self._message = message
        self._mention_ids = set(message["mention_ids"]) & set(message["mention_ids"] if only is None else only)
        self._participants: set[str] = set()
        if only is None and message["thread_id"] is not None:
            self._participants = store.messages.list_thread_authors(message["thread_id"], before=message["seq"])

    def batches(self) -> Iterator[list[str]]:
        """Give the ids of people to consider, up to 500 at a time; one id may come twice."""
        named = sorted((self._mention_ids | self._participants) - {EVERYBODY})
        yield from (named[start:start + BATCH] for start in range(0, len(named), BATCH))
        if EVERYBODY not in self._mention_ids:
            return
        last: str | None = None
        list_members = partial(self._store.memberships.list_of_channel, self._message["channel_id"], limit=BATCH)
        while members := list_members(after=last):
            yield [row["user_id"] for row in members]
            last = members[-1]["user_id"]

    def tell(self, user_ids: Sequence[str], unit: Unit) -> None:
        """Write what is missing for some people, by the rights they have now, and announce it after the commit."""
        message = unit.store.messages.get(self._message["_id"])
        if message["deleted_at"] is not None:
            return
        channel = unit.store.channels.get(message["channel_id"])
        joined = unit.store.memberships.find_joined(channel["_id"], user_ids)
        rows = []
        for user_id, role in unit.store.people.list_active_roles(user_ids):
            kind = kind_for(Candidate(user_id, Role(role), user_id in joined), message, private=channel["private"],
                            mention_ids=self._mention_ids, participants=self._participants)
            if kind is not None:
                rows.append({"_id": new_id(), "user_id": user_id, "kind": kind.value, "channel_id": channel["_id"],
                             "message_id": message["_id"], "thread_id": message["thread_id"], "seq": message["seq"],
                             "author_id": message["author_id"], "created_at": unit.now, "read_at": None})
        added = set(unit.store.notifications.add_new(rows))
        new = [row for row in rows if row["_id"] in added]
        if new:
            unit.afterwards(partial(announce_new, self._platform, self._tenant_id, message, new))


def digest_tick(platform: Platform, payload: Row, run: Run) -> None:
    """Ask for the digest of everybody for whom it has become 7:00 in the six hours before `payload["tick"]` (ISO).

    One person's digest of one local date is asked for once, by whichever tick is the first to find it missing: so ticks
    may be late, left out or repeated.
    """
    tick = datetime.fromisoformat(payload["tick"])
    tick = tick if tick.tzinfo else tick.replace(tzinfo=UTC)
    since = catch_up_since(tick, platform.now)
    zones = [name for name in platform.directory.list_zones() if morning_within(zone_of(name), since, tick)]
    last: str | None = None
    while readers := platform.directory.list_digest_readers(zones, after=last, limit=BATCH):
        by_tenant: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for reader in readers:
            zone = zone_of(reader.get("time_zone"))
            day = morning_within(zone, since, tick)
            # Whoever joined later that day has slept through nothing.
            if day is not None and reader["created_at"] < morning_of(zone, day):
                by_tenant[reader["tenant_id"]].append((reader["_id"], day.isoformat()))
        for tenant_id, mornings in by_tenant.items():
            run.check()
            _ask_for_digests(platform, tenant_id, mornings)
        last = readers[-1]["_id"]


def _ask_for_digests(platform: Platform, tenant_id: str, mornings: Sequence[tuple[str, str]]) -> None:
    """Ask for those of a tenant's digests, given as user id and local date, that nobody has asked for."""
    keys = {f"digest-{user_id}-{day}": (user_id, day) for user_id, day in mornings}
    used = platform.store_of(tenant_id).jobs.find_used(keys)
    missing = [(key, *about) for key, about in keys.items() if key not in used]

    def ask(part: Sequence[tuple[str, str, str]], unit: Unit) -> None:
        for key, user_id, day in part:
            UnitJobs(unit, user_id).add(Job.SEND_DIGEST, {"date": day}, unique_key=key)

    for start in range(0, len(missing), _JOBS_IN_A_UNIT):
        part = missing[start:start + _JOBS_IN_A_UNIT]
        platform.unit(tenant_id, part[0][1], partial(ask, part))
