from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashify.context import Context, Platform
from dashify.domain.jobs import INSTALLATION, Job, Queue, pause
from dashify.errors import NotFound, Unavailable
from dashify.jobs import runner as module
from dashify.jobs.runner import Runner
from dashify.jobs.running import Run, Superseded
from dashify.jobs.sweeper import Sweeper
from dashify.resources import Resources
from dashify.settings import QUEUES
from dashify.stores.self_checks import SelfChecks
from tests.jobs.conftest import ask, claim

Row = dict[str, Any]


def row_of(resources: Resources, job_id: str) -> Row:
    found = resources.database["jobs"].find_one({"_id": job_id})
    assert found is not None
    return found


def sweeper_of(runner: Runner) -> Sweeper:
    return Sweeper(runner, list(Queue), lambda queue: True)


def checked(platform: Platform, run: Run) -> None:
    run.finish(lambda unit: SelfChecks(run.platform.resources.database).add_one(run.payload["row"], unit.tx))


def test_a_job_runs_once_however_often_it_is_delivered(runner: Runner, platform: Platform) -> None:
    job_id = ask(platform, row=7)
    assert [runner.run(job_id) for _ in range(3)] == ["done", "skipped", "skipped"]
    assert SelfChecks(platform.resources.database).get(7) == 1


def test_a_run_that_wakes_after_another_began_is_refused(runner: Runner, platform: Platform,
                                                         resources: Resources) -> None:
    job_id = ask(platform, row=8)
    late = claim(runner, job_id)
    assert sweeper_of(runner).reap() == 1
    second = claim(runner, job_id, "the next")
    with pytest.raises(Superseded):
        checked(platform, late)
    assert runner.book.finish([job_id], "somebody who died") == set()
    checked(platform, second)
    with pytest.raises(Superseded):
        checked(platform, second)
    assert SelfChecks(resources.database).get(8) == 1


def test_a_run_told_that_its_lease_is_over_writes_nothing(runner: Runner, platform: Platform,
                                                          resources: Resources) -> None:
    run = claim(runner, ask(platform, row=9))
    run.lose()
    with pytest.raises(Superseded):
        checked(platform, run)
    with pytest.raises(NotFound):
        SelfChecks(resources.database).get(9)


def test_what_is_away_is_tried_again_later_and_in_the_end_no_more(
        runner: Runner, platform: Platform, resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(platform: Platform, payload: Row, run: Run) -> None:
        raise Unavailable("The mail host is away.", code="mail_unavailable")

    monkeypatch.setattr(module, "function_of", lambda path: away)
    job_id = ask(platform)
    assert runner.run(job_id) == "retried"
    row = row_of(resources, job_id)
    assert (row["status"], row["failures"], row["error"]["code"]) == ("queued", 1, "mail_unavailable")
    assert row["due_at"] > row["started_at"]
    resources.database["jobs"].update_one(
        {"_id": job_id}, {"$set": {"failures": 14, "due_at": row["created_at"]}})
    assert runner.run(job_id) == "dead"
    assert row_of(resources, job_id)["status"] == "dead"


def test_any_other_failure_ends_the_job_without_a_word_of_its_inside(
        runner: Runner, platform: Platform, resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(platform: Platform, payload: Row, run: Run) -> None:
        raise ValueError("secret token in here")

    monkeypatch.setattr(module, "function_of", lambda path: broken)
    job_id = ask(platform)
    assert runner.run(job_id) == "dead"
    row = row_of(resources, job_id)
    assert row["error"]["code"] == "internal"
    assert "secret" not in str(row)


def test_only_a_job_that_kills_its_worker_while_alone_three_times_is_dead(
        runner: Runner, platform: Platform, resources: Resources) -> None:
    job_id = ask(platform)
    sweeper = sweeper_of(runner)
    for _ in range(5):
        claim(runner, job_id)
        assert sweeper.reap() == 1
    assert row_of(resources, job_id)["status"] == "queued"
    for _ in range(3):
        run = claim(runner, job_id)
        assert runner.book.begin_alone(job_id, run.attempt)
        assert sweeper.reap() == 1
    row = row_of(resources, job_id)
    assert (row["status"], row["crashes"], row["error"]["code"]) == ("dead", 8, "worker_died")


def test_what_a_living_worker_holds_is_left_alone(runner: Runner, platform: Platform) -> None:
    runner.workers.register("alive", {"queue": "audit", "host": "here", "pid": 1, "slots": 1})
    claim(runner, ask(platform), "alive")
    assert sweeper_of(runner).reap() == 0
    runner.workers.remove("alive")


def test_what_is_given_back_counts_neither_as_failure_nor_as_crash(runner: Runner, platform: Platform,
                                                                   resources: Resources) -> None:
    job_id = ask(platform, row=3)
    run = claim(runner, job_id)
    runner.book.put_back([job_id], "somebody who died")
    with pytest.raises(Superseded):
        checked(platform, run)
    row = row_of(resources, job_id)
    assert (row["status"], row["failures"], row["crashes"]) == ("queued", 0, 0)
    assert runner.run(job_id) == "done"


def test_a_kind_that_this_release_does_not_know_waits_for_one_that_does(runner: Runner, platform: Platform,
                                                                        resources: Resources) -> None:
    job_id = ask(platform)
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"kind": "from_the_future"}})
    assert runner.run(job_id) == "skipped"
    row = row_of(resources, job_id)
    assert row["status"] == "queued"
    assert row["due_at"] > row["created_at"]


