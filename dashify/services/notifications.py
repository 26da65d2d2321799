"""Notifications: what somebody is told of, as they may see it now. Jobs write the rows; names and texts come from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dashify.context import Context, Platform
from dashify.domain import chat, names
from dashify.domain.jobs import QUEUE_OF, Delivery, Job
from dashify.services import views
from dashify.stores.lane import Beside
from dashify.stores.store import Store

UNREAD_CAP = 1_000
_MOST_PAGES = 10
_BATCH = 500
Json = dict[str, Any]
Row = dict[str, Any]


def list_notifications(ctx: Context, cursor: str | None, limit: int, unread: bool) -> Json:
    """List my notifications, newest first (`unread`: those only), and count the unread ones, up to 1,000.

    Those of a channel that I lost or of a deleted message are left out; where these fill pages and pages, a page may be
    short and still have a next one. One that comes meanwhile is listed and counted or neither: a client adds
    one for each that it is told of and that is not in its list.
    """
    # Read first: what comes until the list is read is in the list, which has the last word on each that is in it.
    before = _list_unread(ctx)
    shown: list[Json] = []
    listed: dict[str, Row] = {}
    for _ in range(_MOST_PAGES):
        rows = ctx.store.notifications.list_of(ctx.actor.user_id, before=cursor, unread=unread, limit=limit + 1)
        listed |= {row["_id"]: row for row in rows}
        shown += describe(ctx, rows)
        cursor = rows[-1]["_id"] if len(rows) > limit else None
        if cursor is None or len(shown) > limit:
            break
    page = views.page("notifications", shown, limit)
    counted = [row for row in before if row["_id"] not in listed]
    counted += [row for row in listed.values() if row["read_at"] is None]
    return {**page, "next": page["next"] or cursor, "unread": min(UNREAD_CAP, _count_visible(ctx, counted))}


def count_unread(ctx: Context) -> int:
    """Count my unread notifications of messages that I can see, among the newest 1,000."""
    return _count_visible(ctx, _list_unread(ctx))


def describe(ctx: Context, rows: Sequence[Row]) -> list[Json]:
    """Show those of my notifications whose message I can see now, with the names and the text of now."""
    channels = _visible(ctx, rows)
    messages = {row["_id"]: row for row in ctx.store.messages.list_standing({row["message_id"] for row in rows})}
    authors = ctx.store.people.names_of({row["author_id"] for row in rows})
    return [views.notification(row, channel=channels[row["channel_id"]], message=messages[row["message_id"]],
                               author_name=authors.get(row["author_id"], ""))
            for row in rows if row["channel_id"] in channels and row["message_id"] in messages]


def mark_read(ctx: Context, ids: Sequence[str] | None) -> int:
    """Mark those of my notifications as read that `ids` name, or all with None; give how many are unread then."""
    user_id = ctx.actor.user_id
    if ids is None:
        changed = ctx.store.notifications.mark_all_read(user_id, now=ctx.now) > 0
    else:
        ids = ctx.store.notifications.mark_read(user_id, ids, now=ctx.now)
        changed = bool(ids)
    unread = count_unread(ctx)
    if changed:
        _announce_read(ctx, ids, unread)
    return unread


def mark_channel_read(ctx: Context, channel_id: str, seq: int) -> None:
    """Mark my notifications of a channel's messages up to the place `seq` as read."""
    mine, user_id = ctx.store.notifications, ctx.actor.user_id
    while found := mine.list_unread_up_to(user_id, channel_id, seq, limit=_BATCH):
        if ids := mine.mark_read(user_id, found, now=ctx.now):
            _announce_read(ctx, ids, count_unread(ctx))


def fan_out(ctx: Context, mention_ids: Iterable[str] | None = None) -> Beside:
    """Give what asks, in a message's own transaction, for the job that tells whom it concerns.

    After an edit, `mention_ids` are those whom it newly mentions: they are told, and nobody else.
    """
    payload = {} if mention_ids is None else {"mention_ids": sorted(mention_ids)}

    def beside(store: Store, outcome: chat.Outcome) -> list[Delivery]:
        about = {"message_id": outcome.message["_id"], **payload}
        job_id = store.jobs.add(Job.FAN_OUT, about, actor_id=ctx.actor.user_id, now=ctx.now)
        return [Delivery(job_id, QUEUE_OF[Job.FAN_OUT])]

    return beside


def announce_new(platform: Platform, tenant_id: str, message: Row, rows: Sequence[Row]) -> None:
    """Tell people of new notifications of one message that they may see, after the commit that wrote them.

    Who has read so far meanwhile needs no telling: either their read mark shows here, or it moved after the commit and
    found the rows.
    """
    store = platform.store_of(tenant_id)
    seen = store.memberships.find_joined(message["channel_id"], [row["user_id"] for row in rows],
                                         read_to=message["seq"])
    if seen:
        store.notifications.mark_seen(message["_id"], seen, now=platform.now)
    channel = store.channels.get(message["channel_id"])
    author_name = store.people.names_of([message["author_id"]]).get(message["author_id"], "")
    for row in rows:
        if row["user_id"] not in seen:
            shown = views.notification(row, channel=channel, message=message, author_name=author_name)
            platform.publisher.emit(names.user_room(tenant_id, row["user_id"]), "notification:new",
                                    {"notification": shown})


def _list_unread(ctx: Context) -> list[Row]:
    return ctx.store.notifications.list_of(ctx.actor.user_id, unread=True, limit=UNREAD_CAP)


def _count_visible(ctx: Context, rows: Sequence[Row]) -> int:
    channels = _visible(ctx, rows)
    standing = ctx.store.messages.find_standing({row["message_id"] for row in rows})
    return sum(row["channel_id"] in channels and row["message_id"] in standing for row in rows)


def _visible(ctx: Context, rows: Iterable[Row]) -> dict[str, Row]:
    """Give the channels of `rows` that I can see, by id."""
    channels = ctx.store.channels.list_some({row["channel_id"] for row in rows})
    return {row["_id"]: row for row in channels if ctx.actor.sees(row["_id"], row["private"])}


def _announce_read(ctx: Context, ids: Sequence[str] | None, unread: int) -> None:
    room = names.user_room(ctx.actor.tenant_id, ctx.actor.user_id)
    ctx.publisher.emit(room, "notification:read", {"ids": None if ids is None else list(ids), "unread": unread})
