"""A release is replaced while people work: nothing fails; one that does not get ready goes back, and nothing fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.fleet.checks import ask_for_jobs, assert_nobody_noticed, releases_served, wait_for_jobs
from tests.fleet.conftest import Playbook, Releases
from tests.fleet.hosts import Fleet

WARM_SECONDS = 5.0


def test_a_deploy_under_load_fails_nothing(
        site: Fleet, playbook: Playbook, releases: Releases, load: Callable[..., Any]) -> None:
    with load(browser=True) as running:
        time.sleep(WARM_SECONDS)
        ask_for_jobs(site, "api1")
        deployed = playbook("deploy", dashify_release_archive=str(releases.second))
        time.sleep(WARM_SECONDS)
        found = running.stop()
    print(deployed.output.partition("Show what was done")[2][:3000])
    assert_nobody_noticed(found)
    assert found["reconnects"] >= found["pages"], "every page's instance was replaced"
    wait_for_jobs(60)
    assert releases_served() == {"r2"}


def test_a_release_that_is_never_ready_is_rolled_back_and_fails_nothing(
        site: Fleet, playbook: Playbook, releases: Releases, load: Callable[..., Any]) -> None:
    before = releases_served()
    with load(browser=True) as running:
        time.sleep(WARM_SECONDS)
        refused = playbook("deploy", succeeds=False, dashify_release_archive=str(releases.broken),
                           dashify_ready_seconds=15)
        time.sleep(WARM_SECONDS)
        found = running.stop()
    assert "did not get ready" in refused.output
    assert_nobody_noticed(found)
    assert releases_served() == before
    for name in ("worker1", "worker2", "api1", "api2"):
        assert site.hosts[name].run("dashify version").split() == list(before)
