"""Who is asking, and from which page."""

from __future__ import annotations

import pytest

from dashify.domain.network import client_address, is_own_origin, origin_of, parse_networks
from dashify.errors import SettingsError

OURS = parse_networks("10.0.0.0/8, ::1")


@pytest.mark.parametrize(("peer", "forwarded", "counts"), [
    ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
    ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
    ("10.0.0.1", "", "10.0.0.1"),
    ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
    ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("::1", "[2001:db8::1]", "2001:db8::/64"),
    ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
    ("::ffff:203.0.113.9", "", "203.0.113.9"),
])
def test_the_address_that_counts_is_the_last_one_nobody_of_ours_vouches_for(
        peer: str, forwarded: str, counts: str) -> None:
    assert client_address(peer, forwarded, OURS) == counts


@pytest.mark.parametrize(("peer", "forwarded"), [("", ""), ("10.0.0.1", "203.0.113.9, garbage"), ("10.0.0.1", "\x00")])
def test_what_is_no_address_never_names_another_visitor(peer: str, forwarded: str) -> None:
    assert client_address(peer, forwarded, OURS) == "unknown"


def test_a_header_counts_for_nothing_where_no_proxy_is_trusted() -> None:
    assert client_address("203.0.113.9", "127.0.0.1", parse_networks("")) == "203.0.113.9"


def test_a_wrong_list_of_proxies_is_named_in_the_error() -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_networks("10.0.0.0/8, somewhere")
    assert "DASHIFY_TRUSTED_PROXIES" in refusal.value.message
    assert "somewhere" in refusal.value.message


@pytest.mark.parametrize(("url", "origin"), [
    ("https://Team.Example:443/a?b", "https://team.example"), ("http://team.example:80", "http://team.example"),
    ("http://team.example:8000/", "http://team.example:8000"), ("http://[::1]:8000", "http://[::1]:8000"),
    ("null", ""), ("", ""), ("ftp://team.example", ""), ("https://", ""), ("http://team.example:99999", ""),
])
def test_an_origin_has_no_path_and_no_default_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(("origin", "ours"), [
    ("http://127.0.0.1:8000", True), ("https://127.0.0.1:8000", True), ("https://team.example", True),
    ("http://127.0.0.1:8001", False), ("http://127.0.0.1", False), ("http://team.example", False),
    ("https://team.example.evil.test", False), ("https://evil.test", False), ("null", False), ("", False),
])
def test_a_page_is_ours_by_the_requests_host_or_the_public_address(origin: str, ours: bool) -> None:
    assert is_own_origin(origin, "127.0.0.1:8000", ["https://team.example/app", ""]) is ours
