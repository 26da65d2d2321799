"""Where a request comes from: the address that counts towards limits, and the device as its owner would name it."""

from __future__ import annotations

import re
from ipaddress import ip_address

from flask import current_app, request

from dashify.domain.accounts import Client
from dashify.domain.network import client_address

# The order matters: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,30}", re.ASCII)


def the_client() -> Client:
    """Give the client of this request, for sign-ins and their limits."""
    return Client(describe_device(request.headers.get("User-Agent", "")), the_address())


def the_address() -> str:
    """Give the network address that counts of whoever makes this request."""
    return client_address(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""),
                          current_app.extensions["dashify.proxies"])


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
