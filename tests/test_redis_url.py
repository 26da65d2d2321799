"""How the addresses of Redis are written, and what is said of a wrong one at the start."""

from __future__ import annotations

import pytest

from dashify.errors import SettingsError
from dashify.redis_url import SentinelAddress, parse_redis_url
from dashify.settings import from_env

SECRET = {"DASHIFY_SECRET_KEY": "x" * 48}


@pytest.mark.parametrize(("url", "address"), [
    ("redis+sentinel://a:1,b,[::1]:3/m", SentinelAddress((("a", 1), ("b", 26379), ("::1", 3)), "m")),
    ("redis+sentinel://u:p%40%2Fs@a:1/m/2", SentinelAddress((("a", 1),), "m", 2, "u", "p@/s")),
    ("redis+sentinel://:p@a/m?sentinel_password=q%26r", SentinelAddress(
        (("a", 26379),), "m", 0, None, "p", None, "q&r")),
    ("redis+sentinel://a,b/m?sentinel_user=s&sentinel_password=q", SentinelAddress(
        (("a", 26379), ("b", 26379)), "m", 0, None, None, "s", "q"))])
def test_sentinels_are_read_from_a_url(url: str, address: SentinelAddress) -> None:
    assert parse_redis_url(url) == address
    assert "p@/s" not in repr(parse_redis_url(url))


@pytest.mark.parametrize("url", ["redis://h", "redis://u:p@h:1/2", "rediss://h/0?ssl_cert_reqs=required",
                                 "unix:///run/redis.sock?db=1", "redis://[::1]:6379/0"])
def test_one_server_is_left_to_the_driver(url: str) -> None:
    assert parse_redis_url(url) == url


@pytest.mark.parametrize("name", ["DASHIFY_REDIS_URL", "DASHIFY_REDIS_PUBSUB_URL", "DASHIFY_REDIS_QUEUES_URL"])
@pytest.mark.parametrize(("url", "says"), [
    ("http://u:hidden@h", "must begin with redis://"), ("h:6379", "must begin with redis://"),
    ("redis://u:hidden@h:x/0", "port"), ("redis://u:hidden@h:0/0", "port"), ("redis://u:hidden@/0", "names no host"),
    ("redis://u:hidden@a:1,b:2/0", "takes redis+sentinel://"), ("redis://u:hidden@h/zero", "number of a database"),
    ("redis://u:hidden@h/0?socket_timeout=60", "option"), ("unix://", "path"),
    ("redis+sentinel://u:hidden@a:1,b:2", "must name the master"), ("redis+sentinel://u:hidden@a:1,,b/m", "HOST:PORT"),
    ("redis+sentinel://u:hidden@a:70000/m", "port"), ("redis+sentinel://u:hidden@a/m/x", "number of a database"),
    ("redis+sentinel://u:hidden@a/m?sentinel_usr=hidden", "option"),
    ("redis+sentinel://u:hidden@a/m?sentinel_user=s", "without a sentinel_password"),
    ("redis+sentinel://u:hid?den@a/m", "is no URL")])
def test_a_wrong_address_stops_the_start_with_one_sentence_that_tells_no_password(name: str, url: str,
                                                                                 says: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        from_env({**SECRET, name: url})
    message = refusal.value.message
    assert message.startswith(f"{name} ")
    assert says in message
    assert message.endswith(".")
    assert "hid" not in message
    assert "\n" not in message


def test_roles_that_are_not_set_share_the_one_address() -> None:
    settings = from_env({**SECRET, "DASHIFY_REDIS_URL": "redis://a/1", "DASHIFY_REDIS_QUEUES_URL": "redis://b/2"})
    assert (settings.redis_url, settings.redis_pubsub_url, settings.redis_queues_url) == (
        "redis://a/1", "", "redis://b/2")
    assert from_env(settings.to_env()) == settings
