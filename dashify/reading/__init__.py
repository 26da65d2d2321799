"""Files turned into text. Whatever parses what strangers made does so in a child process with little to lose."""

from __future__ import annotations

from dashify.reading.sandbox import Extract, read_file

__all__ = ["Extract", "read_file"]
