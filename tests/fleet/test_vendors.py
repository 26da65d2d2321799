"""What wants programs of vendors, which cannot be had here: linted, and asked what it would do."""

from __future__ import annotations

import os
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.conftest import Playbook
from tests.fleet.hosts import Fleet, Host
from tests.fleet.inventory import ADDRESSES
from tests.fleet.roots import bare_root
from tools.fleet import VENV
from tools.release import ROOT


@pytest.fixture
def bare(fleet: Fleet) -> Iterator[Host]:
    """A host on which nothing was done."""
    host = fleet.add("vendors1", ADDRESSES["vendors1"], (bare_root(),))
    host.wait()
    yield host
    fleet.remove(host)


def test_everything_is_as_ansible_lint_wants_it_in_production() -> None:
    done = subprocess.run([str(VENV / "bin" / "ansible-lint")], cwd=ROOT / "ansible", capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_roles_of_what_vendors_ship_say_what_they_would_do_and_do_nothing(
        bare: Host, playbook: Playbook, tmp_path: Path) -> None:
    files = {"mongodb_key_file": "server.asc", "qdrant_package": "qdrant_1.16.0_amd64.deb",
             "ollama_archive": "ollama-linux-amd64.tgz"}
    for name in files.values():
        (tmp_path / name).write_bytes(b"not the vendor's")
    with tarfile.open(tmp_path / files["ollama_archive"], "w:gz") as archive:
        archive.add(__file__, "bin/ollama")
    planned = playbook(
        "site", "--check", "--limit", bare.name,
        groups={group: [bare.name] for group in ("mongodb", "qdrant", "models")},
        mongodb_passwords={user: secrets.token_urlsafe(24) for user in ("admin", "dashify")},
        mongodb_keyfile=secrets.token_hex(64), qdrant_api_key=secrets.token_urlsafe(24),
        **{variable: str(tmp_path / name) for variable, name in files.items()})
    assert planned.changed[bare.name] > 10
    for unit in ("mongod", "qdrant", "ollama"):
        assert f"Ensure {'MongoDB' if unit == 'mongod' else unit.capitalize()} runs" in planned.output
        assert bare.try_run(f"systemctl cat {unit}").returncode != 0
    assert bare.try_run("ls /etc/mongod.keyfile /etc/qdrant /etc/apt/keyrings/mongodb.asc").stdout == ""
