"""What may come in: one text type, one number type, and a model for every body and query."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StringConstraints, model_validator

from dashify.domain.accounts import is_reserved
from dashify.domain.digests import USUAL_ZONE, is_zone
from dashify.domain.inputs import MAX_NUMBER, ClientId, Identifier, Input, MessageText, Number, Text

MAX_PAGE = 200
USUAL_PAGE = 50

_DIGITS = re.compile(r"[+-]?[0-9]{1,30}", re.ASCII)
_CONTROL = ("Cc", "Zl", "Zp")


def _one_line(value: str) -> str:
    if any(unicodedata.category(character) in _CONTROL for character in value):
        raise ValueError("must be one line without control characters")
    return value


def _normal_email(value: str) -> str:
    """Normalize an address. Whether it is delivered to is proven by mail, and closed networks use reserved domains.

    The library refuses those by their last label, so it is given one more.
    """
    try:
        checked = validate_email(value.strip() + ".com", check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("must be an email address") from None
    return checked.normalized.removesuffix(".com").lower()


def _emoji(value: str) -> str:
    if any(one in "$./\ufffd" or unicodedata.category(one) in (*_CONTROL, "Zs") for one in value):
        raise ValueError("must be an emoji, without spaces, control characters, '$' or '.'")
    return value


def _whole(value: Any) -> Any:
    """Read a number out of a query string, where everything is text."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise ValueError("must be a whole number")
        return int(value)
    return value


def _flag(value: Any) -> Any:
    """Read a yes or no out of a query string."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("must be a time zone such as Europe/Berlin")
    return value


def _zone_or_usual(value: str) -> str:
    """A browser may know a newer zone than this host, and nobody is to be kept from signing up by that."""
    return value if is_zone(value) else USUAL_ZONE


def _not_reserved(value: str) -> str:
    if is_reserved(value):
        raise ValueError("is a name that nobody can go by here")
    return value


def _at_most_a_page(size: int) -> int:
    return min(size, MAX_PAGE)


Line = Annotated[Text, AfterValidator(_one_line), StringConstraints(strip_whitespace=True)]
Name = Annotated[Line, StringConstraints(min_length=1, max_length=80)]
PersonName = Annotated[Name, AfterValidator(_not_reserved)]
Email = Annotated[Text, StringConstraints(min_length=3, max_length=254), AfterValidator(_normal_email)]
NewPassword = Annotated[Text, StringConstraints(min_length=8, max_length=1_000)]
Password = Annotated[Text, StringConstraints(min_length=1, max_length=1_000)]
Token = Annotated[Line, StringConstraints(min_length=1, max_length=200)]
ShortLine = Annotated[Line, StringConstraints(max_length=64)]
Emoji = Annotated[Text, StringConstraints(min_length=1, max_length=32), AfterValidator(_emoji)]
QueryNumber = Annotated[Number, BeforeValidator(_whole)]
PositiveNumber = Annotated[StrictInt, Field(ge=1, le=MAX_NUMBER), BeforeValidator(_whole)]
PieceNumber = Annotated[StrictInt, Field(ge=-1, le=MAX_NUMBER), BeforeValidator(_whole)]
PageSize = Annotated[int, Field(ge=1, le=MAX_NUMBER, description="More than 200 counts as 200."),
                     AfterValidator(_at_most_a_page), BeforeValidator(_whole)]
ZoneName = Annotated[Line, StringConstraints(min_length=1, max_length=64)]
TimeZone = Annotated[ZoneName, AfterValidator(_zone)]
BrowserZone = Annotated[ZoneName, Field(description="One that is not known here counts as UTC."),
                        AfterValidator(_zone_or_usual)]
Flag = Annotated[bool, BeforeValidator(_flag)]
RoleName = Literal["owner", "admin", "member", "guest"]


class SignUp(Input):
    """A new organization and its owner."""

    organization: Name
    name: PersonName
    email: Email
    password: NewPassword
    time_zone: BrowserZone | None = None


class SignIn(Input):
    """Proof of who one is. `code` is for a second factor, which no account has yet."""

    email: Email
    password: Password
    code: ShortLine | None = None


class ResetRequest(Input):
    """Where to send a link for a new password."""

    email: Email


class ResetConfirmation(Input):
    """A link's token and the password it is to set."""

    token: Token
    password: NewPassword


