"""The week of an organization in numbers, for its owners and admins. Private channels count and are not named."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from dashify.stores.store import Store

MOST_CHANNELS = 10
WEEK = timedelta(days=7)
_BATCH = 200
Section = tuple[str, list[str]]


def sum_up(store: Store, until: datetime) -> list[Section]:
    """Give headings with their lines about the seven days before `until`; nothing where nobody wrote or joined."""
    since = until - WEEK
    authors: Counter[str] = Counter()
    named: Counter[str] = Counter()
    last: str | None = None
    while channels := store.channels.list_all(after=last, limit=_BATCH):
        for channel in channels:
            found = store.messages.list_authors_since(channel["_id"], channel["head"], since, until)
            authors.update(found)
            if found and not channel["private"]:
                named[channel["name"]] += sum(found.values())
        last = channels[-1]["_id"]
    joined, failed = store.people.count_joined(since, until), store.queues.count_failed(since, until)
    if not authors and not joined and not failed:
        return []
    numbers = [_counted(authors.total(), "message", "messages") + " by " + _counted(len(authors), "person", "people"),
               _counted(joined, "person", "people") + " joined",
               _counted(failed, "background job", "background jobs") + " failed for good"]
    busiest = [f"#{name}: {_counted(count, 'message', 'messages')}" for name, count in named.most_common(MOST_CHANNELS)]
    return [("In numbers", numbers), *([("Busiest public channels", busiest)] if busiest else [])]


def _counted(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {many}"
