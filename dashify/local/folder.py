"""The data folder: taken by one run at a time, with its secret key, its servers' ports and the record of the run."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from dashify.errors import DashifyError
from dashify.local import probes
from dashify.local.processes import start_time

LOCK_FILE, PORTS_FILE, SECRET_FILE, RUN_FILE = "lock", "ports.json", "secret_key", "run.json"
# The guard of a run that was killed lets go of the folder after 3 s at most; MongoDB's stand-in takes 2 to close.
WAIT_SECONDS = 10.0


class FolderRefused(DashifyError):
    """The data folder cannot be used; the message is for a person."""

    default_code = "folder_refused"


class Folder:
    """A data folder that this process has taken."""

    def __init__(self, path: Path, url: str) -> None:
        """Take the folder at `path`, creating it, for the run that is reached at `url`.

        Raises:
            FolderRefused: it cannot be written, or another run has it.
        """
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
            self._take()
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
            (self.path / RUN_FILE).unlink(missing_ok=True)
        except OSError as error:
            raise FolderRefused(f"The data folder {self.path} cannot be written: {error.strerror} "
                                "(--data chooses another one).") from error

    @property
    def lock(self) -> int:
        """The file descriptor that holds the folder; whoever keeps it open keeps the folder taken."""
        return self._lock

    def secret_key(self) -> str:
        """Give the secret that belongs to the data, made once."""
        file = self.path / SECRET_FILE
        if not file.exists():
            write_private(file, secrets.token_urlsafe(48))
        return file.read_text(encoding="utf-8").strip()

    def ports(self, names: Collection[str]) -> dict[str, int]:
        """Give each of `names` a free port: the one it had, where nobody else took it."""
        file = self.path / PORTS_FILE
        before = read_json(file)
        chosen: dict[str, int] = {}
        for name in names:
            port = before.get(name)
            if not isinstance(port, int) or port in chosen.values() or not probes.is_free(port):
                port = probes.free_port(chosen.values())
            chosen[name] = port
        write_private(file, json.dumps({**before, **chosen}, indent=2))
        return chosen

    def record(self, run: dict[str, Any]) -> None:
        """Write run.json anew; a reader sees the old or the new one whole."""
        write_private(self.path / RUN_FILE, json.dumps(run, indent=2))

    def forget_run(self) -> None:
        """Remove run.json: nothing runs any more."""
        (self.path / RUN_FILE).unlink(missing_ok=True)

    def _take(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _decoded(os.pread(self._lock, 4096, 0))
                pid = holder.get("pid")
                # Where the run itself is gone, its guard is ending what it left: that takes seconds.
                gone = isinstance(pid, int) and start_time(pid) is None
                if not gone or time.monotonic() > deadline:
                    raise FolderRefused(
                        f"Dashify is running already on {self.path}: process {pid or 'unknown'}, "
                        f"{holder.get('url', 'address unknown')} (--data chooses another folder)."
                    ) from None
                time.sleep(0.1)


def write_private(file: Path, text: str) -> None:
    """Replace `file` in one step by one that only its owner can read."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, file)


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object, empty where the file is missing or torn."""
    try:
        return _decoded(file.read_bytes())
    except OSError:
        return {}


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
