"""Where a request comes from: the address that counts towards limits, and the device as its owner would name it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from flask import Request, current_app, request

from dashify.domain.accounts import Client
from dashify.errors import SettingsError

Network = IPv4Network | IPv6Network

# The order matters: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,30}", re.ASCII)


def parse_proxies(setting: str) -> tuple[Network, ...]:
    """Read the networks of trusted proxies, separated by commas.

    Raises:
        SettingsError: one of them is no network.
    """
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in setting.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(f"DASHIFY_TRUSTED_PROXIES must list networks such as 10.0.0.0/8: {error}.") from error


def the_client() -> Client:
    """Give the client of this request, for sign-ins and their limits."""
    return Client(describe_device(request.headers.get("User-Agent", "")), client_address(request))


def client_address(request: Request) -> str:
    """Give the address that counts: the right-most of `X-Forwarded-For` that is no trusted proxy's. IPv6 by its /64."""
    return address_of(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""),
                      current_app.extensions["dashify.proxies"])


def address_of(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Give the address behind `peer` as far back as trusted proxies vouch for it, IPv6 grouped by its /64."""
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    address = peer
    while hops and _within(address, trusted):
        address = hops.pop()
    return _grouped(address)


def describe_device(user_agent: str) -> str:
    """Name a device as its owner would: "Firefox on Linux"; a program by its product name."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser:
        return f"{browser} on {system}" if system else browser
    product = _PRODUCT.match(user_agent)
    return product.group() if product else "Unknown device"


def is_loopback(address: str) -> bool:
    """Tell whether an address is this host's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _within(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def _grouped(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found) >> 64 << 64, 64))) if not found.is_loopback else str(found)
