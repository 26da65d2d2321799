"""My notifications: who mentioned me, and who wrote in my threads."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.answers import NotificationsAnswer, UnreadAnswer
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import NotificationPage, ReadNotifications
from dashify.context import Context
from dashify.services import notifications

blueprint = guarded("notifications", signed_in)


@endpoint(blueprint, "GET", "/notifications", answers={200: NotificationsAnswer})
def list_notifications(ctx: Context, query: NotificationPage) -> dict[str, Any]:
    """List my notifications, newest first; not those of messages that I cannot see any more."""
    return notifications.list_notifications(ctx, query.cursor, query.limit, query.unread)


@endpoint(blueprint, "POST", "/notifications/read", answers={200: UnreadAnswer})
def mark_read(ctx: Context, body: ReadNotifications) -> dict[str, Any]:
    """Mark some of my notifications as read, or all; what is not mine or not there is passed over."""
    return {"unread": notifications.mark_read(ctx, body.ids)}
