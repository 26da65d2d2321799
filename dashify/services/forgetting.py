"""What is left of a deleted document in what the assistant has said: taken out, and its posts in channels deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dashify.context import Platform
from dashify.domain import chat, names
from dashify.domain.knowledge import ASSISTANT
from dashify.errors import NotFound
from dashify.services import views

_BATCH = 200


def forget_document(platform: Platform, tenant_id: str, document_id: str, check: Callable[[], None]) -> None:
    """Take out what answers say of a document, wherever they were given. Doing it again is safe.

    Raises:
        Unavailable: the database is away, or a channel too busy.
    """
    store = platform.store_of(tenant_id)
    while True:
        check()
        # Posts first: an answer that is forgotten is not found again.
        rows = store.answers.list_citing(document_id, limit=_BATCH)
        for row in rows:
            if row["channel_id"] is not None:
                _delete_post(platform, tenant_id, row["channel_id"], row["_id"])
        if not rows or not store.answers.forget_document(document_id, limit=_BATCH):
            return


def _delete_post(platform: Platform, tenant_id: str, channel_id: str, answer_id: str) -> None:
    """Leave a tombstone in place of the post that gave an answer to a channel."""
    found = platform.store_of(tenant_id).messages.list_by_client_ids(channel_id, [(ASSISTANT, answer_id)])
    for row in found:
        try:
            platform.resources.lanes.submit(tenant_id, channel_id, chat.Delete(row["_id"]),
                                            partial(_announce, platform, tenant_id))
        except NotFound:  # somebody has deleted it already
            continue


def _announce(platform: Platform, tenant_id: str, outcome: chat.Outcome) -> None:
    shown = views.message(outcome.message)
    platform.publisher.emit(names.channel_room(tenant_id, shown["channel_id"]), "message:changed", {
        "channel_id": shown["channel_id"], "seq": shown["changed_seq"], "message": shown})
