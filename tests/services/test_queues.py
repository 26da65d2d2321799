from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dashify.context import Context, Platform
from dashify.domain import names
from dashify.domain.accounts import Role
from dashify.domain.jobs import Delivery, Job, JobStatus, Queue
from dashify.domain.names import new_id
from dashify.errors import DashifyError, Forbidden, NotAllowedNow, NotFound
from dashify.resources import Resources
from dashify.services import queues

Make = Callable[..., str]


@pytest.fixture
def make(resources: Resources) -> Make:
    """Give a function that gives somebody a job in a state of our choice."""

    def add(ctx: Context, status: JobStatus = JobStatus.DEAD, *, job: Job = Job.EXPORT_CHANNEL, due_in: float = -60.0,
            **fields: Any) -> str:
        job_id = ctx.unit(lambda unit: unit.store.jobs.add(
            job, {"channel_id": new_id()}, actor_id=ctx.actor.user_id, now=unit.now))
        failed = {"failures": 15, "crashes": 2, "attempt": 17, "finished_at": ctx.now,
                  "error": {"code": "unavailable", "message": "It was away."}} if status == JobStatus.DEAD else {}
        resources.database["jobs"].update_one({"_id": job_id}, {"$set": {
            "status": status.value, "due_at": ctx.now + timedelta(seconds=due_in), **failed, **fields}})
        return job_id

    return add


@pytest.fixture
def told(alice: Context, monkeypatch: pytest.MonkeyPatch, resources: Resources) -> dict[str, list[Any]]:
    """What was published to Acme, handed to workers, and withdrawn from them."""
    heard: dict[str, list[Any]] = {"events": [], "sent": [], "withdrawn": []}

    def follow(deliveries: list[Delivery], withdrawals: list[tuple[str, Queue]]) -> None:
        heard["sent"] += deliveries
        heard["withdrawn"] += withdrawals

    def emit(room: str, *event: Any) -> None:
        # What an earlier test caused may be told only now.
        if room.startswith(alice.actor.tenant_id):
            heard["events"].append((room, *event))

    monkeypatch.setattr(resources.publisher, "emit", emit)
    monkeypatch.setattr(resources.dispatcher, "follow", follow)
    return heard


def of(ctx: Context, platform: Platform, queue: Queue) -> dict[str, Any]:
    return next(one for one in queues.list_queues(ctx, platform) if one["queue"] == queue)


def test_every_queue_is_counted_with_my_organizations_jobs_alone(alice: Context, carol: Context, platform: Platform,
                                                                 make: Make) -> None:
    for status, due_in in ((JobStatus.QUEUED, -60.0), (JobStatus.QUEUED, -30.0), (JobStatus.QUEUED, 900.0),
                           (JobStatus.RUNNING, -60.0), (JobStatus.DEAD, -60.0), (JobStatus.DONE, -60.0),
                           (JobStatus.CANCELLED, -60.0)):
        make(alice, status, due_in=due_in)
    make(alice, JobStatus.QUEUED, job=Job.SEND_INVITATION, due_in=900.0)
    shown = queues.list_queues(alice, platform)
    assert [one["queue"] for one in shown] == ["emails", "reports", "indexer", "notifications", "audit", "assistant"]
    reports = of(alice, platform, Queue.REPORTS)
    waited = reports.pop("oldest_seconds")
    assert 60.0 <= waited < 3600.0
    assert reports == {"queue": "reports", "queued": 2, "delayed": 1, "running": 1, "failed": 1, "workers": 0,
                       "slots": 0}
    assert of(alice, platform, Queue.EMAILS)["delayed"] == 1
    for one in queues.list_queues(carol, platform):
        # Carol's own sign-up asks for its entry in the audit log to be sealed.
        assert [one[name] for name in ("queued", "delayed", "running", "failed")] == [one["queue"] == "audit", 0, 0, 0]


def test_the_workers_of_the_whole_installation_are_counted(alice: Context, platform: Platform) -> None:
    names_ = [new_id(), new_id()]
    for name, slots in zip(names_, (1, 4), strict=True):
        platform.workers.register(name, {"queue": "indexer", "host": "h", "pid": 1, "slots": slots})
    shown = of(alice, platform, Queue.INDEXER)
    assert (shown["workers"], shown["slots"]) == (2, 5)
    for name in names_:
        platform.workers.remove(name)
    assert of(alice, platform, Queue.INDEXER)["workers"] == 0


def test_jobs_are_listed_newest_first_page_by_page_without_what_they_work_on(alice: Context, make: Make) -> None:
    made = [make(alice) for _ in range(5)]
    make(alice, JobStatus.QUEUED)
    first = queues.list_jobs(alice, "reports", "failed", None, 3)
    rest = queues.list_jobs(alice, "reports", "failed", first["next"], 3)
    assert [one["id"] for one in first["jobs"] + rest["jobs"]] == made[::-1]
    assert rest["next"] is None
    shown = first["jobs"][0]
    assert set(shown) == {"id", "kind", "queue", "status", "attempt", "failures", "crashes", "progress", "error",
                          "actor_id", "created_at", "due_at", "started_at", "finished_at"}
    assert (shown["status"], shown["error"]) == ("failed", {"code": "unavailable", "message": "It was away."})
    assert queues.list_jobs(alice, "reports", "running", None, 3) == {"jobs": [], "next": None}
    with pytest.raises(NotFound):
        queues.list_jobs(alice, "nonsense", "failed", None, 3)


