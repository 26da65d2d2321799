"""The module that writes many small files at once: on this machine, in a folder of the test's."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tools.fleet import VENV
from tools.release import ROOT


def text_files(*options: str, **arguments: Any) -> dict[str, Any]:
    done = subprocess.run(
        [str(VENV / "bin" / "ansible"), "localhost", "-i", "localhost,", "-c", "local", "-m", "text_files", *options,
         "-a", json.dumps(arguments)], cwd=ROOT / "ansible", capture_output=True, text=True,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible" / "ansible.cfg"), "LC_ALL": "C.UTF-8",
             "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline", "ANSIBLE_NOCOLOR": "1"})
    found: dict[str, Any] = json.loads(done.stdout.partition("=> ")[2])
    return found


def test_files_are_written_where_they_hold_something_else_and_have_their_mode(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    contents = {str(one): "1\n", str(two): "2\n"}
    planned = text_files("--check", contents=contents, mode="0640")
    assert planned["written"] == [str(one), str(two)]
    assert list(tmp_path.iterdir()) == []

    assert text_files(contents=contents, mode="0640")["written"] == [str(one), str(two)]
    assert (one.read_text(), two.read_text(), one.stat().st_mode & 0o777) == ("1\n", "2\n", 0o640)
    assert not text_files(contents=contents, mode="0640")["changed"]

    one.write_text("other\n")
    two.chmod(0o666)
    healed = text_files(contents=contents, mode="0640")
    assert (healed["changed"], healed["written"]) == (True, [str(one)])
    assert (one.read_text(), two.stat().st_mode & 0o777) == ("1\n", 0o640)


def test_a_file_that_is_not_valid_stays_as_it_was_and_says_why(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("good\n")
    refused = text_files(contents={str(one): "bad\n", str(two): "2\n"}, validate={str(one): "grep -q good %s"})
    assert f"{one} was not written: grep -q good" in refused["msg"]
    assert (one.read_text(), two.exists()) == ("good\n", False)
    assert text_files(contents={str(one): "good too\n"}, validate={str(one): "grep -q good %s"})["changed"]
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
