"""The daily digest: what I have not read, in lines for a mail, by the rights that I have as it is written."""

from __future__ import annotations

from dashify.context import Context
from dashify.domain.digests import MOST_LINES
from dashify.services.channels import list_unread
from dashify.services.notifications import list_notifications

Part = tuple[str, tuple[str, ...]]
_TOLD = {"mention": "mentioned you", "reply": "replied in a thread of yours"}


def compose_digest(ctx: Context) -> list[Part]:
    """Give what I have not read as pairs of a heading and its lines, at most 20 each; nothing where I have read all.

    First who mentioned or answered me, newest first, then how much waits in each channel that I joined, most first.
    """
    told = list_notifications(ctx, None, MOST_LINES, unread=True)
    lines = tuple(f"#{one['channel_name']}: {one['author_name'] or 'Somebody'} {_TOLD[one['kind']]}: {one['snippet']}"
                  for one in told["notifications"])
    waiting = sorted(list_unread(ctx), key=lambda one: (-one[1], one[0].casefold()))
    counts = tuple(f"#{name}: {_counted(unread)}" for name, unread in waiting[:MOST_LINES])
    parts = [(_heading("Mentions and replies", len(lines), told["unread"]), lines),
             (_heading("Unread messages", len(counts), len(waiting)), counts)]
    return [part for part in parts if part[1]]


def _heading(title: str, shown: int, found: int) -> str:
    return f"{title} ({shown} of {found})" if found > shown else title


def _counted(unread: int) -> str:
    return "1 message" if unread == 1 else f"{unread} messages"
