"""The servers that every other test stands on."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from pymongo import MongoClient
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeout

from dashify.local.servers import ServerFailed, running_mongodb, running_redis


def test_redis_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        Redis.from_url(server.url).set("name", "alice")
        first = server.pid
        server.restart()
        assert server.pid != first
        assert Redis.from_url(server.url).get("name") == b"alice"


def test_redis_keeps_its_port_after_being_killed(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        server.kill()
        assert server.pid == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(server.url.split(":")[2].split("/")[0])), 1)
        server.start()
        assert Redis.from_url(server.url).ping()


def test_a_frozen_redis_says_nothing_until_it_is_thawed(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        client = Redis.from_url(server.url, socket_timeout=0.2, retry=None)
        server.freeze()
        with pytest.raises(RedisTimeout):
            client.ping()
        server.thaw()
        assert Redis.from_url(server.url).ping()


def test_mongodb_keeps_acknowledged_writes_when_killed(tmp_path: Path) -> None:
    with running_mongodb(tmp_path) as server:
        with MongoClient[dict[str, object]](server.url) as client:
            client.app.people.insert_one({"name": "alice"})
        os.kill(server.pid, signal.SIGKILL)
        server.kill()
        server.start()
        with MongoClient[dict[str, object]](server.url) as client, client.start_session() as session:
            with session.start_transaction():
                client.app.people.insert_one({"name": "bob"}, session=session)
            assert [person["name"] for person in client.app.people.find()] == ["alice", "bob"]


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ServerFailed, match="Address already in use"),
        running_redis(tmp_path, port=taken.getsockname()[1]),
    ):
        pass
