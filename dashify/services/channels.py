"""Channels and who is in them."""

from __future__ import annotations

from typing import Any

from dashify.context import Context
from dashify.domain import names
from dashify.domain.accounts import Role
from dashify.domain.audit import Action, Detail
from dashify.domain.jobs import Job
from dashify.domain.names import is_id, new_id
from dashify.errors import Forbidden, NotAllowedNow, NotFound, Unavailable
from dashify.services import views
from dashify.services.sessions import spread_epoch
from dashify.units import Unit

Json = dict[str, Any]
Row = dict[str, Any]
Epochs = dict[str, tuple[int, int]]


def list_channels(ctx: Context, cursor: str | None, limit: int) -> Json:
    """List the channels I can see, by id, each with what I have not read."""
    rows = visible_channels(ctx, after=cursor, limit=limit + 1)
    mine = {row["channel_id"]: row for row in ctx.store.memberships.list_of_user(ctx.actor.user_id)}
    unread = _count_unread(ctx, rows, mine)
    shown = [views.channel(row, membership=mine.get(row["_id"]), unread=unread.get(row["_id"], (0, 0)))
             for row in rows]
    return views.page("channels", shown, limit)


def list_unread(ctx: Context) -> list[tuple[str, int]]:
    """List the name and the number of unread messages, up to 1,000, of channels I joined and have not read."""
    mine = {row["channel_id"]: row for row in ctx.store.memberships.list_of_user(ctx.actor.user_id)}
    rows = [row for row in visible_channels(ctx) if row["_id"] in mine]
    unread = _count_unread(ctx, rows, mine)
    return [(row["name"], unread[row["_id"]][0]) for row in rows if row["_id"] in unread]


def visible_channels(ctx: Context, *, after: str | None = None, limit: int = 0) -> list[Row]:
    """List the rows of the channels I can see."""
    public_ids = None if ctx.actor.may("channel.browse") else ctx.actor.joined - ctx.actor.private_channels
    return ctx.store.channels.list_visible(private_ids=ctx.actor.private_channels, public_ids=public_ids,
                                           after=after, limit=limit)


def access_channel(ctx: Context, channel_id: str) -> Row:
    """Give a channel's row if I can see it.

    Raises:
        NotFound: there is no such channel, or it is not for me; one cannot tell which.
    """
    if not is_id(channel_id):
        raise _no_channel()
    row = ctx.store.channels.get(channel_id)
    if not ctx.actor.sees(channel_id, row["private"]):
        raise _no_channel()
    return row


def ensure_visible(ctx: Context, channel_id: str) -> None:
    """Raise `NotFound` unless I can see the channel; without a look at the database where I am in it."""
    if channel_id not in ctx.actor.joined:
        access_channel(ctx, channel_id)


def create_channel(ctx: Context, name: str, private: bool, member_ids: list[str]) -> Json:
    """Make a channel with me in it, and `member_ids` too.

    Raises:
        Forbidden: guests make no channels.
        NotFound: one of `member_ids` is nobody of my organization.
        Conflict: `name_taken`.
    """
    if not ctx.actor.may("channel.create"):
        raise Forbidden("Guests cannot create channels.")
    others = sorted(set(member_ids) - {ctx.actor.user_id})
    if len(ctx.store.people.find_existing(others)) != len(others):
        raise NotFound("One of these people is not in your organization.")

    def work(unit: Unit) -> tuple[Row, Row, Epochs]:
        row = new_channel(unit, name, user_id=ctx.actor.user_id, private=private)
        for user_id in others:
            _join(unit, row, user_id)
        joined = [ctx.actor.user_id, *others]
        unit.store.people.touch_versions(joined, now=unit.now)
        return row, unit.store.memberships.get(row["_id"], ctx.actor.user_id), unit.store.people.epochs(joined)

    row, membership, epochs = ctx.unit(work)
    _after_joining(ctx, row, epochs)
    if not private:
        ctx.publisher.control_sockets(ctx.actor.tenant_id, "opened", channel_id=row["_id"])
        room = names.browsers_room(ctx.actor.tenant_id)
        ctx.publisher.emit(room, "channel:changed", {"channel_id": row["_id"], "channel": views.channel_base(row)})
    return views.channel(row, membership=membership)


