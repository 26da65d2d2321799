from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from dashify.context import Context, Platform
from dashify.domain.jobs import INSTALLATION, Job
from dashify.jobs import nightly
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import channels, chat, documents
from dashify.services.indexing import Index
from tests.knowledge.conftest import Meanings, Work, points, write

TICK = "2026-11-24T02:00:00+00:00"


def reconcile(platform: Platform, ctx: Context, work: Work, run: str) -> list[str]:
    platform.unit(INSTALLATION, "scheduler", partial(nightly.ask_for_tenants, run, [ctx.actor.tenant_id]))
    return work(ctx)


def counts(resources: Resources, ctx: Context, run: str) -> dict[str, int]:
    mine = [{"tenant_id": ctx.actor.tenant_id}, {"payload.tenants": ctx.actor.tenant_id}]
    rows = resources.database["jobs"].find({"$or": mine, "payload.run": run})
    summed: dict[str, int] = {}
    for row in rows:
        for name, value in row["result"].items():
            summed[name] = summed.get(name, 0) + int(value)
    return summed


@pytest.fixture
def filled(alice: Context, work: Work) -> str:
    """An organization with a few texts in the index; gives one document's id."""
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    for number in range(3):
        chat.post_message(alice, general, f"Message about number {number}", None, None)
        write(alice, f"Text {number}", f"Text about number {number}.")
    document_id = write(alice, "Kept", "# One\n\nFirst.\n\n# Two\n\nSecond.")
    work(alice)
    return document_id


def test_a_night_with_nothing_to_mend_changes_and_embeds_nothing(alice: Context, platform: Platform, filled: str,
                                                                 resources: Resources, work: Work,
                                                                 meanings: Meanings) -> None:
    before, meanings.embedded = points(resources, alice), []
    assert reconcile(platform, alice, work, "night-1") == ["reconcile_tenants done"]
    assert meanings.embedded == []
    assert sorted(map(str, points(resources, alice))) == sorted(map(str, before))
    found = counts(resources, alice, "night-1")
    assert found["last"] == 1
    assert sum(found.get(name, 0) for name in ("missing", "stale", "orphaned")) == 0


def test_what_the_index_has_lost_comes_back(alice: Context, platform: Platform, filled: str, resources: Resources,
                                            work: Work) -> None:
    before = points(resources, alice)
    Index(platform, alice.actor.tenant_id).remove_all()
    assert points(resources, alice) == []
    reconcile(platform, alice, work, "night-2")
    assert len(points(resources, alice)) == len(before)
    assert counts(resources, alice, "night-2")["missing"] == 4 + 3
    assert documents.get_document(alice, filled)["status"] == "ready"


def test_what_is_in_part_or_of_an_old_revision_is_made_whole(alice: Context, platform: Platform, filled: str,
                                                             resources: Resources, work: Work) -> None:
    vectors = alice.vectors(alice.collections.active().name)
    vectors.delete({"source_id": filled, "heading": "Two"})
    resources.database["documents"].update_one({"_id": filled}, {"$inc": {"revision": 1}})
    reconcile(platform, alice, work, "night-3")
    assert {point["revision"] for point in points(resources, alice, source_id=filled)} == {2}
    assert len(points(resources, alice, source_id=filled)) == 2
    assert counts(resources, alice, "night-3")["stale"] == 1


def test_what_belongs_to_nothing_any_more_is_taken_out(alice: Context, platform: Platform, filled: str,
                                                       resources: Resources, work: Work) -> None:
    message = resources.database["messages"].find_one({"tenant_id": alice.actor.tenant_id})
    assert message is not None
    resources.database["documents"].delete_one({"_id": filled})
    resources.database["messages"].delete_one({"_id": message["_id"]})
    reconcile(platform, alice, work, "night-4")
    left = {point["source_id"] for point in points(resources, alice)}
    assert not left & {filled, message["_id"]}
    assert len(left) == 5
    assert counts(resources, alice, "night-4")["orphaned"] == 2


def test_a_document_whose_job_was_lost_is_indexed_in_the_night_and_a_fresh_one_is_left_to_its_job(
        alice: Context, platform: Platform, resources: Resources, work: Work) -> None:
    late, fresh = write(alice, "Late", "Text."), write(alice, "Fresh", "Other text.")
    resources.database["jobs"].delete_many({"tenant_id": alice.actor.tenant_id, "kind": Job.INDEX_DOCUMENT.kind})
    resources.database["documents"].update_one({"_id": late}, {"$set": {"updated_at": alice.now - timedelta(hours=1)}})
    reconcile(platform, alice, work, "night-5")
    assert documents.get_document(alice, late)["status"] == "ready"
    assert documents.get_document(alice, fresh)["status"] == "queued"


def test_a_large_organization_is_done_in_parts_that_take_turns(alice: Context, platform: Platform, filled: str,
                                                               resources: Resources, work: Work,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "ROWS_A_PART", 2)
    monkeypatch.setattr("dashify.services.reconciling._PAGE", 2)
    done = reconcile(platform, alice, work, "night-6")
    assert done.count("reconcile_tenant done") > 3
    assert counts(resources, alice, "night-6")["last"] == 1
    assert counts(resources, alice, "night-6").get("missing", 0) == 0


def test_a_tick_asks_every_organization_once_however_often_it_runs(alice: Context, bob: Context, carol: Context,
                                                                   platform: Platform, resources: Resources,
                                                                   runner: Runner) -> None:
    for number in range(2):
        job_id = platform.unit(INSTALLATION, "scheduler", lambda unit: unit.jobs.add(Job.NIGHTLY_TICK, {"tick": TICK}))
        assert runner.run(job_id) == "done", number
    rows = list(resources.database["jobs"].find({"kind": Job.RECONCILE_TENANTS.kind, "payload.run": TICK}))
    asked = [tenant_id for row in rows for tenant_id in row["payload"]["tenants"]]
    assert {alice.actor.tenant_id, carol.actor.tenant_id} <= set(asked)
    assert len(asked) == len(set(asked))


def test_a_run_that_takes_long_leaves_the_other_organizations_to_the_next(
        alice: Context, carol: Context, platform: Platform, resources: Resources, work: Work,
        monkeypatch: pytest.MonkeyPatch) -> None:
    write(carol, "Plan", "Text.")
    both = [alice.actor.tenant_id, carol.actor.tenant_id]
    monkeypatch.setattr(nightly, "SECONDS_A_RUN", 0.0)
    platform.unit(INSTALLATION, "scheduler", partial(nightly.ask_for_tenants, "night-7", both))
    assert work(carol).count("reconcile_tenants done") == 2
    rows = resources.database["jobs"].find({"payload.run": "night-7", "kind": Job.RECONCILE_TENANTS.kind})
    assert sorted((len(row["payload"]["tenants"]), row["result"]["last"]) for row in rows) == [(1, 1), (2, 1)]
