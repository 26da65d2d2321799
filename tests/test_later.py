"""What is imported when first asked for: not before, once, and by each process that will use it."""

from __future__ import annotations

import string
import subprocess
import sys

import pytest

from dashify.later import Later

HEAVY = ("qdrant_client", "ollama", "numpy")


def imported_by(program: str) -> set[str]:
    told = subprocess.run([sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"], capture_output=True,
                          text=True, check=True)
    return set(told.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("start", ["import worker", "import dashify.cli", "import dashify.web"])
def test_a_start_imports_none_of_what_it_may_never_use(start: str) -> None:
    assert imported_by(start) == set()


def test_a_process_that_will_use_it_imports_all_of_it_at_once() -> None:
    told = imported_by("import dashify.web\nfrom dashify.later import import_all\nimport_all()")
    assert told == set(HEAVY)


def test_what_stands_for_a_module_gives_what_the_module_has_and_fails_as_it_does() -> None:
    letters = Later("string")
    assert letters.ascii_letters is string.ascii_letters
    with pytest.raises(AttributeError, match="module 'string' has no attribute 'nothing'"):
        _ = letters.nothing
