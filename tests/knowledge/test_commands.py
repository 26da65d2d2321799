from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from dashify.cli import main
from dashify.context import Context, Platform
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import organizations
from dashify.settings import Settings
from tests.knowledge.conftest import Work, write

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs `dashify` with arguments on the test servers."""
    for name, value in settings.to_env().items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_a_comparison_is_asked_for_and_its_outcome_told(run: Run, alice: Context, resources: Resources,
                                                        runner: Runner, work: Work) -> None:
    write(alice, "Plan", "Text.")
    work(alice)
    asked = run("index", "check")
    assert asked.exit_code == 0, asked.output
    tick = resources.database["jobs"].find_one({"kind": "nightly_tick", "status": "queued"})
    assert tick is not None
    assert runner.run(tick["_id"]) == "done"
    work(alice)
    told = run("index", "status").output
    assert "searched" in told
    assert tick["payload"]["tick"] in told
    assert re.search(r": (\d+) of \1 organizations done, ", told)


def test_what_cannot_be_done_to_the_index_is_said(run: Run, alice: Context, work: Work) -> None:
    write(alice, "Plan", "Text.")
    work(alice)
    name = alice.collections.active().name
    for arguments, said in ((("switch",), "No collection is being built"), (("drop", name), "in use"),
                            (("build", "all-minilm"), "searched already")):
        done = run("index", *arguments)
        assert done.exit_code == 1
        assert said in done.output


def test_an_organization_is_deleted_only_when_that_is_meant(run: Run, alice: Context, platform: Platform) -> None:
    tenant_id = alice.actor.tenant_id
    refused = run("delete-organization", tenant_id)
    assert (refused.exit_code, "Delete Acme" in refused.output) == (1, True)
    assert platform.directory.find_tenant(tenant_id) == "Acme"
    assert run("delete-organization", "0" * 24, "--yes").exit_code == 1
    done = run("delete-organization", tenant_id, "--yes")
    assert done.exit_code == 0, done.output
    assert organizations.count_traces(platform, tenant_id)["tenants"] == 1  # until the job has run
    account = platform.directory.find_by_email(alice.actor.email)
    assert account is not None
    assert not account["active"]
