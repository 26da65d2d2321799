"""Which release this is: the name that `make release` wrote beside this module, or the version of a working tree."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from dashify import __version__

FILE = Path(__file__).resolve().parent / "release.txt"


@lru_cache(maxsize=1)
def read_release() -> str:
    """Give the name of the release that this process runs, such as `202601022004-1a2b3c4`."""
    try:
        return FILE.read_text(encoding="utf-8").strip() or __version__
    except FileNotFoundError:
        return __version__
