"""People, roles and what each role may do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from dashify.domain.digests import USUAL_ZONE

INVITATION_DAYS = 7
RESET_MINUTES = 60
_RESERVED_NAMES = frozenset({"assistant"})


class Role(StrEnum):
    """What somebody is in their organization, highest first."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"

    @property
    def rank(self) -> int:
        """Give the role's height: 3 for an owner, 0 for a guest."""
        return 3 - list(Role).index(self)


_GUEST = {"channel.read", "channel.post", "profile.edit", "report.channel"}
_MEMBER = _GUEST | {"channel.browse", "channel.create", "people.list", "document.write"}
_ADMIN = _MEMBER | {"people.invite", "people.manage", "channel.manage", "message.moderate", "queue.view",
                    "queue.manage", "audit.read", "report.members", "report.audit", "document.manage",
                    "assistant.manage"}
PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.OWNER: frozenset(_ADMIN | {"organization.manage"}),
    Role.ADMIN: frozenset(_ADMIN),
    Role.MEMBER: frozenset(_MEMBER),
    Role.GUEST: frozenset(_GUEST),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting: a person in their organization, as of one epoch, and by which session.

    `private_channels` are the ids of private channels the person belongs to; `joined` those of every channel joined.
    `session_id` is the public handle of the session, None for a job. `digest` says whether they want a daily mail.
    `superadmin` is somebody who looks after the whole installation; it gives them nothing in any organization.
    """

    user_id: str
    tenant_id: str
    role: Role
    name: str
    email: str
    organization: str
    version: str
    private_channels: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    session_id: str | None = field(default=None)
    superadmin: bool = False
    time_zone: str = USUAL_ZONE
    digest: bool = True

    def may(self, permission: str) -> bool:
        """Tell whether the actor's role carries `permission` (`<area>.<verb>`)."""
        return permission in PERMISSIONS[self.role]

    def sees(self, channel_id: str, private: bool) -> bool:
        """Tell whether the actor can see a channel: a member of it, or it is public and they may browse."""
        if private:
            return channel_id in self.private_channels
        return self.may("channel.browse") or channel_id in self.joined


@dataclass(frozen=True, slots=True)
class Client:
    """Where somebody signs in from: a readable `device` (such as "Firefox on Linux") and the network `address`."""

    device: str
    address: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of proving who one is: the actor, and the secret `cookie` that stands for the session."""

    actor: Actor
    cookie: str


def is_reserved(name: str) -> bool:
    """Tell whether `name` is one that no person may go by, since it is not a person's."""
    return " ".join(name.split()).casefold() in _RESERVED_NAMES


def may_give(giver: Role, role: Role) -> bool:
    """Tell whether `giver` may make somebody `role`: never above their own."""
    return role.rank <= giver.rank


def new_token() -> str:
    """Make an unguessable token of 256 bits for a link or a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Give what is stored in a token's place: SHA-256 in hex. The token has 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def derive_token(secret_key: str, purpose: str, subject_id: str) -> str:
    """Give the token of a link (`purpose` such as "invitation") so that it need not be stored or put into a job.

    HMAC-SHA256 under the installation's key: whoever does not hold the key can neither make nor guess one.
    """
    digest = hmac.new(secret_key.encode(), f"{purpose}:{subject_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
