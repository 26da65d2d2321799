"""What tests of reading ask: what a file's text is, or why it has none; and what reading left behind."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from dashify.domain.files import WHY, FileKind, Unreadable
from dashify.reading import read_file


def text_in(path: Path, kind: FileKind) -> str:
    return read_file(path, kind).text


def refusal(path: Path, kind: FileKind, seconds: float = 30.0) -> str:
    with pytest.raises(Unreadable) as refused:
        read_file(path, kind, seconds=seconds)
    assert refused.value.message == WHY[refused.value.code]
    return refused.value.code


def children() -> list[int]:
    """The reading processes of this process that are there still."""
    ours = psutil.Process().children(recursive=True)
    return [child.pid for child in ours if "dashify.reading.child" in child.cmdline()]
