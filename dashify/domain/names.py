"""Identifiers, Redis keys, pub/sub channels and rooms. Every name that two places must agree on is built here."""

from __future__ import annotations

import re
import secrets
import time

_ID = re.compile(r"[0-9a-f]{24}")

EVENTS_CHANNEL = "dashify:events"
CONTROL_CHANNEL = "dashify:control"


def new_id() -> str:
    """Make an identifier: 24 hex digits, the first 12 from the clock so that later ones sort later in an index."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"


def is_id(value: str) -> bool:
    """Tell whether `value` has the shape of an identifier; anything else is answered as absent."""
    return _ID.fullmatch(value) is not None


def tenant_room(tenant_id: str) -> str:
    """Name the room of everybody in an organization."""
    return f"{tenant_id}:all"


def browsers_room(tenant_id: str) -> str:
    """Name the room of those in an organization who see every public channel: everybody but guests."""
    return f"{tenant_id}:browsers"


def admins_room(tenant_id: str) -> str:
    """Name the room of those in an organization who look after its queues."""
    return f"{tenant_id}:admins"


def channel_room(tenant_id: str, channel_id: str) -> str:
    """Name the room of those who can see a channel."""
    return f"{tenant_id}:channel:{channel_id}"


def user_room(tenant_id: str, user_id: str) -> str:
    """Name the room of one person's sockets."""
    return f"{tenant_id}:user:{user_id}"


def session_key(key_hash: str) -> str:
    """Name the Redis key of a session; `key_hash` is the SHA-256 of the cookie, so a dump of Redis signs nobody in."""
    return f"dashify:session:{key_hash}"


def epoch_key(user_id: str) -> str:
    """Name the Redis key of a user's epoch: `session_epoch:version`."""
    return f"dashify:epoch:{user_id}"


def limit_key(kind: str, subject: str) -> str:
    """Name the Redis key that counts `subject` towards the limit `kind`."""
    return f"dashify:limit:{kind}:{subject}"


def presence_key(tenant_id: str) -> str:
    """Name the sorted set of who is connected: member `user_id|instance`, score the second it expires."""
    return f"dashify:presence:{tenant_id}"


def model_keys(part: str) -> str:
    """Name a Redis key of the line in front of the model hosts, or (`slots:HOST`) of what one of them computes."""
    return f"dashify:models:{part}"


def token_log_key(tenant_id: str, answer_id: str) -> str:
    """Name the Redis stream of an answer's pieces."""
    return f"dashify:answer:{tenant_id}:{answer_id}"


def redis_probe_key(role: str) -> str:
    """Name the Redis key that is written to find out whether the Redis of a role takes writes."""
    return f"dashify:probe:{role}"


def session_cookie(secure: bool) -> str:
    """Name the session cookie; behind TLS with the prefix that binds it to this host."""
    return "__Host-dashify_session" if secure else "dashify_session"


def csrf_cookie(secure: bool) -> str:
    """Name the readable cookie that a write must repeat in its header."""
    return "__Host-dashify_csrf" if secure else "dashify_csrf"