def change_channel(ctx: Context, channel_id: str, name: str) -> Json:
    """Rename a channel: its creator or an admin may.

    Raises:
        NotFound, Forbidden, Conflict: not visible; not mine to rename; `name_taken`.
    """
    before = access_channel(ctx, channel_id)
    if before["created_by"] != ctx.actor.user_id and not ctx.actor.may("channel.manage"):
        raise Forbidden("Only the one who made this channel, or an admin, can rename it.")
    key = _name_key(name, channel_id, before["private"])

    def work(unit: Unit) -> Row:
        earlier = unit.store.channels.get(channel_id)
        row = unit.store.channels.change(channel_id, {"name": name, "name_key": key})
        if name != earlier["name"]:
            told: dict[str, Detail] = {} if row["private"] else {"name": name, "name_before": earlier["name"]}
            unit.audit.record(Action.CHANNEL_RENAMED, subject=("channel", channel_id), details=told)
        return row

    row = ctx.unit(work)
    room = names.channel_room(ctx.actor.tenant_id, channel_id)
    ctx.publisher.emit(room, "channel:changed", {"channel_id": channel_id, "channel": views.channel_base(row)})
    return _mine(ctx, row)


def list_members(ctx: Context, channel_id: str, cursor: str | None, limit: int) -> Json:
    """List who is in a channel that I can see."""
    access_channel(ctx, channel_id)
    rows = ctx.store.memberships.list_of_channel(channel_id, after=cursor, limit=limit + 1)
    return views.page("members", [views.membership(row) for row in rows], limit, cursor="user_id")


def get_member(ctx: Context, channel_id: str, user_id: str) -> Json:
    """Give one membership of a channel that I can see, or raise `NotFound`."""
    access_channel(ctx, channel_id)
    return views.membership(ctx.store.memberships.get(channel_id, user_id))


def add_member(ctx: Context, channel_id: str, user_id: str) -> Json:
    """Join a channel, or put a colleague into one that I am in; doing it again changes nothing.

    Raises:
        NotFound: I cannot see the channel, or there is no such active person.
        Forbidden: only who is in a channel puts others into it, and guests nobody.
    """
    row = access_channel(ctx, channel_id)
    if user_id != ctx.actor.user_id:
        inside = channel_id in ctx.actor.joined or ctx.actor.may("channel.manage")
        if not (inside and ctx.actor.may("channel.create")):
            raise Forbidden("Join the channel first, then you can add others.")
        if not ctx.store.people.find_existing([user_id]):
            raise NotFound("There is no such person here.")

    def work(unit: Unit) -> tuple[Row, Epochs]:
        channel = unit.store.channels.get(channel_id)
        epochs: Epochs = {}
        if _join(unit, channel, user_id):
            unit.store.people.touch_versions([user_id], now=unit.now)
            epochs = unit.store.people.epochs([user_id])
        return unit.store.memberships.get(channel_id, user_id), epochs

    membership, epochs = ctx.unit(work)
    _after_joining(ctx, row, epochs)
    return views.membership(membership)


def remove_member(ctx: Context, channel_id: str, user_id: str) -> None:
    """Leave a channel, or take somebody out of it: admins and its creator may. Doing it again changes nothing.

    Raises:
        NotFound, Forbidden: not visible; not mine to do.
        NotAllowedNow: the last one does not leave a private channel, since nobody could come back.
        Unavailable: recorded, but not yet sure everywhere; asking again is safe.
    """
    row = access_channel(ctx, channel_id)
    mine = user_id == ctx.actor.user_id or row["created_by"] == ctx.actor.user_id
    if not mine and not ctx.actor.may("channel.manage"):
        raise Forbidden("Only the one who made this channel, or an admin, can remove people.")

    def work(unit: Unit) -> Epochs:
        if row["private"] and len(unit.store.memberships.list_of_channel(channel_id, limit=2)) < 2:
            raise NotAllowedNow("The last member cannot leave a private channel.")
        if unit.store.memberships.remove(channel_id, user_id):
            unit.audit.record(Action.MEMBER_REMOVED, subject=("user", user_id), details=audit_details(row))
        unit.store.people.touch_versions([user_id], now=unit.now)
        return unit.store.people.epochs([user_id])

    for person, epoch in ctx.unit(work).items():
        spread_epoch(ctx, person, epoch)
    still_visible = not row["private"]
    ctx.publisher.emit(names.user_room(ctx.actor.tenant_id, user_id), "channel:changed", {
        "channel_id": channel_id, "channel": views.channel(row, membership=None) if still_visible else None})