class Acceptance(Input):
    """An invitation's token, and who joins by it."""

    token: Token
    name: PersonName
    password: NewPassword
    time_zone: BrowserZone | None = None


class Profile(Input):
    """What I may change of myself; at least one of the three."""

    name: PersonName | None = None
    time_zone: TimeZone | None = None
    digest: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Profile:
        if self.name is None and self.time_zone is None and self.digest is None:
            raise ValueError("name, time_zone or digest is required")
        return self


class Nothing(Input):
    """An empty object: the address says it all."""


class PasswordChange(Input):
    """The password I have and the one I want."""

    current: Password
    password: NewPassword


class PersonChange(Input):
    """What an admin may change of somebody; at least one of the two."""

    role: RoleName | None = None
    active: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> PersonChange:
        if self.role is None and self.active is None:
            raise ValueError("role or active is required")
        return self


class NewInvitation(Input):
    """Whom to invite, and as what."""

    email: Email
    role: RoleName


class NewChannel(Input):
    """A channel to make."""

    name: Name
    private: bool = False
    member_ids: Annotated[list[Identifier], Field(max_length=500)] = Field(default_factory=list)


class ChannelChange(Input):
    """A channel's new name."""

    name: Name


class NewMessage(Input):
    """A message to post."""

    text: MessageText
    client_id: ClientId | None = None
    thread_id: Identifier | None = None


class MessageEdit(Input):
    """A message's new text."""

    text: MessageText


class NewReport(Input):
    """A report to make; its file is there for 30 days. A channel's report names its channel.

    Reports of the members and of the audit log are for owners and admins. CSV holds every column and is harmless in a
    spreadsheet. PDF holds the same rows, however many, with the columns that fit on paper; what no font has, it shows
    as a replacement character.
    """

    kind: Literal["channel", "members", "audit"]
    format: Literal["csv", "pdf"]
    channel_id: Identifier | None = None

    @model_validator(mode="after")
    def _complete(self) -> NewReport:
        if self.kind == "channel" and self.channel_id is None:
            raise ValueError("channel_id is required for a channel's report")
        return self


class Page(Input):
    """Which part of a list: the `next` of the page before as `cursor`, and how many at most."""

    cursor: ShortLine | None = None
    limit: PageSize = USUAL_PAGE


class WidePage(Page):
    """As `Page`, for lists that are short or wanted whole."""

    limit: PageSize = MAX_PAGE


class QueuePage(Page):
    """Which jobs of a queue; `failed` ones can be put back."""

    status: Literal["queued", "running", "failed"] = "failed"


class NotificationPage(Page):
    """Which part of my notifications; `unread=true` leaves out what I have read."""

    unread: Flag = False


class ReadNotifications(Input):
    """Which notifications to mark as read: some by `ids`, or `all` of them; exactly one of the two."""

    ids: Annotated[list[Identifier], Field(min_length=1, max_length=200)] | None = None
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> ReadNotifications:
        if (self.ids is None) == (self.all is None):
            raise ValueError("exactly one of ids and all is required")
        return self


class AuditPage(Page):
    """As `Page`, of the entries of one action or one person where it is given."""

    action: ShortLine | None = None
    actor_id: ShortLine | None = None


class MessagePage(Input):
    """Messages before a place, newest first, or after one, oldest first; both exclusive, never both at once."""

    before: QueryNumber | None = None
    after: QueryNumber | None = None
    limit: PageSize = USUAL_PAGE


class ChangePage(Input):
    """The change number one holds, and the epoch it was got in. Up to 200 changes come at once."""

    after: QueryNumber
    epoch: ShortLine | None = None


class InvitationToken(Input):
    """The token in an invitation's link."""

    token: Token
