"""Build a release: one archive with what runs, the wheels that it needs, and a note that says what it is.

`python -m tools.release --to DIR [--version V]` writes `DIR/dashify-V.tar.gz`. To run it a host needs Python 3.11 with
`venv`, and neither a compiler nor a package registry. The same files, version and `SOURCE_DATE_EPOCH` make the same
bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.steps import ROOT, StepFailed, step

PYTHON = "3.11"
WHEELS = ROOT / ".wheelhouse"
STATIC = ROOT / "dashify" / "static"
RUNS = ("app.py", "wsgi.py", "worker.py", "gunicorn.conf.py", "dashify", "requirements.txt")
RELEASE_FILE = "dashify/release.txt"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SKIPPED = {"__pycache__", ".mypy_cache"}


def main(arguments: list[str]) -> int:
    """Build the release that `arguments` ask for; give the exit status."""
    parser = argparse.ArgumentParser(description="Build dashify-V.tar.gz, all that a host needs to run Dashify.")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder that gets the archive")
    parser.add_argument("--version", metavar="V", help="its name; by default the present minute and the commit")
    given = parser.parse_args(arguments)
    try:
        archive = build_release(given.to, given.version)
    except StepFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"  {archive} ({archive.stat().st_size / 1024 / 1024:.0f} MB)")
    return 0


def build_release(folder: Path, version: str | None = None) -> Path:
    """Build the archive of the present files in `folder`, replacing one of the same name only once it is whole.

    Raises:
        StepFailed: the web app is not built, the version's name is odd, or a wheel cannot be had.
    """
    if not (STATIC / "index.html").is_file():
        raise StepFailed("The web app has not been built: run `make build` first.")
    built_at, commit = int(os.environ.get("SOURCE_DATE_EPOCH", time.time())), find_commit()
    usual = f"{time.strftime('%Y%m%d%H%M', time.gmtime(built_at))}-{commit[:7]}{commit[40:]}"
    name = usual if version is None else version
    if not _VERSION.fullmatch(name):
        raise StepFailed(f"{name!r} is no name for a release: at most 64 letters, digits, dots, dashes, underscores.")
    wheels = make_wheels(ROOT / "requirements.txt")
    note = {"version": name, "commit": commit, "python": PYTHON,
            "built_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(built_at))}
    made = {"release.json": json.dumps(note, indent=2).encode() + b"\n", f"app/{RELEASE_FILE}": f"{name}\n".encode()}
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"dashify-{name}.tar.gz"
    unfinished = archive.with_suffix(".part")
    files = {f"app/{path.relative_to(ROOT).as_posix()}": path for path in _list_app()}
    files |= {f"wheels/{path.name}": path for path in sorted(wheels.glob("*.whl"))}
    _pack(unfinished, f"dashify-{name}", files, made, built_at)
    unfinished.replace(archive)
    return archive


def make_wheels(requirements: Path) -> Path:
    """Give a folder with a wheel of everything that `requirements` pins, made once for each content of the file.

    Raises:
        StepFailed: there is no Python 3.11, or a package cannot be had.
    """
    digest = hashlib.sha256(f"{PYTHON}\n".encode())
    for path in _with_included(requirements):
        digest.update(path.read_bytes())
    folder = WHEELS / f"{requirements.stem}-{digest.hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    unfinished = folder.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    step(f"Collecting the wheels of {requirements.name}",
         [find_python(), "-m", "pip", "wheel", "--disable-pip-version-check", "--no-input", "--progress-bar", "off",
          "--wheel-dir", str(unfinished), "-r", str(requirements)], show=("Collecting ", "Building "))
    unfinished.rename(folder)
    return folder


def find_python() -> str:
    """Find a Python of the version that hosts have, with pip.

    Raises:
        StepFailed: there is none.
    """
    wanted = f"import sys, pip; sys.exit(sys.version_info[:2] != ({PYTHON.replace('.', ', ')}))"
    for name in (sys.executable, f"python{PYTHON}", "python3"):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", wanted], capture_output=True).returncode == 0:  # noqa: S603 - ours
            return found
    raise StepFailed(f"A release needs Python {PYTHON} with pip, since the hosts' wheels are made for it.")


def find_commit() -> str:
    """Give the commit that the files stand on, with `-changed` where they differ from it; `unknown` outside a clone."""
    try:
        changed = "-changed" if _git("status", "--porcelain", "--", *RUNS) else ""
        return _git("rev-parse", "HEAD").strip()[:40] + changed
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603, S607


def _list_app() -> Iterator[Path]:
    for name in RUNS:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and not _SKIPPED & set(path.parts) and path != ROOT / RELEASE_FILE:
                yield path


def _with_included(requirements: Path) -> Iterator[Path]:
    yield requirements
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from _with_included(requirements.parent / line[3:].strip())


def _pack(archive: Path, top: str, files: dict[str, Path], made: dict[str, bytes], moment: int) -> None:
    with archive.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=moment) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted({*files, *made}):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.mtime, entry.mode = moment, 0o644
            content = made.get(name)
            entry.size = files[name].stat().st_size if content is None else len(content)
            with files[name].open("rb") if content is None else io.BytesIO(content) as source:
                tar.addfile(entry, source)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
