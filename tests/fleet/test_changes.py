"""Hosts start again, join and leave while people work: nothing fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fleet.checks import (
    ask_for_jobs,
    assert_nobody_noticed,
    assert_nothing_but_later,
    assert_nothing_is_lost,
    wait_for_jobs,
)
from tests.fleet.conftest import MORE_POWER, Playbook, Releases
from tests.fleet.hosts import Fleet, Host
from tests.fleet.inventory import ADDRESSES, GROUPS
from tests.fleet.roots import bare_root

WARM_SECONDS = 5.0
SCALED = {"api": [*GROUPS["api"], "api3"], "workers": [*GROUPS["workers"], "worker3"]}


@pytest.fixture
def new_hosts(site: Fleet) -> Iterator[list[Host]]:
    """Two bare hosts more."""
    hosts = [site.add(name, ADDRESSES[name], (bare_root(),)) for name in ("api3", "worker3")]
    for host in hosts:
        host.wait()
    yield hosts
    for host in hosts:
        site.remove(host)


def test_hosts_join_and_leave_under_load_and_nobody_notices(
        site: Fleet, new_hosts: list[Host], playbook: Playbook, releases: Releases, load: Callable[..., Any]) -> None:
    # Eleven hosts, of which two install: with the usual shares Ansible would not end in the time that the load may run,
    # nor a page be drawn. No socket moves here, so what people wait for can bear it; and the browser rests in between.
    with load(browser=True, power=6.0, every=60.0) as running:
        time.sleep(WARM_SECONDS)
        ask_for_jobs(site, "api1")
        archive = releases.running()
        playbook("scale", groups=SCALED, power=MORE_POWER, dashify_release_archive=archive)
        served = [host.run("journalctl --no-pager -u 'dashify-*' -o cat | wc -l") for host in new_hosts]
        time.sleep(WARM_SECONDS)
        more = [host.run("journalctl --no-pager -u 'dashify-*' -o cat | wc -l") for host in new_hosts]
        playbook("scale", groups={"retired": ["api3", "worker3"]}, power=MORE_POWER, dashify_release_archive=archive)
        time.sleep(WARM_SECONDS)
        found = running.stop()
    assert int(more[0]) > int(served[0]) > 0, "the new API host serves"
    assert_nobody_noticed(found)
    wait_for_jobs(60)
    for host in new_hosts:
        assert host.run("systemctl list-units --no-legend --state=running 'dashify*'").strip() == ""
        assert host.try_run("ls /etc/dashify/secrets").returncode != 0


def test_hosts_start_again_under_load_and_nobody_notices(
        site: Fleet, playbook: Playbook, load: Callable[..., Any]) -> None:
    names = (*GROUPS["api"], *GROUPS["workers"])
    before = {name: boot(site.hosts[name]) for name in names}
    with load(browser=True) as running:
        time.sleep(WARM_SECONDS)
        ask_for_jobs(site, "api1")
        playbook("restart", restart_reboot=True)
        time.sleep(WARM_SECONDS)
        found = running.stop()
    assert [name for name in names if boot(site.hosts[name]) == before[name]] == []
    assert_nobody_noticed(found)
    assert found["reconnects"] >= found["pages"], "every page's instance was replaced"
    wait_for_jobs(60)


def test_data_hosts_start_again_only_where_somebody_agrees(
        site: Fleet, playbook: Playbook, load: Callable[..., Any]) -> None:
    names = GROUPS["redis"]
    before = {name: boot(site.hosts[name]) for name in names}
    asked = playbook("restart", "--limit", "redis", succeeds=False, restart_data=True, restart_reboot=True)
    assert "sign-ins wait for some 5 seconds" in asked.output
    assert "Nothing was done here, since nobody agreed" in asked.output
    assert {name: boot(site.hosts[name]) for name in names} == before
    with load() as running:
        time.sleep(WARM_SECONDS)
        playbook("restart", "--limit", "redis", restart_data=True, restart_reboot=True, restart_confirmed=True)
        time.sleep(WARM_SECONDS)
        found = running.stop()
    assert [name for name in names if boot(site.hosts[name]) == before[name]] == []
    assert_nothing_is_lost(found)
    assert_nothing_but_later(found)


def boot(host: Host) -> str:
    """Give the name of a host's present run."""
    return host.run("cat /proc/sys/kernel/random/boot_id").strip()