def test_a_failed_job_is_put_back_as_new_and_sent_again(alice: Context, make: Make, told: dict[str, list[Any]],
                                                        platform: Platform) -> None:
    job_id = make(alice)
    shown = queues.retry_job(alice, job_id)
    assert (shown["status"], shown["failures"], shown["crashes"], shown["error"]) == ("queued", 0, 0, None)
    assert (shown["finished_at"], shown["attempt"]) == (None, 17)
    assert told["sent"] == [Delivery(job_id, Queue.REPORTS)]
    row = alice.store.jobs.get(job_id)
    assert (row["status"], row["alone_crashes"], row["finished_at"]) == ("queued", 0, None)
    assert row["due_at"] <= alice.now
    assert [(room, event) for room, event, _ in told["events"]] == [
        (names.user_room(alice.actor.tenant_id, alice.actor.user_id), "job:progress"),
        (names.admins_room(alice.actor.tenant_id), "queues:changed")]
    with pytest.raises(NotAllowedNow):
        queues.retry_job(alice, job_id)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE, JobStatus.CANCELLED])
def test_only_a_failed_job_can_be_put_back(alice: Context, make: Make, status: JobStatus) -> None:
    job_id = make(alice, status)
    with pytest.raises(NotAllowedNow):
        queues.retry_job(alice, job_id)
    assert alice.store.jobs.get(job_id)["status"] == status


def test_all_failed_jobs_of_one_queue_are_put_back_and_no_others(alice: Context, carol: Context, make: Make,
                                                                 told: dict[str, list[Any]],
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST_AT_ONCE", 3)
    made = [make(alice) for _ in range(4)]
    mail, hers, runs = make(alice, job=Job.SEND_INVITATION), make(carol), make(alice, JobStatus.RUNNING)
    assert queues.retry_queue(alice, "reports") == 3
    assert [one.job_id for one in told["sent"]] == made[:3]
    assert queues.retry_queue(alice, "reports") == 1
    assert queues.retry_queue(alice, "reports") == 0
    assert [alice.store.jobs.get(one)["status"] for one in (mail, runs)] == ["dead", "running"]
    assert carol.store.jobs.get(hers)["status"] == "dead"


@pytest.mark.parametrize("status", [JobStatus.DEAD, JobStatus.QUEUED])
def test_a_failed_or_waiting_job_is_discarded_and_withdrawn(alice: Context, make: Make, told: dict[str, list[Any]],
                                                            status: JobStatus) -> None:
    job_id = make(alice, status)
    queues.discard_job(alice, job_id)
    row = alice.store.jobs.get(job_id)
    assert row["status"] == "cancelled"
    assert row["finished_at"] is not None
    assert told["withdrawn"] == [(job_id, Queue.REPORTS)]
    with pytest.raises(NotAllowedNow):
        queues.discard_job(alice, job_id)


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.DONE])
def test_a_job_that_runs_or_is_over_is_not_discarded(alice: Context, make: Make, told: dict[str, list[Any]],
                                                     status: JobStatus) -> None:
    job_id = make(alice, status)
    with pytest.raises(NotAllowedNow):
        queues.discard_job(alice, job_id)
    assert alice.store.jobs.get(job_id)["status"] == status
    assert told["withdrawn"] == []


def test_carol_finds_and_changes_none_of_acmes_jobs(alice: Context, carol: Context, make: Make,
                                                    told: dict[str, list[Any]]) -> None:
    job_id = make(alice)
    assert queues.list_jobs(carol, "reports", "failed", None, 50)["jobs"] == []
    assert queues.retry_queue(carol, "reports") == 0
    for refused in (queues.retry_job, queues.discard_job):
        with pytest.raises(NotFound):
            refused(carol, job_id)
        with pytest.raises(NotFound):
            refused(carol, "no id at all")
    assert alice.store.jobs.get(job_id)["status"] == "dead"
    assert told == {"events": [], "sent": [], "withdrawn": []}


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
def test_members_and_guests_see_and_change_no_queue(alice: Context, join: Callable[..., Context], platform: Platform,
                                                    make: Make, role: Role) -> None:
    bob, job_id = join(alice, "Bob", role), make(alice)
    calls: list[Callable[[], Any]] = [
        lambda: queues.list_queues(bob, platform), lambda: queues.list_jobs(bob, "reports", "failed", None, 50),
        lambda: queues.retry_job(bob, job_id), lambda: queues.retry_queue(bob, "reports"),
        lambda: queues.discard_job(bob, job_id)]
    for call in calls:
        with pytest.raises(Forbidden):
            call()
    assert alice.store.jobs.get(job_id)["status"] == "dead"


def test_an_admin_may_do_what_an_owner_may(alice: Context, join: Callable[..., Context], platform: Platform,
                                           make: Make) -> None:
    admin, job_id = join(alice, "Bob", Role.ADMIN), make(alice)
    assert of(admin, platform, Queue.REPORTS)["failed"] == 1
    assert queues.retry_job(admin, job_id)["status"] == "queued"
    queues.discard_job(admin, job_id)


def test_a_refusal_leaves_nothing_to_hand_over(alice: Context, make: Make, told: dict[str, list[Any]]) -> None:
    with pytest.raises(DashifyError):
        queues.retry_job(alice, make(alice, JobStatus.RUNNING))
    assert told["sent"] == []
