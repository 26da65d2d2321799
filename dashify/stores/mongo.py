"""MongoDB: how it is opened, transactions, and the turning of its failures into ours."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from functools import partial
from typing import Any, TypeVar
from weakref import finalize, ref

import pymongo
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from dashify.errors import Unavailable

T = TypeVar("T")
Document = dict[str, Any]

DEADLINE_SECONDS = 5.0
_PART = 1_000
_MAJORITY = WriteConcern(w="majority", j=True)


class Again(Exception):
    """Raised inside a transaction that found itself overtaken: `transact` runs it again, on what is there by then."""


def open_client(url: str, call_seconds: float = 5.0) -> MongoClient[Document]:
    """Open a client whose every call has a time limit and whose writes are acknowledged by a majority, journaled.

    Call it in the process that uses it: PyMongo's client must not cross a fork.
    """
    return MongoClient(
        url, tz_aware=True, tzinfo=UTC, serverSelectionTimeoutMS=2_000, connectTimeoutMS=2_000,
        socketTimeoutMS=int(call_seconds * 1_000), waitQueueTimeoutMS=5_000, maxPoolSize=64, retryWrites=True,
        retryReads=True, appname="dashify",
    )


def open_database(client: MongoClient[Document], name: str) -> Database[Document]:
    """Give the database with majority reads and majority, journaled writes."""
    options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
    return client.get_database(name, codec_options=options, read_concern=ReadConcern("majority"),
                               write_concern=_MAJORITY)


def answers(client: MongoClient[Document], seconds: float = 1.5) -> bool:
    """Tell whether MongoDB answers a ping within `seconds`."""
    try:
        with pymongo.timeout(seconds):
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


@contextmanager
def translated() -> Iterator[None]:
    """Turn "MongoDB is away" into `Unavailable`; let every other failure through as the bug that it is."""
    try:
        yield
    except (ConnectionFailure, ServerSelectionTimeoutError, ExecutionTimeout) as error:
        raise Unavailable("The database does not answer at the moment. Please try again in a few seconds.",
                          code="database_unavailable") from error


class TransactionSessions:
    """The sessions in which one client runs transactions, few and used again; `announce` hears of each new one first.

    Whoever dies in the middle of a transaction leaves it open, and what it wrote locked, for a minute. Where somebody
    knows its sessions, killing these ends that at once.
    """

    def __init__(self, client: MongoClient[Document]) -> None:
        self._client = ref(client)
        self._idle: list[ClientSession] = []
        self.ids: list[Any] = []
        self.announce: Callable[[Any], None] = lambda session_id: None

    @contextmanager
    def one(self) -> Iterator[ClientSession]:
        """Give a session that nobody else uses inside the block."""
        session = self._idle.pop() if self._idle else self._open()
        try:
            yield session
        finally:
            if session.in_transaction:  # nobody knows what became of it
                self.ids.remove(_id_of(session))
                session.end_session()
            else:
                self._idle.append(session)

    def _open(self) -> ClientSession:
        client = self._client()
        assert client is not None
        session = client.start_session()
        self.ids.append(_id_of(session))
        self.announce(self.ids[-1])
        return session


def _id_of(session: ClientSession) -> Any:
    return session.session_id["id"]


# By identity: two clients of one server are equal, and must not share sessions.
_sessions: dict[int, TransactionSessions] = {}


def transaction_sessions(client: MongoClient[Document]) -> TransactionSessions:
    """Give the sessions in which `client` runs transactions."""
    if id(client) not in _sessions:
        finalize(client, _sessions.pop, id(client), None)
    return _sessions.setdefault(id(client), TransactionSessions(client))


def kill_sessions(client: MongoClient[Document], session_ids: Sequence[Any]) -> None:
    """End sessions, with whatever transactions they have open; those that are over are passed over."""
    if session_ids:
        with translated():
            client.admin.command("killSessions", [{"id": session_id} for session_id in session_ids])


def transact(client: MongoClient[Document], work: Callable[[ClientSession], T]) -> T:
    """Run `work` in a transaction and commit it with majority, again after a conflict, for up to 5 s.

    `work` may run several times and must have no effect outside the transaction. Conflicts abort in MongoDB (they do
    not queue), so the wait between tries is short and random: 1 to 8 ms.

    Raises:
        Unavailable: the deadline passed, or MongoDB is away. The effect is then unknown only if a commit was under way.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    with translated(), transaction_sessions(client).one() as session:
        while True:
            try:
                with session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=_MAJORITY):
                    result = work(session)
                    _commit(session, deadline)
                return result
            except (PyMongoError, Again) as error:
                if not is_passing(error):
                    raise
                if time.monotonic() > deadline:
                    raise Unavailable("Too many people are changing the same thing. Please try again.",
                                      code="contention") from error
            time.sleep(random.uniform(0.001, 0.008))


