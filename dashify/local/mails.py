"""New mail on a laptop: files in a folder, shown in a line or two as they land, since nothing is sent."""

from __future__ import annotations

import email
import email.policy
import re
import time
from email.message import EmailMessage
from pathlib import Path

LINK = re.compile(r"https?://[^\s<>\"']+")
# A file younger than this may still be in the writing.
SETTLE_SECONDS = 0.3
LOOK_SECONDS = 0.5


class Mailbox:
    """Remembers which mails were there. `news` gives the lines to show for those that came since."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = {file.name for file in folder.glob("*.eml")}
        self._next_look = 0.0

    def news(self) -> list[str]:
        """Describe the mails that landed since the last call; looks twice a second at most."""
        if time.monotonic() < self._next_look:
            return []
        self._next_look = time.monotonic() + LOOK_SECONDS
        lines: list[str] = []
        for file in sorted(self._folder.glob("*.eml")):
            if file.name not in self._seen and time.time() - file.stat().st_mtime > SETTLE_SECONDS:
                self._seen.add(file.name)
                lines += summarize(file.read_bytes())
        return lines


def summarize(data: bytes) -> list[str]:
    """Say in one or two lines to whom a mail goes, what it is about, and which link it carries first."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    lines = [f"to {message.get('To', 'nobody')}: {message.get('Subject', '(no subject)')}"]
    body = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
    link = LINK.search(body.get_content()) if body else None
    return [*lines, link.group()] if link else lines
