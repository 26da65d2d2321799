"""`python -m dashify.reading.child KIND PATH PARENT`: read one file and print JSON, `{title, text}` or `{code}`.

What it parses was made by strangers: before the first byte of it is looked at, nothing is left to open, write or call.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from dashify.domain.files import FileKind, Unreadable
from dashify.domain.knowledge import MAX_TEXT
from dashify.reading import jail
from dashify.reading.sandbox import BEGUN
from dashify.reading.tidy import tidied, tidied_title

_READERS = {FileKind.MARKDOWN: "plain", FileKind.TEXT: "plain", FileKind.HTML: "web", FileKind.PDF: "pdf",
            FileKind.DOCX: "docx"}
# By the standard library, which is too late in a jail.
_IMPORTED_WHEN_USED = ("encodings.cp437", "heapq", "linecache", "tracemalloc")


def main(kind: str, path: str, parent: str) -> None:
    """Read and print; a failure is printed too, and what kills the process the parent understands."""
    jail.die_with(int(parent))
    read = importlib.import_module(f"dashify.reading.{_READERS[FileKind(kind)]}").read
    for name in _IMPORTED_WHEN_USED:
        importlib.import_module(name)
    data = Path(path).read_bytes()
    jail.limit()
    jail.close_in()
    _print(BEGUN)
    _print(json.dumps(_answer(read, data), ensure_ascii=False).encode("utf-8"))


def _answer(read: Callable[[bytes], tuple[str, str]], data: bytes) -> dict[str, str]:
    try:
        title, text = read(data)
        text = tidied(text)
        if len(text) > MAX_TEXT:
            return {"code": "file_too_large"}
        return {"title": tidied_title(title or _first_heading(text)), "text": text}
    except Unreadable as error:
        return {"code": error.code}
    except (MemoryError, RecursionError):
        return {"code": "file_too_complex"}
    except Exception:  # whatever a reader raises is about a file that is not as its kind should be
        return {"code": "file_broken"}


def _print(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _first_heading(text: str) -> str:
    for line in text.split("\n", 50)[:50]:
        if line.startswith("#") and line.lstrip("#").startswith(" "):
            return line.lstrip("#").strip()
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:4])