def test_what_redis_has_lost_is_handed_over_again_and_what_it_has_is_not(
        runner: Runner, platform: Platform, resources: Resources) -> None:
    job_id = ask(platform)
    long_ago = datetime.now(UTC) - timedelta(seconds=10)
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"created_at": long_ago, "due_at": long_ago}})
    sweeper = sweeper_of(runner)
    assert job_id in resources.dispatcher.on(Queue.AUDIT, lambda lists: lists.list_held())
    assert sweeper.resend() == 0
    for keys in (["rq:queue:audit"], ["rq:queue:audit", f"rq:job:{job_id}"]):
        resources.gate.run(lambda client, keys=keys: client.delete(*keys))
        assert sweeper.resend() == 1
        assert job_id in resources.dispatcher.on(Queue.AUDIT, lambda lists: lists.list_held())


def test_an_invitation_goes_out_with_a_link_that_works_and_no_row_holds_it(
        runner: Runner, alice: Context, platform: Platform, resources: Resources) -> None:
    from dashify.domain.accounts import Role
    from dashify.services import people

    token = people.invite(alice, "dora@example.test", Role.MEMBER)["token"]
    row = resources.database["jobs"].find_one({"kind": Job.SEND_INVITATION.kind})
    assert row is not None
    assert token not in str(row)
    assert runner.run(row["_id"]) == "done"
    mail = (mails_of(resources) / f"{row['_id']}.eml").read_text()
    assert "To: dora@example.test" in mail
    assert f"/invite/{token}" in mail.replace("=\n", "")
    assert f"Message-ID: <{row['_id']}@localhost>" in mail


def test_a_withdrawn_invitation_is_not_sent(runner: Runner, alice: Context, resources: Resources) -> None:
    from dashify.domain.accounts import Role
    from dashify.services import people

    invited = people.invite(alice, "emil@example.test", Role.MEMBER)["invitation"]
    people.withdraw_invitation(alice, invited["id"])
    row = resources.database["jobs"].find_one({"kind": Job.SEND_INVITATION.kind})
    assert row is not None
    assert runner.run(row["_id"]) == "done"
    assert not (mails_of(resources) / f"{row['_id']}.eml").exists()


def test_a_link_for_a_new_password_goes_to_the_account(runner: Runner, alice: Context, platform: Platform,
                                                       resources: Resources) -> None:
    from dashify.services import accounts
    from tests.conftest import HERE, PASSWORD

    accounts.request_reset(platform, alice.actor.email, HERE)
    row = resources.database["jobs"].find_one({"kind": Job.SEND_PASSWORD_RESET.kind})
    assert row is not None
    assert runner.run(row["_id"]) == "done"
    mail = (mails_of(resources) / f"{row['_id']}.eml").read_text().replace("=\n", "")
    token = mail.split("/reset/")[1].split()[0]
    assert accounts.confirm_reset(platform, token, PASSWORD + "!", HERE).actor.user_id == alice.actor.user_id


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    policy = QUEUES["emails"]
    assert 1 <= pause(1, policy) <= 3
    assert 450 <= pause(14, policy) <= 1350


def mails_of(resources: Resources) -> Any:
    from pathlib import Path

    return Path(resources.settings.mail_url.removeprefix("file://"))


def test_the_installations_own_jobs_are_nobodys(alice: Context, platform: Platform) -> None:
    job_id = ask(platform)
    with pytest.raises(NotFound):
        alice.store.jobs.get(job_id)
    assert platform.store_of(INSTALLATION).jobs.get(job_id)["_id"] == job_id


def test_a_job_that_was_cancelled_waits_nowhere(alice: Context, resources: Resources) -> None:
    from dashify.services import channels
    from dashify.services.jobs import cancel_job

    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    job_id = alice.unit(lambda unit: unit.jobs.add(Job.EXPORT_CHANNEL, {"channel_id": general, "format": "csv"}))
    assert job_id in resources.dispatcher.on(Queue.REPORTS, lambda lists: lists.list_held())
    assert cancel_job(alice, job_id)["status"] == "cancelled"
    assert job_id not in resources.dispatcher.on(Queue.REPORTS, lambda lists: lists.list_held())
