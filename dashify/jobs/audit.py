"""Jobs about the audit log, and about the installation itself."""

from __future__ import annotations

from typing import Any

from dashify.context import Platform
from dashify.jobs.running import Run
from dashify.services.audit import seal_entries
from dashify.stores.self_checks import SelfChecks


def seal_audit(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Seal what the tenant's audit log has got since the last time; everything is read inside the one transaction."""
    run.finish(seal_entries)


def self_check(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Add one to the counter of `payload["row"]`, exactly once however often the job is delivered."""
    checks = SelfChecks(platform.resources.database)
    run.finish(lambda unit: checks.add_one(int(payload["row"]), unit.tx))


def clean_sessions(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Forget sessions that ended over a day ago; `payload["tick"]` says which tick of the schedule asked."""
    removed = platform.sessions.remove_ended(platform.now)
    run.finish(lambda unit: {"removed": removed})
