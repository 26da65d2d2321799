"""Messages: reading, changing, reacting, and catching up."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.answers import ChangesAnswer, MessageAnswer, MessagesAnswer
from dashify.blueprints.guards import guarded, rates, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import ChangePage, Emoji, MessageEdit, MessagePage, NewMessage
from dashify.context import Context
from dashify.services import chat

blueprint = guarded("messages", signed_in)

_REACTION = "/messages/<message_id>/reactions/<emoji>"


@endpoint(blueprint, "GET", "/channels/<channel_id>/messages", answers={200: MessagesAnswer}, errors=(404,))
def list_messages(ctx: Context, channel_id: str, query: MessagePage) -> dict[str, Any]:
    """List a channel's messages: newest first, or oldest first with `after`."""
    return chat.list_messages(ctx, channel_id, query.before, query.after, query.limit)


@endpoint(blueprint, "POST", "/channels/<channel_id>/messages", answers={201: MessageAnswer, 200: MessageAnswer},
          errors=(404, 409, 429))
def post_message(ctx: Context, channel_id: str, body: NewMessage) -> tuple[dict[str, Any], int]:
    """Post a message; the same `client_id` again gives the message it made before, with 200."""
    rates().take("posts", ctx.actor.user_id, ctx.settings.limits.posts_per_second)
    message, created = chat.post_message(ctx, channel_id, body.text, body.client_id, body.thread_id)
    return {"message": message}, 201 if created else 200


@endpoint(blueprint, "PATCH", "/messages/<message_id>", answers={200: MessageAnswer}, errors=(403, 404))
def edit_message(ctx: Context, message_id: str, body: MessageEdit) -> dict[str, Any]:
    """Change the text of my own message."""
    return {"message": chat.edit_message(ctx, message_id, body.text)}


@endpoint(blueprint, "DELETE", "/messages/<message_id>", answers={200: MessageAnswer}, errors=(403, 404))
def delete_message(ctx: Context, message_id: str) -> dict[str, Any]:
    """Delete a message; a tombstone keeps its place."""
    return {"message": chat.delete_message(ctx, message_id)}


@endpoint(blueprint, "PUT", _REACTION, answers={200: MessageAnswer}, errors=(404, 422))
def add_reaction(ctx: Context, message_id: str, emoji: Emoji) -> dict[str, Any]:
    """Put my reaction on a message."""
    return {"message": chat.react(ctx, message_id, emoji, True)}


@endpoint(blueprint, "DELETE", _REACTION, answers={200: MessageAnswer}, errors=(404,))
def remove_reaction(ctx: Context, message_id: str, emoji: Emoji) -> dict[str, Any]:
    """Take my reaction off a message."""
    return {"message": chat.react(ctx, message_id, emoji, False)}


@endpoint(blueprint, "GET", "/channels/<channel_id>/changes", answers={200: ChangesAnswer}, errors=(404,))
def list_changes(ctx: Context, channel_id: str, query: ChangePage) -> dict[str, Any]:
    """List what changed after a change number, each message once in its present state, oldest change first."""
    return chat.list_changes(ctx, channel_id, query.after, query.epoch)
