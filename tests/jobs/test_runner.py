from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashify.clients.queue import delivery_id
from dashify.context import Context, Platform
from dashify.domain.jobs import BY_KIND, INSTALLATION, MOST_CRASHES, Job, Queue, pause
from dashify.errors import NotFound, Unavailable
from dashify.jobs import runner as module
from dashify.jobs.runner import Runner
from dashify.jobs.running import Run, Superseded
from dashify.jobs.schedule import Sweeper
from dashify.resources import Resources
from dashify.stores.jobs import SelfChecks
from tests.jobs.conftest import ask

Row = dict[str, Any]


def row_of(resources: Resources, job_id: str) -> Row:
    found = resources.database["jobs"].find_one({"_id": job_id})
    assert found is not None
    return found


def age_lease(resources: Resources, job_id: str) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"lease_until": past}})


def claim(runner: Runner, platform: Platform, job_id: str) -> Run:
    row = runner.book.claim(job_id, BY_KIND)
    assert row is not None
    return Run(platform, row)


def checked(platform: Platform, run: Run) -> None:
    run.finish(lambda unit: SelfChecks(platform.resources.database).add_one(run.payload["row"], unit.tx))


def test_a_job_runs_once_however_often_it_is_delivered(runner: Runner, platform: Platform) -> None:
    job_id = ask(platform, row=7)
    assert [runner.run(job_id) for _ in range(3)] == ["done", "skipped", "skipped"]
    assert SelfChecks(platform.resources.database).get(7) == 1


def test_a_run_that_wakes_after_another_began_is_refused(runner: Runner, platform: Platform,
                                                         resources: Resources) -> None:
    job_id = ask(platform, row=8)
    late = claim(runner, platform, job_id)
    age_lease(resources, job_id)
    assert Sweeper(platform, resources.dispatcher).reap() == 1
    second = claim(runner, platform, job_id)
    with pytest.raises(Superseded):
        checked(platform, late)
    assert not runner.book.extend(job_id, late.attempt)
    checked(platform, second)
    with pytest.raises(Superseded):
        checked(platform, second)
    assert SelfChecks(resources.database).get(8) == 1


def test_a_run_told_that_its_lease_is_over_writes_nothing(runner: Runner, platform: Platform,
                                                          resources: Resources) -> None:
    run = claim(runner, platform, ask(platform, row=9))
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


def test_a_job_that_kills_its_worker_three_times_is_dead(runner: Runner, platform: Platform,
                                                         resources: Resources) -> None:
    job_id = ask(platform)
    sweeper = Sweeper(platform, resources.dispatcher)
    for _ in range(MOST_CRASHES):
        claim(runner, platform, job_id)
        age_lease(resources, job_id)
        assert sweeper.reap() == 1
    row = row_of(resources, job_id)
    assert (row["status"], row["crashes"], row["error"]["code"]) == ("dead", 3, "worker_died")


def test_a_lease_that_has_not_ended_is_left_alone(runner: Runner, platform: Platform, resources: Resources) -> None:
    claim(runner, platform, ask(platform))
    assert Sweeper(platform, resources.dispatcher).reap() == 0


def test_what_is_given_back_counts_neither_as_failure_nor_as_crash(runner: Runner, platform: Platform,
                                                                   resources: Resources) -> None:
    job_id = ask(platform, row=3)
    run = claim(runner, platform, job_id)
    with runner.leases.held(run):
        assert runner.leases.give_back_all() == 1
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
    assert row_of(resources, job_id)["status"] == "queued"


def test_what_redis_has_lost_is_handed_over_again_and_what_it_has_is_not(platform: Platform,
                                                                         resources: Resources) -> None:
    job_id = ask(platform)
    long_ago = datetime.now(UTC) - timedelta(seconds=10)
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"created_at": long_ago}})
    sweeper = Sweeper(platform, resources.dispatcher)
    assert delivery_id(job_id, 1) in resources.dispatcher.waiting(Queue.AUDIT)
    assert sweeper.resend() == 0
    resources.gate.run(lambda client: client.delete("rq:queue:audit"))
    assert sweeper.resend() == 1
    assert delivery_id(job_id, 1) in resources.dispatcher.waiting(Queue.AUDIT)


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
    assert 1 <= pause(1) <= 3
    assert 450 <= pause(14) <= 1350


def mails_of(resources: Resources) -> Any:
    from pathlib import Path

    return Path(resources.settings.mail_url.removeprefix("file://"))


def test_the_installations_own_jobs_are_nobodys(alice: Context, platform: Platform) -> None:
    job_id = ask(platform)
    with pytest.raises(NotFound):
        alice.store.jobs.get(job_id)
    assert platform.store_of(INSTALLATION).jobs.get(job_id)["_id"] == job_id
