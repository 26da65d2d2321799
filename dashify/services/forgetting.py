"""Taking back what the assistant has said, where what it rests on is gone, or not for all who can read the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dashify.context import Platform
from dashify.domain import chat
from dashify.domain.knowledge import ASSISTANT
from dashify.errors import NotFound
from dashify.services.chat import announcer
from dashify.services.knowledge import shared_in
from dashify.services.retrieval import readable_documents, readable_messages
from dashify.stores.store import Store

TAKEN_BACK = "(What I said here rests on something that not everybody in this channel may read any more.)"
_BATCH = 200
Check = Callable[[], None]
Row = dict[str, Any]


def forget_document(platform: Platform, tenant_id: str, document_id: str, check: Check) -> None:
    """Take out what answers say of a deleted document, wherever they were given. Doing it again is safe.

    Raises:
        Unavailable: the database is away, or a channel too busy.
    """
    store = platform.store_of(tenant_id)
    # Posts first: an answer that is forgotten is not found again.
    for row in _posted(store, check, document_id=document_id):
        _change_post(platform, tenant_id, row, lambda message_id: chat.Delete(message_id))
    while store.answers.forget_document(document_id, limit=_BATCH):
        check()


def review_posts(platform: Platform, tenant_id: str, check: Check, *, channel_id: str | None = None,
                 document_id: str | None = None) -> int:
    """Take back posts of the assistant, in one channel or about one document, whose sources are not for everybody in
    their channel any more; give their number. Doing it again is safe.

    Raises:
        Unavailable: the database is away, or a channel too busy.
    """
    store, taken = platform.store_of(tenant_id), 0
    shared: dict[str, frozenset[str]] = {}
    for row in _posted(store, check, channel_id=channel_id, document_id=document_id):
        place = row["channel_id"]
        shared.setdefault(place, shared_in(store, place))
        if not _all_readable(store, row["citations"], shared[place]):
            taken += _change_post(platform, tenant_id, row, lambda message_id: chat.Edit(message_id, TAKEN_BACK))
    return taken


def _posted(store: Store, check: Check, *, channel_id: str | None = None,
            document_id: str | None = None) -> Iterator[Row]:
    after: str | None = None
    while rows := store.answers.list_posted(channel_id=channel_id, document_id=document_id, after=after, limit=_BATCH):
        check()
        yield from rows
        after = rows[-1]["_id"]


def _all_readable(store: Store, citations: list[Row], principals: frozenset[str]) -> bool:
    """Tell whether everything that is cited is there and for `principals`."""
    documents = {one["document_id"] for one in citations if one.get("document_id")}
    messages = {one["message_id"] for one in citations if one.get("message_id")}
    return (readable_documents(store, documents, principals).keys() == documents
            and readable_messages(store, messages, principals).keys() == messages)


def _change_post(platform: Platform, tenant_id: str, row: Row, change: Callable[[str], chat.Change]) -> bool:
    """Change the post that gave an answer to its channel; tell whether there is one that was changed by it."""
    store, changed = platform.store_of(tenant_id), False
    for post in store.messages.list_by_client_ids(row["channel_id"], [(ASSISTANT, row["_id"])]):
        try:
            outcome = platform.resources.lanes.submit(tenant_id, row["channel_id"], change(post["_id"]),
                                                      announcer(platform, tenant_id, "message:changed"))
            changed = outcome.changed or changed
        except NotFound:  # somebody has deleted it already
            continue
    return changed
