"""The file systems that test hosts boot from: a bare Debian, made once for each recipe, kept outside the repository."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

CACHE = Path("/var/cache/dashify-fleet")
SUITE = "bookworm"
# All that a bare host has. Hosts have no way out, so what a role would install must be here. Of what another name
# stands for (python3-cffi-backend) debootstrap finds nothing by itself.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "iproute2", "openssh-server", "sudo",
            "ca-certificates", "redis-server", "redis-sentinel", "haproxy", "nftables", "openssl", "certbot",
            "python3-cffi-backend", "prometheus", "prometheus-node-exporter", "prometheus-redis-exporter", "pebble")
# Debian starts what it installs. Roles must enable what they want, so the bare host starts none of it.
NOT_STARTED = ("redis-server", "redis-sentinel", "haproxy", "nftables", "e2scrub_reap", "remote-fs.target",
               "certbot.timer", "prometheus", "prometheus-node-exporter", "prometheus-redis-exporter")
NOT_BARE = ("etc/apt/sources.list", "var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man",
            "usr/share/locale")
RECIPE = "2"


def bare_root() -> Path:
    """Give the root of a bare Debian host; the first time takes a minute or two."""
    wanted = hashlib.sha256(repr((SUITE, PACKAGES, NOT_STARTED, NOT_BARE, RECIPE)).encode()).hexdigest()[:16]
    return cached(f"bare-{wanted}", _bootstrap)


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """Give the folder `name` of the cache, filled by `make` if it is not there; half of one is never given."""
    folder = CACHE / name
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        make(unfinished)
        unfinished.rename(folder)
    return folder


def mount(folder: Path, layers: tuple[Path, ...]) -> Path:
    """Lay a writable folder over `layers`, the first one uppermost; give what both look like together."""
    upper, work, root = folder / "upper", folder / "work", folder / "root"
    for path in (upper, work, root):
        path.mkdir(parents=True)
    below = ":".join(map(str, layers))
    quietly("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={below},upperdir={upper},workdir={work}", root)
    return root


def unmount(folder: Path) -> None:
    """Take away what `mount` laid, and all that was written to it; nothing there is fine too."""
    with suppress(subprocess.CalledProcessError):
        quietly("umount", folder / "root")
    # A folder that is still mounted must not be emptied through its mount.
    if not (folder / "root").is_mount():
        shutil.rmtree(folder, ignore_errors=True)


def quietly(*command: object, timeout: float = 600) -> str:
    """Run a program of the machine's; its output belongs to the error where it fails."""
    try:
        return subprocess.run([str(part) for part in command], check=True, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout).stdout
    except subprocess.CalledProcessError as error:
        error.add_note(f"{error.stdout[-2000:]}\n{error.stderr[-2000:]}")
        raise


def _bootstrap(root: Path) -> None:
    quietly("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root, _mirror())
    # By systemctl, which takes their other names away too: while one is left a unit counts as enabled.
    quietly("chroot", root, "systemctl", "disable", *NOT_STARTED)
    for name in NOT_BARE:
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (root / "etc/machine-id").write_text("")


def _mirror() -> str:
    """Give the mirror that this machine's own packages come from."""
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for line in re.findall(r"^deb\s+(?:\[.*?\]\s+)?(.+)$", text, re.MULTILINE):
            address, suite, *components = line.split()
            if suite == SUITE and "main" in components:
                return str(address)
        for stanza in re.split(r"\n\s*\n", text):
            fields = dict(re.findall(r"^(\w[\w-]*):\s*(.+)$", stanza, re.MULTILINE))
            if SUITE in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
                return str(fields["URIs"].split()[0])
    raise AssertionError(f"No apt source of this machine names {SUITE}.")
