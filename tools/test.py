"""Every test, on embedded servers and free ports; without Chromium, all but those that drive a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.steps import ROOT

CHROMIUM = Path("/usr/bin/chromium")
# A file stays on one worker, so its servers start once; two workers fit the two cores that a small machine has.
SPREAD = ["-n", "2", "--dist", "loadfile"]


def main(arguments: list[str]) -> int:
    """Run pytest with `arguments` added; give its status."""
    browser = [] if CHROMIUM.exists() else ["--deselect", "tests/browser"]
    command = [sys.executable, "-m", "pytest", *SPREAD, *browser, *arguments]
    status = subprocess.run(command, cwd=ROOT).returncode  # noqa: S603 - ours
    if browser:
        print(f"The browser tests did not run: {CHROMIUM} is missing. Install Debian's package `chromium` for them.")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
