"""What `make release` builds: complete, the same each time, and named everywhere."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from dashify import __version__, release
from dashify.cli import main
from dashify.settings import Settings
from dashify.web import create_app
from tools import release as builder
from tools.steps import StepFailed


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A web app that is built and a wheelhouse that is filled, so that nothing is fetched."""
    wheels, static = tmp_path / "wheels", tmp_path / "static"
    for path in (wheels / "one-1.0-py3-none-any.whl", static / "index.html"):
        path.parent.mkdir()
        path.write_bytes(b"content")
    monkeypatch.setattr(builder, "make_wheels", lambda requirements: wheels)
    monkeypatch.setattr(builder, "STATIC", static)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767319440")
    return tmp_path


def test_a_release_holds_what_runs_and_is_the_same_each_time(ready: Path) -> None:
    first = builder.build_release(ready / "a", "r1")
    second = builder.build_release(ready / "b", "r1")
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        names = set(tar.getnames())
        note = json.load(tar.extractfile("dashify-r1/release.json") or pytest.fail("no note"))
        written = (tar.extractfile("dashify-r1/app/dashify/release.txt") or pytest.fail("no name")).read()
    assert (note["version"], note["python"], note["built_at"]) == ("r1", "3.11", "2026-01-02T02:04:00Z")
    assert written == b"r1\n"
    for name in ("app/wsgi.py", "app/worker.py", "app/gunicorn.conf.py", "app/requirements.txt", "app/dashify/web.py",
                 "wheels/one-1.0-py3-none-any.whl"):
        assert f"dashify-r1/{name}" in names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name or ".." in name]


def test_a_release_without_a_name_is_called_by_the_minute_and_the_commit(ready: Path) -> None:
    assert builder.build_release(ready).name.startswith(f"dashify-202601020204-{builder.find_commit()[:7]}")


@pytest.mark.parametrize("name", ["../r1", "r 1", "-r1", "", "r" * 65, "r1\n"])
def test_a_release_has_no_odd_name(ready: Path, name: str) -> None:
    with pytest.raises(StepFailed, match="no name for a release"):
        builder.build_release(ready, name)


def test_no_release_is_made_of_a_web_app_that_is_not_built(ready: Path) -> None:
    (ready / "static" / "index.html").unlink()
    with pytest.raises(StepFailed, match="make build"):
        builder.build_release(ready, "r1")
    assert not list(ready.glob("*.tar.gz"))


def test_a_host_and_its_operator_see_which_release_runs(
        settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app: Flask = create_app(settings)
    for written, seen in (("r7\n", "r7"), (None, __version__)):
        monkeypatch.setattr(release, "FILE", tmp_path / f"{seen}.txt")
        release.read_release.cache_clear()
        if written:
            release.FILE.write_text(written)
        assert CliRunner().invoke(main, ["version"]).output == f"{seen}\n"
        assert app.test_client().get("/healthz").get_json() == {"status": "up", "release": seen}
    release.read_release.cache_clear()
