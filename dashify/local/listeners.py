"""Who listens on a port: what /proc tells about it, for the sentence that says why a start is refused."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LISTEN = "0A"


def holder(port: int) -> str | None:
    """Name the process that listens on TCP `port` as "name (pid 123)", None when /proc does not tell."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not sockets:
        return None
    for entry in Path("/proc").iterdir():
        # Another user's processes, and those that end just now, do not let us look.
        with suppress(OSError):
            if entry.name.isdigit() and any(os.readlink(link) in sockets for link in (entry / "fd").iterdir()):
                return f"{(entry / 'comm').read_text().strip()} (pid {entry.name})"
    return None


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return found
