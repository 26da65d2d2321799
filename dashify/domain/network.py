"""Network addresses and origins: who is asking, and from which page."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read a comma-separated list of addresses and CIDR ranges; raises `ValueError` where one is wrong."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def client_address(remote: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Give the address that counts: the right-most of `X-Forwarded-For` plus the peer that is not one of our proxies.

    What stands left of it was written by whoever asks. An IPv6 address counts by its /64, which is what one customer
    gets.
    """
    chain = [part.strip() for part in forwarded.split(",") if part.strip()] + [remote]
    chosen = chain[-1]
    for hop in reversed(chain):
        try:
            address = ip_address(hop.strip("[]"))
        except ValueError:
            break
        chosen = hop.strip("[]")
        if not any(address in network for network in trusted):
            break
    return _grouped(chosen)


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


def _grouped(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