def new_channel(unit: Unit, name: str, *, user_id: str, private: bool = False, default: bool = False) -> Row:
    """Write a new channel with one member inside a unit, and give its row."""
    channel_id = new_id()
    row = {"name": name, "name_key": _name_key(name, channel_id, private), "private": private, "default": default,
           "created_by": user_id, "created_at": unit.now}
    unit.store.channels.add(channel_id, row)
    row = unit.store.channels.get(channel_id)
    unit.store.memberships.add(new_id(), row, user_id, now=unit.now)
    unit.audit.record(Action.CHANNEL_CREATED, subject=("channel", channel_id), details={"private": private})
    return row


def join_default_channels(unit: Unit, user_id: str, role: Role) -> None:
    """Put somebody new into the channels that everybody starts with; guests start with none."""
    if role is Role.GUEST:
        return
    for row in unit.store.channels.list_default():
        unit.store.memberships.add(new_id(), row, user_id, now=unit.now)


def audit_details(row: Row) -> dict[str, Detail]:
    """Say which channel an entry of the audit log is about. A private one's name is nothing to those who are not in it.
    """
    return {"channel_id": row["_id"], **({} if row["private"] else {"channel": row["name"]})}


def _join(unit: Unit, row: Row, user_id: str) -> bool:
    """Put a person into a channel; tell whether they were not in it before."""
    joined = unit.store.memberships.add(new_id(), row, user_id, now=unit.now)
    if joined:
        if unit.store.people.get(user_id)["role"] == Role.GUEST:  # who may read less than the others did
            unit.jobs.add(Job.REVIEW_ANSWERS, {"channel_id": row["_id"]}, front=True)
        unit.audit.record(Action.MEMBER_ADDED, subject=("user", user_id), details=audit_details(row))
    return joined


def _after_joining(ctx: Context, row: Row, epochs: Epochs) -> None:
    """Let everybody who was just joined know; without Redis they find out by themselves."""
    for user_id, epoch in epochs.items():
        try:
            spread_epoch(ctx, user_id, epoch)
        except Unavailable:
            continue
        membership = {"read_seq": row["head"]}
        ctx.publisher.emit(names.user_room(ctx.actor.tenant_id, user_id), "channel:changed",
                           {"channel_id": row["_id"], "channel": views.channel(row, membership=membership)})


def _count_unread(ctx: Context, rows: list[Row], mine: dict[str, Row]) -> dict[str, tuple[int, int]]:
    spans = {row["_id"]: (mine[row["_id"]]["read_seq"], row["head"]) for row in rows
             if row["_id"] in mine and mine[row["_id"]]["read_seq"] < row["head"]}
    return ctx.store.messages.count_unread(ctx.actor.user_id, spans)


def _mine(ctx: Context, row: Row) -> Json:
    mine = {one["channel_id"]: one for one in ctx.store.memberships.list_of_user(ctx.actor.user_id)}
    membership = mine.get(row["_id"])
    spans = {row["_id"]: (membership["read_seq"], row["head"])} if membership else {}
    unread = ctx.store.messages.count_unread(ctx.actor.user_id, spans)
    return views.channel(row, membership=membership, unread=unread.get(row["_id"], (0, 0)))


def _name_key(name: str, channel_id: str, private: bool) -> str:
    """Public names are unique in an organization; a private one may not even be guessed by a conflict."""
    return f"private:{channel_id}" if private else f"public:{name.casefold()}"


def _no_channel() -> NotFound:
    return NotFound("There is no such channel.")
