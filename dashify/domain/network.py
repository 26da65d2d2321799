"""Network addresses and origins: who is asking, and from which page."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from dashify.errors import SettingsError

Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"


def parse_networks(setting: str) -> tuple[Network, ...]:
    """Read the networks of trusted proxies, addresses or CIDR ranges, separated by commas.

    Raises:
        SettingsError: one of them is no network.
    """
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in setting.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(f"DASHIFY_TRUSTED_PROXIES must list networks such as 10.0.0.0/8: {error}.") from error


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Give the address that counts: the right-most of `X-Forwarded-For` plus the peer that is not one of our proxies.

    What stands left of it was written by whoever asks. An IPv6 address counts by its /64, which is what one customer
    gets; what is no address counts as `unknown`.
    """
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    address = _parsed(peer)
    while hops and address is not None and any(address in network for network in trusted):
        address = _parsed(hops.pop())
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return str(ip_network((address, 64), strict=False))
    return str(address)


def origin_of(url: str) -> str:
    """Give `scheme://host[:port]` of a URL in lower case, without a default port; an empty string for what is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, default) else "")


def is_own_origin(origin: str, host: str, allowed: Sequence[str]) -> bool:
    """Tell whether a page of `origin` is ours: served from the request's own `host`, or from one of `allowed` URLs."""
    known = origin_of(origin)
    if not known:
        return False
    own = {origin_of(f"http://{host}"), origin_of(f"https://{host}")}
    return known in own or known in {origin_of(url) for url in allowed}


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
