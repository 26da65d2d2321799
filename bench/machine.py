"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from dashify.gate import connect


def describe_machine(redis_url: str) -> str:
    """Give one line: the day, the processor, and the versions of what takes part."""
    redis = connect(redis_url).info("server")["redis_version"]
    return f"{describe_processor()}, Redis {redis}, SecantusDB {version('SecantusDB')} in place of MongoDB"


def describe_processor() -> str:
    """Give the day, the processor, and Python's version."""
    cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*:\s*(.+)$", cpus, re.MULTILINE)
    return (f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores, "
            f"{model.group(1) if model else platform.machine()}, Python {platform.python_version()}")
