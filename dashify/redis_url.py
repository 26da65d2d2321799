"""Addresses of Redis as the settings write them: one server, or sentinels that know which server is the master.

`redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `rediss://…` over TLS, `unix:///PATH`, or
`redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/MASTER[/DB][?sentinel_user=…&sentinel_password=…]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SENTINEL_SCHEME = "redis+sentinel"
SENTINEL_PORT = 26379
_DIRECT_SCHEMES = ("redis", "rediss", "unix")
# Time limits are no operator's choice: the gate's promises rest on ours.
_DIRECT_OPTIONS = re.compile(r"db|username|password|client_name|ssl_\w+")
_SENTINEL_OPTIONS = ("sentinel_user", "sentinel_password")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+)(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Who to ask for the master called `master`, and how to sign in: to it, and to the sentinels."""

    hosts: tuple[tuple[str, int], ...]
    master: str
    db: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)


def parse_redis_url(url: str) -> SentinelAddress | str:
    """Give the sentinels that `url` names, or `url` itself, without blanks around it, where it names one server.

    Raises:
        ValueError: it names neither; the message goes on after the setting's name and repeats nothing secret.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme == SENTINEL_SCHEME:
        return _sentinels(parts, options)
    if parts.scheme not in _DIRECT_SCHEMES:
        raise ValueError("must begin with redis://, rediss://, unix:// or redis+sentinel://")
    _check_direct(parts, options)
    return url.strip()


def _check_direct(parts: SplitResult, options: dict[str, str]) -> None:
    _refuse_unknown(name for name in options if not _DIRECT_OPTIONS.fullmatch(name))
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("names no path of a socket")
        return
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("names several servers, which takes redis+sentinel://")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("has a port that is no number between 1 and 65535")
    if not parts.hostname:
        raise ValueError("names no host")
    _database(options.get("db", parts.path.strip("/")))


def _sentinels(parts: SplitResult, options: dict[str, str]) -> SentinelAddress:
    _refuse_unknown(options.keys() - set(_SENTINEL_OPTIONS))
    signing_in, _, hosts = parts.netloc.rpartition("@")
    user, _, password = signing_in.partition(":")
    master, _, db = parts.path.strip("/").partition("/")
    if not master:
        raise ValueError("must name the master after the sentinels, as in redis+sentinel://a:26379,b:26379/dashify")
    if options.get("sentinel_user") and not options.get("sentinel_password"):
        raise ValueError("has a sentinel_user without a sentinel_password")
    return SentinelAddress(
        tuple(dict.fromkeys(map(_host, hosts.split(",")))), unquote(master), _database(db), unquote(user) or None,
        unquote(password) or None, options.get("sentinel_user") or None, options.get("sentinel_password") or None)


def _host(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError("must list sentinels as HOST:PORT, separated by commas")
    port = int(found["port"] or SENTINEL_PORT)
    if not 0 < port < 65536:
        raise ValueError("has a port that is no number between 1 and 65535")
    return found["host"].strip("[]"), port


def _database(text: str) -> int:
    if text and not re.fullmatch(r"[0-9]{1,5}", text):
        raise ValueError("must end with the number of a database, or nothing")
    return int(text or 0)


def _refuse_unknown(names: Iterable[str]) -> None:
    # Not repeated: what looks like an option may be a piece of a password that was not percent-encoded.
    if any(True for _ in names):
        raise ValueError("has an option that is not known")
