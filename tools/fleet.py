"""Run the tests of several hosts: Ansible in an environment of its own, then `tests/fleet`, as root on Debian.

Takes pytest's arguments: `python -m tools.fleet -k rolled_back`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys

from tools.release import find_python
from tools.steps import ROOT, StepFailed, step
from tools.test import CHROMIUM

VENV = ROOT / ".venv-fleet"
REQUIREMENTS = ROOT / "requirements-fleet.txt"
# The program, and the Debian package that has it.
NEEDED = {"systemd-nspawn": "systemd-container", "debootstrap": "debootstrap", "ip": "iproute2", "nft": "nftables",
          "ssh": "openssh-client", "openssl": "openssl", CHROMIUM.name: CHROMIUM.name}


def main(arguments: list[str]) -> int:
    """Run the tests; give pytest's exit status, or 1 where this machine cannot."""
    missing = sorted(package for program, package in NEEDED.items() if not shutil.which(program))
    if os.geteuid() != 0 or missing:
        print("The tests of several hosts start hosts of their own, so they need root, Debian, and its packages "
              f"{' '.join(sorted(NEEDED.values()))}" + (f"; {' '.join(missing)} missing." if missing else "."),
              file=sys.stderr)
        return 1
    try:
        make_environment()
    except StepFailed as error:
        print(error, file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "pytest", "tests/fleet", "-p", "no:xdist", "-v", "--durations=0", *arguments]
    return subprocess.run(command, cwd=ROOT).returncode  # noqa: S603 - ours


def make_environment() -> None:
    """Install Ansible into `.venv-fleet`, unless these very versions are there already.

    Raises:
        StepFailed: a package cannot be had.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = VENV / "requirements.stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    step("Creating .venv-fleet", [find_python(), "-m", "venv", "--clear", str(VENV)])
    step("Installing Ansible", [str(VENV / "bin" / "pip"), "install", "--disable-pip-version-check", "--no-input",
                                "--progress-bar", "off", "-r", str(REQUIREMENTS)], show=("Collecting ",))
    stamp.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
