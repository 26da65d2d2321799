"""Channels and who is in them."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.answers import ChannelAnswer, ChannelsAnswer, MemberAnswer, MembersAnswer
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import ChannelChange, NewChannel, WidePage
from dashify.context import Context
from dashify.services import channels

blueprint = guarded("channels", signed_in)

_MEMBER = "/channels/<channel_id>/members/<user_id>"


@endpoint(blueprint, "GET", "/channels", answers={200: ChannelsAnswer})
def list_channels(ctx: Context, query: WidePage) -> dict[str, Any]:
    """List the channels I can see: every public one of my organization, and mine."""
    return channels.list_channels(ctx, query.cursor, query.limit)


@endpoint(blueprint, "POST", "/channels", answers={201: ChannelAnswer}, errors=(403, 404, 409))
def create_channel(ctx: Context, body: NewChannel) -> dict[str, Any]:
    """Make a channel with me in it, and others where they are named."""
    return {"channel": channels.create_channel(ctx, body.name, body.private, body.member_ids)}


@endpoint(blueprint, "PATCH", "/channels/<channel_id>", answers={200: ChannelAnswer}, errors=(403, 404, 409))
def change_channel(ctx: Context, channel_id: str, body: ChannelChange) -> dict[str, Any]:
    """Rename a channel."""
    return {"channel": channels.change_channel(ctx, channel_id, body.name)}


@endpoint(blueprint, "GET", "/channels/<channel_id>/members", answers={200: MembersAnswer}, errors=(404,))
def list_members(ctx: Context, channel_id: str, query: WidePage) -> dict[str, Any]:
    """List who is in a channel."""
    return channels.list_members(ctx, channel_id, query.cursor, query.limit)


@endpoint(blueprint, "GET", _MEMBER, answers={200: MemberAnswer}, errors=(404,))
def show_member(ctx: Context, channel_id: str, user_id: str) -> dict[str, Any]:
    """Say whether, and since when, somebody is in a channel."""
    return {"member": channels.get_member(ctx, channel_id, user_id)}


@endpoint(blueprint, "PUT", _MEMBER, answers={200: MemberAnswer}, errors=(403, 404))
def add_member(ctx: Context, channel_id: str, user_id: str) -> dict[str, Any]:
    """Join a channel, or put somebody into it; doing it again changes nothing."""
    return {"member": channels.add_member(ctx, channel_id, user_id)}


@endpoint(blueprint, "DELETE", _MEMBER, answers={204: None}, errors=(403, 404, 422))
def remove_member(ctx: Context, channel_id: str, user_id: str) -> None:
    """Leave a channel, or take somebody out of it; doing it again changes nothing."""
    channels.remove_member(ctx, channel_id, user_id)
