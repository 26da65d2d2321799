"""Every check that needs no running server; all of them run, so that one sees all that is wrong at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tools.node import node_path
from tools.steps import ROOT

BIN = ROOT / ".venv" / "bin"


def main() -> int:
    """Run all checks; give 1 if any failed."""
    failed = run_checks()
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def run_checks() -> list[str]:
    """Run all checks, showing the output of those that fail; give the titles of these."""
    environment = {**os.environ, "PATH": node_path(ROOT / ".venv"), "CI": "true"}
    checks: tuple[tuple[str, list[str | Path], Path], ...] = (
        ("ruff", [BIN / "ruff", "check", "."], ROOT),
        ("mypy", [BIN / "mypy"], ROOT),
        ("import contracts", [BIN / "lint-imports", "--no-cache"], ROOT),
        ("web app: types, lint, tests", ["npm", "run", "--silent", "check"], ROOT / "frontend"),
    )
    failed = []
    for title, command, folder in checks:
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603 - ours
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        print(f"  {title}: {'FAILED' if done.returncode else 'passed'} in {time.monotonic() - began:.1f} s", flush=True)
        if done.returncode:
            failed.append(title)
            print(done.stdout, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
