"""Releases for the tests: the one that `make release` builds, and others made of it, each different on purpose."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

Files = dict[str, bytes]
PAGE, ASSETS = "dashify/static/index.html", "dashify/static/assets/"


def remake(archive: Path, version: str, change: Callable[[Files], None]) -> Path:
    """Make a release like `archive` with another name, with what `change` does to the files of its app."""
    made = archive.with_name(f"dashify-{version}.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(made, "w:gz", compresslevel=1) as new:
        app: Files = {}
        for entry in old:
            _, kind, name = (*entry.name.split("/", 2), "")[:3]
            content = (old.extractfile(entry) or io.BytesIO()).read()
            if kind == "app":
                app[name] = content
            else:
                if kind == "release.json":
                    content = json.dumps({**json.loads(content), "version": version}).encode()
                _put(new, f"dashify-{version}/{kind}/{name}".rstrip("/"), content)
        change(app)
        app["dashify/release.txt"] = f"{version}\n".encode()
        for name, content in app.items():
            _put(new, f"dashify-{version}/app/{name}", content)
    return made


def with_other_assets(mark: str) -> Callable[[Files], None]:
    """Give every asset another name, as a build of changed sources would; the old names are gone."""

    def change(app: Files) -> None:
        names = {path.rpartition("/")[2] for path in app if path.startswith(ASSETS)}
        others = {name: "{0}{3}{1}{2}".format(*name.rpartition("."), mark) for name in names}
        # Assets name each other, and the page names the first of them.
        anything = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))).encode())
        for path in [path for path in app if path.startswith(ASSETS) or path == PAGE]:
            content = app.pop(path)
            if path.endswith((".html", ".js", ".css")):
                content = anything.sub(lambda found: others[found[0].decode()].encode(), content)
            folder, _, name = path.rpartition("/")
            app[f"{folder}/{others.get(name, name)}"] = content

    return change


def never_ready(app: Files) -> None:
    """Have every instance start and answer, and never become ready."""
    app["wsgi.py"] += b'\napp.extensions["dashify.readiness"].reasons = lambda subscribed: ["preparing"]\n'


def _put(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
