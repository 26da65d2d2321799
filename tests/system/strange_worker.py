"""`worker.py audit`, but the self-checks of some rows kill their process, take a while, or never end."""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()


import os
import signal
import sys
import time
from typing import Any

import worker
from dashify.context import Platform
from dashify.jobs import audit
from dashify.jobs.running import Run

POISON, SLOW, ENDLESS = 13, -1, -2  # one of many rows, and two that only those meet who ask for them
SLOW_SECONDS = 3.0
_self_check = audit.self_check


def self_check(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    if payload["row"] == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    if payload["row"] == SLOW:
        time.sleep(SLOW_SECONDS)
    if payload["row"] == ENDLESS:
        time.sleep(3600)
    _self_check(platform, payload, run)


if __name__ == "__main__":
    audit.self_check = self_check
    sys.exit(worker.main(["audit"]))
