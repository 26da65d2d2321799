"""The checks, then every test, on embedded servers and free ports; without Chromium, all but the browser's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.check import run_checks
from tools.steps import ROOT

# Chromium without what draws its own windows: a page costs half as much of the processor's time.
CHROMIUM = Path("/usr/bin/chromium-headless-shell")
# They need root and Debian, and have the machine for themselves: `make fleet-test`.
SEVERAL_HOSTS = ["--ignore", "tests/fleet"]
# Three workers fill the two cores that a small machine has: many tests wait for most of their time.
SPREAD = ["-p", "tools.spread", "-n", "3", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    """Run the checks, and pytest with `arguments` added whatever they say; give 0 if both found nothing."""
    failed = run_checks()
    browser = [] if CHROMIUM.exists() else ["--deselect", "tests/browser"]
    command = [sys.executable, "-m", "pytest", *SPREAD, *SEVERAL_HOSTS, *browser, *arguments]
    status = subprocess.run(command, cwd=ROOT).returncode  # noqa: S603 - ours
    if browser:
        print(f"The browser tests did not run: {CHROMIUM} is missing. Install Debian's package {CHROMIUM.name}.")
    if failed:
        print(f"Failed before the tests: {', '.join(failed)}.", file=sys.stderr)
    return status or int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
