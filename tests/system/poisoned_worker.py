"""`worker.py audit`, but the self-check of row 13 kills its process, as a job that crashes the interpreter would."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

# ruff: noqa: E402 - what follows must find patched modules, as in worker.py
import os
import signal
import sys
from typing import Any

import worker
from dashify.context import Platform
from dashify.jobs import audit
from dashify.jobs.running import Run

POISON = 13
_self_check = audit.self_check


def self_check(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    if payload["row"] == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    _self_check(platform, payload, run)


if __name__ == "__main__":
    audit.self_check = self_check
    sys.exit(worker.main(["audit"]))
