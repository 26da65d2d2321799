"""The table of what a laptop runs as Dashify, from the data folder and the options, and the record of it.

Where the environment names a server of a kind, that one is used and none of ours is started.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dashify.local import embedded, probes
from dashify.local.folder import Folder
from dashify.local.processes import ROOT
from dashify.local.supervisor import Child
from dashify.settings import Settings, child_environment, chosen, from_env

QUEUES = ("emails", "reports", "indexer", "notifications", "audit", "assistant")
SERVERS_WAVE, SCHEMA_WAVE, API_WAVE, WORKERS_WAVE = range(1, 5)
STOP_API, STOP_WORKERS, STOP_SCHEDULER, STOP_MODELS, STOP_QDRANT, STOP_MONGODB, STOP_REDIS = range(1, 8)
# Longer than the limit the process keeps itself, so that it, and not we, decides when to give up.
EXTRA_SECONDS = 10.0
DATA_HURRIED_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class ServerKind:
    """One kind of data server: its key in run.json, the setting that names it, and how ours is described."""

    name: str
    setting: str
    describe: Callable[[Path, int], embedded.Embedded]
    stop_wave: int


SERVERS = (
    ServerKind("redis", "redis_url", embedded.redis_server, STOP_REDIS),
    ServerKind("mongodb", "mongodb_url", embedded.mongodb_server, STOP_MONGODB),
    ServerKind("qdrant", "qdrant_url", embedded.qdrant_server, STOP_QDRANT),
    ServerKind("models", "embedding_url", embedded.models_server, STOP_MODELS),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What `app.py` was asked for: the first instance's port, how many instances, where the data is, demo or not."""

    port: int = 8000
    instances: int = 2
    data: Path = Path(".dashify")
    demo: bool = True

    @property
    def url(self) -> str:
        """Where the first instance is reached."""
        return self.instance_url(0)

    def instance_url(self, index: int) -> str:
        """Where the instance `index`, from 0, is reached."""
        return f"http://127.0.0.1:{self.port + index}"


@dataclass(frozen=True, slots=True)
class Stack:
    """The whole table, with the addresses of the servers, ours or chosen."""

    options: Options
    children: list[Child]
    servers: dict[str, str]
    metrics: dict[str, int]
    environment: Mapping[str, str] = field(repr=False)

    def record(self, pid: Callable[[str], int | None], demo: dict[str, str] | None) -> dict[str, Any]:
        """Give run.json's content; `pid` tells a child's process id by its name."""
        apis = [{"instance": f"api-{i + 1}", "url": self.options.instance_url(i), "pid": pid(f"api-{i + 1}")}
                for i in range(self.options.instances)]
        ours = {child.name for child in self.children}
        servers = {name: {"url": url, "pid": pid(name)} if name in ours else {"url": url}
                   for name, url in self.servers.items()}
        workers = [{"queue": queue, "pid": pid(f"worker-{queue}"), "metrics_port": self.metrics[f"worker-{queue}"]}
                   for queue in QUEUES]
        scheduler = {"pid": pid("scheduler"), "metrics_port": self.metrics["scheduler"]}
        return {"api": apis, **servers, "workers": workers, "scheduler": scheduler, "demo": demo}


def describe(options: Options, folder: Folder) -> Stack:
    """Lay out the table for `options` on the data in `folder`.

    Raises:
        SettingsError: a setting in the environment is wrong, or a server's program is missing.
    """
    metered = [f"worker-{queue}" for queue in QUEUES] + ["scheduler"]
    ports = folder.ports([kind.name for kind in SERVERS] + metered)
    children: list[Child] = []
    servers: dict[str, str] = {}
    ours = _own_settings(options, folder)
    for kind in SERVERS:
        url = chosen(kind.setting)
        if url is None:
            server = kind.describe(folder.path / kind.name, ports[kind.name])
            children.append(_server_child(kind, server))
            url = ours[f"DASHIFY_{kind.setting.upper()}"] = server.url
        servers[kind.name] = url
    settings = from_env(child_environment(ours))
    children.append(_schema(ours))
    children += [_api(options, index, settings, ours) for index in range(options.instances)]
    children += [_worker(f"worker-{queue}", (queue,), ports, settings, ours) for queue in QUEUES]
    children.append(_worker("scheduler", ("--scheduler",), ports, settings, ours))
    return Stack(options, children, servers, {name: ports[name] for name in metered}, ours)


def _own_settings(options: Options, folder: Folder) -> dict[str, str]:
    """Give what we set for the children because nobody else did."""
    ours: dict[str, str] = {}
    if chosen("public_url") is None:
        ours["DASHIFY_PUBLIC_URL"] = options.url
    if chosen("public_instances") is None:
        ours["DASHIFY_PUBLIC_INSTANCES"] = ",".join(map(options.instance_url, range(options.instances)))
    if chosen("secret_key") is None:
        ours["DASHIFY_SECRET_KEY"] = folder.secret_key()
    if chosen("mail_url") is None:
        mails = folder.path / "mails"
        mails.mkdir(mode=0o700, exist_ok=True)
        ours["DASHIFY_MAIL_URL"] = mails.as_uri()
    return ours


def _server_child(kind: ServerKind, server: embedded.Embedded) -> Child:
    return Child(
        name=kind.name, command=server.command, answers=server.answers,
        address=server.url.removeprefix("http://").partition("?")[0],
        start_wave=SERVERS_WAVE, stop_wave=kind.stop_wave, hurried_seconds=DATA_HURRIED_SECONDS,
    )


def _schema(ours: Mapping[str, str]) -> Child:
    """Migrate the database before anything of ours works on it; on a laptop nobody else does."""
    return Child(
        name="schema", command=(sys.executable, "-m", "dashify.migrate"), answers=lambda: False,
        environment={**ours, "PYTHONUNBUFFERED": "1"}, start_wave=SCHEMA_WAVE, stop_wave=STOP_API, once=True,
        # An index of years of messages may take that long.
        ready_seconds=3600.0,
    )


def _api(options: Options, index: int, settings: Settings, ours: Mapping[str, str]) -> Child:
    name, url = f"api-{index + 1}", options.instance_url(index)
    return Child(
        name=name, command=(sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"),
        answers=partial(probes.http_answers, url + "/readyz"), address=url,
        environment={**ours, "DASHIFY_BIND": url.removeprefix("http://"), "DASHIFY_INSTANCE": name,
                     "PYTHONUNBUFFERED": "1"},
        start_wave=API_WAVE, stop_wave=STOP_API, stop_seconds=settings.drain_limit_seconds + EXTRA_SECONDS,
    )


def _worker(
    name: str, arguments: tuple[str, ...], ports: Mapping[str, int], settings: Settings, ours: Mapping[str, str],
) -> Child:
    port = ports[name]
    return Child(
        name=name, command=(sys.executable, str(ROOT / "worker.py"), *arguments),
        answers=partial(probes.http_answers, f"http://127.0.0.1:{port}/metrics"),
        environment={**ours, "DASHIFY_INSTANCE": name, "DASHIFY_METRICS_PORT": str(port), "PYTHONUNBUFFERED": "1"},
        start_wave=WORKERS_WAVE, stop_wave=STOP_SCHEDULER if name == "scheduler" else STOP_WORKERS,
        stop_seconds=settings.worker_stop_seconds + EXTRA_SECONDS,
    )
