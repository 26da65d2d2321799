"""`python -m dashify.reading.child KIND PATH`: read one file and print JSON, `{title, text}` or `{code}`.

It gives up memory, time and files first: what it parses was made by strangers.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from pathlib import Path

from dashify.domain.files import FileKind, Unreadable
from dashify.domain.knowledge import MAX_TEXT
from dashify.reading.tidy import tidied, tidied_title

MEMORY_BYTES = 1024 * 1024 * 1024
PROCESSOR_SECONDS = 60
_FILES = 32
_READERS = {FileKind.MARKDOWN: "plain", FileKind.TEXT: "plain", FileKind.HTML: "web", FileKind.PDF: "pdf",
            FileKind.DOCX: "docx"}


def main(kind: str, path: str) -> None:
    """Read and print; a failure is printed too, and what kills the process the parent understands."""
    _give_up()
    try:
        reader = importlib.import_module(f"dashify.reading.{_READERS[FileKind(kind)]}")
        title, text = reader.read(Path(path))
        text = tidied(text)
        answer = {"code": "file_too_large"} if len(text) > MAX_TEXT else {
            "title": tidied_title(title or _first_heading(text)), "text": text}
    except Unreadable as error:
        answer = {"code": error.code}
    except (MemoryError, RecursionError):
        answer = {"code": "file_too_complex"}
    except Exception:  # whatever a reader raises is about a file that is not as its kind should be
        answer = {"code": "file_broken"}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


def _give_up() -> None:
    for what, limit in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
                        (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, _FILES), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (limit, limit))


def _first_heading(text: str) -> str:
    for line in text.split("\n", 50)[:50]:
        if line.startswith("#") and line.lstrip("#").startswith(" "):
            return line.lstrip("#").strip()
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:3])
