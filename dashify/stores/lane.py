"""The channel's lane: one writer per process and channel, which commits all that waits in one transaction.

Why: one transaction a request collapses when many write to one channel (65 posts a second and a p99 of 8 s with 50
posters); one transaction in flight per channel and process, taking whatever waits, keeps numbers gapless and a reader
complete, at more than ten times that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database

from dashify import metrics
from dashify.domain import chat
from dashify.domain.jobs import QUEUE_OF, Delivery, Job
from dashify.domain.knowledge import ASSISTANT
from dashify.errors import DashifyError, Unavailable
from dashify.stores.chat import SentBefore
from dashify.stores.mongo import DEADLINE_SECONDS, Again, Document, transact
from dashify.stores.store import Store

log = logging.getLogger(__name__)

MAX_BATCH = 64
INDEX_SECONDS = 3.0  # how long a channel's new messages wait for others to be indexed with
Announce = Callable[[chat.Outcome], None]
Beside = Callable[[Store, chat.Outcome], list[Delivery] | None]


@dataclass(slots=True, eq=False)
class _Ticket:
    """One waiting change, and in the end either its outcome or its failure."""

    change: chat.Change
    announce: Announce
    beside: Beside | None
    expires: float
    done: threading.Event = field(default_factory=threading.Event)
    outcome: chat.Outcome | None = None
    failure: Exception | None = None
    deliveries: list[Delivery] = field(default_factory=list)


class Lanes:
    """Every lane of this process. A lane exists only while something waits in it. `dispatch` hands jobs to workers."""

    def __init__(self, client: MongoClient[Document], database: Database[Document],
                 dispatch: Callable[[list[Delivery]], None]) -> None:
        self._client = client
        self._database = database
        self._dispatch = dispatch
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], deque[_Ticket]] = {}

    def submit(self, tenant_id: str, channel_id: str, change: chat.Change, announce: Announce,
               beside: Beside | None = None) -> chat.Outcome:
        """Commit `change` to a channel with majority and give what it came to.

        `announce` runs after the commit and before this returns, in the order of the change numbers of this process;
        only for changes that took a number. `beside`, for the same ones, writes inside the transaction what must commit
        with the change, and gives the jobs that are to be handed over afterwards. It may run several times, and what it
        raises fails all that would have committed together, so it refuses nothing.

        Raises:
            NotFound, Conflict, NotAllowedNow: as `domain.chat` says; nothing was changed.
            Unavailable: not committed within 5 s. Asking again with the same `client_id` is safe.
        """
        ticket = _Ticket(change, announce, beside, time.monotonic() + DEADLINE_SECONDS)
        key = (tenant_id, channel_id)
        with self._lock:
            queue = self._waiting.get(key)
            if queue is not None:
                queue.append(ticket)
            else:
                self._waiting[key] = deque([ticket])
                threading.Thread(target=self._drive, args=(key,), name="lane", daemon=True).start()
        if not ticket.done.wait(DEADLINE_SECONDS + 5):
            raise Unavailable("This channel is too busy at the moment. Please try again.", code="contention")
        if ticket.failure is not None:
            raise ticket.failure
        assert ticket.outcome is not None
        if ticket.deliveries:  # by whoever waited: the writer has others to answer
            self._dispatch(ticket.deliveries)
        return ticket.outcome

    def _drive(self, key: tuple[str, str]) -> None:
        """Commit batch after batch until nothing waits; then the lane ends."""
        while True:
            with self._lock:
                queue = self._waiting[key]
                if not queue:
                    del self._waiting[key]
                    return
                batch = [queue.popleft() for _ in range(min(MAX_BATCH, len(queue)))]
            _settle(self._commit(key, batch), batch)

    def _commit(self, key: tuple[str, str], batch: list[_Ticket]) -> list[chat.Outcome | Exception]:
        """Commit what of `batch` has not waited too long; give one outcome or failure for each ticket."""
        tenant_id, channel_id = key
        store = Store(self._database, tenant_id)
        late: Exception = Unavailable("This channel is too busy at the moment. Please try again.", code="contention")
        fresh = [ticket for ticket in batch if ticket.expires > time.monotonic()]
        tries, sent_before = 0, False

        def work(tx: ClientSession) -> list[chat.Outcome | Exception]:
            nonlocal tries, sent_before
            tries += 1
            try:
                return _apply(store.inside(tx), channel_id, fresh, sent_before=sent_before)
            except SentBefore as error:
                if sent_before:
                    raise
                sent_before = True
                raise Again from error

        try:
            with metrics.lane_seconds.time():
                results = transact(self._client, work) if fresh else []
        except DashifyError as error:
            results = [error] * len(fresh)
        except Exception as error:  # a bug must reach those who wait, not end the lane
            log.exception("A channel's lane failed")
            results = [error] * len(fresh)
        metrics.lane_batch.observe(len(fresh))
        metrics.lane_retries.inc(max(0, tries - 1))
        by_ticket = dict(zip(map(id, fresh), results, strict=True))
        return [by_ticket.get(id(ticket), late) for ticket in batch]


def _settle(results: list[chat.Outcome | Exception], batch: list[_Ticket]) -> None:
    for ticket, result in zip(batch, results, strict=True):
        if isinstance(result, Exception):
            ticket.failure = result
        else:
            ticket.outcome = result
            if result.changed:
                _announce(ticket, result)
        ticket.done.set()


def _announce(ticket: _Ticket, outcome: chat.Outcome) -> None:
    try:
        ticket.announce(outcome)
    except Exception:  # the change is committed: clients find it by its number whatever happened here
        log.exception("An announcement of a committed change failed")


def _apply(store: Store, channel_id: str, tickets: list[_Ticket], *,
           sent_before: bool) -> list[chat.Outcome | Exception]:
    """Work out and write a batch inside a transaction: read the head and what is touched, then number, then write.

    Nearly every message is sent once, so whether one was `sent_before` is looked up only where the index has said so.
    Until it has, it is known how many numbers new messages take, and the head is read and moved at once.
    """
    changes = [ticket.change for ticket in tickets]
    ahead = 0 if sent_before else _count_new(changes)
    channel = store.channels.take_ahead(channel_id, ahead) if ahead else store.channels.get(channel_id)
    head = channel["head"]
    batch = _Batch(channel_id, head, _load(store, channel_id, changes, sent_before=sent_before))
    now = datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # what MongoDB keeps, so an event equals a later read
    results = [batch.apply(change, now) for change in changes]
    assert not ahead or batch.number == head + ahead
    if batch.number > head:
        if not ahead and not store.channels.take_numbers(channel_id, head, batch.number - head):
            raise Unavailable("The channel was changed elsewhere at the same time.", code="contention")
        store.messages.write(batch.created.values(), batch.revised.values())
    asked = [] if batch.number == head or channel.get("index_asked") else [_ask_for_indexing(store, channel_id, now)]
    for ticket, result in zip(tickets, results, strict=True):
        # What an attempt left that was overtaken was never written.
        ticket.deliveries, asked = asked, []
        if ticket.beside is not None and isinstance(result, chat.Outcome) and result.changed:
            ticket.deliveries = [*ticket.deliveries, *(ticket.beside(store, result) or [])]
    return results


def _count_new(changes: list[chat.Change]) -> int:
    """Give how many numbers the changes take where all are posts that were never sent before, else 0."""
    posts = [change for change in changes if isinstance(change, chat.Post)]
    if len(posts) < len(changes):
        return 0
    return len({(post.author_id, post.client_id) if post.client_id else post.id for post in posts})


def _ask_for_indexing(store: Store, channel_id: str, now: datetime) -> Delivery:
    """Ask for the job that indexes what is said from now on, once until it has begun; it waits for more to be said."""
    due = now + timedelta(seconds=INDEX_SECONDS)
    job_id = store.jobs.add(Job.INDEX_CHANNEL, {"channel_id": channel_id}, actor_id=ASSISTANT, now=now, due_at=due,
                            front=True)
    return Delivery(job_id, QUEUE_OF[Job.INDEX_CHANNEL], front=True, due_at=due)


def _load(store: Store, channel_id: str, changes: list[chat.Change], *, sent_before: bool) -> Iterable[Document]:
    ids = {change.message_id for change in changes if not isinstance(change, chat.Post)}
    pairs = {(change.author_id, change.client_id) for change in changes
             if sent_before and isinstance(change, chat.Post) and change.client_id is not None}
    found = store.messages.list_by_ids(channel_id, ids) if ids else []
    return [*found, *store.messages.list_by_client_ids(channel_id, sorted(pairs))]


class _Batch:
    """The messages a batch touches, as they stand after the changes applied so far."""

    def __init__(self, channel_id: str, head: int, loaded: Iterable[Document]) -> None:
        self.channel_id = channel_id
        self.number = head
        self.created: dict[str, Document] = {}
        self.revised: dict[str, Document] = {}
        self._known: dict[str, Document] = {}
        self._by_client: dict[tuple[str, str], str] = {}
        for row in loaded:
            self._remember(row)

    def apply(self, change: chat.Change, now: datetime) -> chat.Outcome | Exception:
        """Apply one change; a refusal concerns only the one who asked for it."""
        try:
            outcome = self._work_out(change, now)
        except DashifyError as error:
            return error
        if outcome.changed:
            self.number += 1
            self._remember(outcome.message)
            row_id = outcome.message["_id"]
            (self.created if outcome.created or row_id in self.created else self.revised)[row_id] = outcome.message
        return outcome

    def _work_out(self, change: chat.Change, now: datetime) -> chat.Outcome:
        if isinstance(change, chat.Post):
            known = self._by_client.get((change.author_id, change.client_id)) if change.client_id else None
            earlier = self._known[known] if known else None
            return chat.post(change, earlier, self.channel_id, self.number + 1, now)
        return chat.revise(change, chat.existing(self._known, change.message_id), self.number + 1, now)

    def _remember(self, row: Document) -> None:
        self._known[row["_id"]] = row
        if row["client_id"] is not None:
            self._by_client[(row["author_id"], row["client_id"])] = row["_id"]
