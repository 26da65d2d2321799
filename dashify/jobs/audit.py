"""Jobs about the installation itself."""

from __future__ import annotations

from typing import Any

from dashify.context import Platform
from dashify.jobs.running import Run
from dashify.stores.jobs import SelfChecks


def self_check(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Add one to the counter of `payload["row"]`, exactly once however often the job is delivered."""
    checks = SelfChecks(platform.resources.database)
    run.finish(lambda unit: checks.add_one(int(payload["row"]), unit.tx))