def together(collection: Collection[Document], work: Callable[[ClientSession], T],
             tx: ClientSession | None = None) -> T:
    """Change several rows of a collection, all or none: inside `tx`, else in a transaction of its own.

    Every change of more than one row goes through here. Outside a transaction MongoDB changes row after row, and who
    reads meanwhile sees some of them; and the embedded server stops for good where such a change meets a row that a
    transaction holds.

    Raises:
        Unavailable: as `transact` says.
    """
    return work(tx) if tx is not None else transact(collection.database.client, work)


def in_parts(collection: Collection[Document], where: Document,
             change: Callable[[Document, ClientSession], Any]) -> int:
    """Change all rows that match, a thousand in a transaction, and give their number; for more than one should hold.

    `change` gets a filter for its part. It must leave none of them matching, or this does not end.

    Raises:
        Unavailable: as `transact` says; parts may have been changed.
    """
    changed = 0
    while ids := [row["_id"] for row in collection.find(where, {"_id": 1}).limit(_PART)]:
        together(collection, partial(change, {"_id": {"$in": ids}}))
        changed += len(ids)
    return changed


def find_by_id(collection: Collection[Document], where: Document, tx: ClientSession | None,
               projection: Mapping[str, int] | None = None) -> list[Document]:
    """Give the rows that match, where `where` names one or some by `_id` and asks for more.

    In two steps, which MongoDB joins to one: the embedded server uses an index only for what asks for nothing else
    than the index has, and would read the whole collection. Failures are the driver's own, as `transact` wants them.
    """
    stages: list[Mapping[str, Any]] = [{"$match": {"_id": where["_id"]}}, {"$match": where}]
    if projection:
        stages.append({"$project": projection})
    return list(collection.aggregate(stages, session=tx))


def change_by_id(collection: Collection[Document], where: Document, change: Mapping[str, Mapping[str, Any]],
                 tx: ClientSession) -> list[Document]:
    """Change the rows that match, named as for `find_by_id`, inside `tx`, and give them as they are then.

    `change` has `$set` and `$inc` of plain fields, with times of whole milliseconds. The rows are read first and then
    changed by their ids alone, for which the embedded server has an index: in a transaction nobody comes between.
    """
    assert set(change) <= {"$set", "$inc"}, change
    rows = find_by_id(collection, where, tx)
    if rows:
        collection.update_many({"_id": {"$in": [row["_id"] for row in rows]}}, change, session=tx)
    return [{**row, **change.get("$set", {}), **{name: row[name] + by for name, by in change.get("$inc", {}).items()}}
            for row in rows]


def is_passing(error: Exception) -> bool:
    """Tell whether an error inside a transaction says that running the whole transaction again may help."""
    if isinstance(error, Again):
        return True
    return (isinstance(error, PyMongoError) and not isinstance(error, DuplicateKeyError)
            and error.has_error_label("TransientTransactionError"))


def _commit(session: ClientSession, deadline: float) -> None:
    """Commit, asking again while the outcome is unknown; committing twice is harmless."""
    while True:
        try:
            session.commit_transaction()
            return
        except (ConnectionFailure, OperationFailure) as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0.001, 0.008))
