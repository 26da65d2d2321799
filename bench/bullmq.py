"""The peer: BullMQ, which the same product would have on Node. `peer/` holds its program and its pinned packages."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from tools.node import node_path
from tools.steps import ROOT, step

FOLDER = Path(__file__).resolve().parent / "peer"


@cache
def install() -> dict[str, str]:
    """Install the peer's packages unless these very ones are in already; give the environment that Node runs in.

    Raises:
        StepFailed: they could not be installed.
    """
    environment = {**os.environ, "PATH": node_path(ROOT / ".venv")}
    wanted = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    stamp = FOLDER / "node_modules" / ".installed.stamp"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        step("Installing BullMQ", ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder=FOLDER,
             environment=environment)
        stamp.write_text(wanted, encoding="utf-8")
    return environment


def command(redis_url: str, jobs: int, singles: int, concurrency: int) -> list[str]:
    """Give the command that measures the peer on one Redis, with `concurrency` jobs at once."""
    return ["node", str(FOLDER / "jobs.mjs"), redis_url, str(jobs), str(singles), str(concurrency)]
