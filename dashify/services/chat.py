"""Messages: reading, changing and catching up. Whatever changes one goes through its channel's lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashify.context import Context, Platform
from dashify.domain import chat, names
from dashify.domain.audit import Action
from dashify.domain.jobs import Delivery
from dashify.domain.names import is_id, new_id
from dashify.errors import Forbidden, Invalid, NotFound
from dashify.services import notifications, views
from dashify.services.asking import ask_in_channel
from dashify.services.channels import access_channel, audit_details, ensure_visible, visible_channels
from dashify.stores.lane import Beside
from dashify.stores.store import Store
from dashify.units import Unit

CHANGES_PER_CHANNEL = 200
CHANGES_IN_ALL = 1_000
Json = dict[str, Any]
Row = dict[str, Any]


def list_messages(ctx: Context, channel_id: str, before: int | None, after: int | None, limit: int) -> Json:
    """List a channel's messages: newest first (`before` a place, or from the end), or oldest first `after` a place.

    Raises:
        Invalid: `before` and `after` at once.
        NotFound: the channel is not for me.
    """
    if before is not None and after is not None:
        raise Invalid("Ask for messages before a place or after one, not both.",
                      details=[{"field": "after", "problem": "cannot be given together with before"}])
    head = access_channel(ctx, channel_id)["head"]  # before the rows, or a reader could miss a change for good
    if after is not None:
        rows = ctx.store.messages.list_after(channel_id, after, limit + 1)
    else:
        rows = ctx.store.messages.list_before(channel_id, head + 1 if before is None else before, limit + 1)
    return {"messages": [views.message(row) for row in rows[:limit]], "head": head, "more": len(rows) > limit}


def post_message(ctx: Context, channel_id: str, text: str, client_id: str | None,
                 thread_id: str | None) -> tuple[Json, bool]:
    """Post a message and tell whether it is new: the same `client_id` of mine in the same channel posts once.

    Raises:
        NotFound: the channel is not for me, or holds no such thread.
        Conflict: `client_id_reused`; it stands for another text.
        RateLimited: it asks the assistant something, and I ask too often.
        Unavailable: the database is away, or the channel too busy. Trying again with the `client_id` is safe.
    """
    ensure_visible(ctx, channel_id)
    root = _thread_root(ctx, channel_id, thread_id) if thread_id is not None else None
    change = chat.Post(new_id(), ctx.actor.user_id, text, client_id, root, _mentions(ctx, text))
    concerns = root is not None or set(change.mention_ids) - {ctx.actor.user_id}
    besides = [one for one in (notifications.fan_out(ctx) if concerns else None, ask_in_channel(ctx, text)) if one]
    announce = announcer(ctx, ctx.actor.tenant_id, "message:new")
    outcome = ctx.change_channel(channel_id, change, announce, _together(besides))
    return views.message(outcome.message), outcome.created


def edit_message(ctx: Context, message_id: str, text: str) -> Json:
    """Change the text of my own message.

    Raises:
        NotFound: no such message for me, or it was deleted.
        Forbidden: it is somebody else's.
    """
    row = _access_message(ctx, message_id)
    if row["author_id"] != ctx.actor.user_id:
        raise Forbidden("Only its author can edit a message.")
    change = chat.Edit(message_id, text, _mentions(ctx, text))
    added = set(change.mention_ids) - set(row["mention_ids"]) - {ctx.actor.user_id}
    return _change(ctx, row, change, notifications.fan_out(ctx, added) if added else None)


def delete_message(ctx: Context, message_id: str) -> Json:
    """Delete my own message, or as an admin anybody's; a tombstone stays.

    Raises:
        NotFound: no such message for me.
        Forbidden: it is somebody else's, and I am no admin.
    """
    row = _access_message(ctx, message_id)
    if row["author_id"] != ctx.actor.user_id and not ctx.actor.may("message.moderate"):
        raise Forbidden("Only its author or an admin can delete a message.")
    mine = row["author_id"] == ctx.actor.user_id
    return _change(ctx, row, chat.Delete(message_id), None if mine else ctx.beside(_account_for_moderation))


def react(ctx: Context, message_id: str, emoji: str, on: bool) -> Json:
    """Put my reaction on a message or take it away.

    Raises:
        NotFound: no such message for me, or it was deleted.
        NotAllowedNow: the message has too many kinds of reaction.
    """
    row = _access_message(ctx, message_id)
    return _change(ctx, row, chat.React(message_id, ctx.actor.user_id, emoji, on))


def list_changes(ctx: Context, channel_id: str, after: int, epoch: str | None = None) -> Json:
    """List every message changed after change number `after`, once, in its present state, oldest change first.

    `{"reset": True}` says that the number means nothing here any more: drop the channel and load it again.
    """
    channel = access_channel(ctx, channel_id)
    if _is_reset(ctx, channel, after, epoch):
        return {"reset": True}
    rows = ctx.store.messages.list_changed(channel_id, after, CHANGES_PER_CHANNEL + 1)
    return {"messages": [views.message(row) for row in rows[:CHANGES_PER_CHANNEL]], "head": channel["head"],
            "floor": channel["floor"], "epoch": ctx.restore_epoch, "more": len(rows) > CHANGES_PER_CHANNEL}


def sync(ctx: Context, cursors: Mapping[str, int], epoch: str | None) -> Json:
    """Catch up in all channels at once, from the change number held of each; at most 1,000 messages in all."""
    channels = {row["_id"]: row for row in visible_channels(ctx)}
    answer: Json = {"epoch": ctx.restore_epoch, "heads": {key: row["head"] for key, row in channels.items()},
                    "changes": {}, "more": [], "reset": [], "gone": sorted(set(cursors) - set(channels))}
    budget = CHANGES_IN_ALL
    for channel_id, cursor in cursors.items():
        channel = channels.get(channel_id)
        if channel is None or (cursor == channel["head"] and epoch in (None, ctx.restore_epoch)):
            continue
        if _is_reset(ctx, channel, cursor, epoch):
            answer["reset"].append(channel_id)
            continue
        take = min(CHANGES_PER_CHANNEL, budget)
        rows = ctx.store.messages.list_changed(channel_id, cursor, take + 1) if take else []
        if len(rows) > take or not take:
            answer["more"].append(channel_id)
        if rows[:take]:
            answer["changes"][channel_id] = [views.message(row) for row in rows[:take]]
        budget -= len(rows[:take])
    return answer


def list_heads(ctx: Context) -> dict[str, int]:
    """Give the head of every channel that I can see."""
    return {row["_id"]: row["head"] for row in visible_channels(ctx)}


def mark_read(ctx: Context, channel_id: str, seq: int) -> None:
    """Move my read mark in a channel up to `seq`, never back and never past the channel's head.

    What I was told of its messages up to there counts as read too, also in a channel that I see and did not join.
    """
    channel = access_channel(ctx, channel_id)
    mark = min(seq, channel["head"])
    if ctx.store.memberships.mark_read(channel_id, ctx.actor.user_id, mark):
        room = names.user_room(ctx.actor.tenant_id, ctx.actor.user_id)
        ctx.publisher.emit(room, "read", {"channel_id": channel_id, "seq": mark})
    notifications.mark_channel_read(ctx, channel_id, mark)


def show_typing(ctx: Context, channel_id: str) -> None:
    """Let those in a channel know that I am writing."""
    ensure_visible(ctx, channel_id)
    ctx.publisher.emit(names.channel_room(ctx.actor.tenant_id, channel_id), "typing",
                       {"channel_id": channel_id, "user_id": ctx.actor.user_id})


def _change(ctx: Context, row: Row, change: chat.Change, beside: Beside | None = None) -> Json:
    announce = announcer(ctx, ctx.actor.tenant_id, "message:changed")
    outcome = ctx.change_channel(row["channel_id"], change, announce, beside)
    return views.message(outcome.message)


def _together(besides: Sequence[Beside]) -> Beside | None:
    """Give what does all of `besides`, None where there is nothing to do."""
    def within(store: Store, outcome: chat.Outcome) -> list[Delivery]:
        return [delivery for beside in besides for delivery in beside(store, outcome) or []]

    return within if besides else None


def _account_for_moderation(unit: Unit, outcome: chat.Outcome) -> None:
    """Record that somebody deleted what another wrote."""
    gone = outcome.message
    about = audit_details(unit.store.channels.get(gone["channel_id"]))
    unit.audit.record(Action.MESSAGE_DELETED, subject=("message", gone["_id"]),
                      details={**about, "author_id": gone["author_id"], "seq": gone["seq"]})


def announcer(reach: Context | Platform, tenant_id: str, event: str) -> Callable[[chat.Outcome], None]:
    """Give what tells everybody in a channel of a change of one of its messages."""
    def announce(outcome: chat.Outcome) -> None:
        shown = views.message(outcome.message)
        room = names.channel_room(tenant_id, shown["channel_id"])
        reach.publisher.emit(room, event, {"channel_id": shown["channel_id"], "seq": shown["changed_seq"],
                                         "message": shown})

    return announce


def _access_message(ctx: Context, message_id: str) -> Row:
    """Give a message's row if I can see its channel, else raise `NotFound`."""
    if not is_id(message_id):
        raise NotFound("There is no such message.")
    row = ctx.store.messages.get(message_id)
    ensure_visible(ctx, row["channel_id"])
    return row


def _thread_root(ctx: Context, channel_id: str, thread_id: str) -> str:
    """Give the id of the thread's root: a reply to a reply belongs to the same thread."""
    row = ctx.store.messages.get(thread_id) if is_id(thread_id) else None
    if row is None or row["channel_id"] != channel_id:
        raise NotFound("There is no such thread in this channel.")
    return str(row["thread_id"] or row["_id"])


def _mentions(ctx: Context, text: str) -> tuple[str, ...]:
    return chat.mentioned(text, ctx.store.people.list_names()) if "@" in text else ()


def _is_reset(ctx: Context, channel: Row, cursor: int, epoch: str | None) -> bool:
    stale_epoch = epoch is not None and epoch != ctx.restore_epoch
    return stale_epoch or cursor > channel["head"] or cursor < channel["floor"]
