from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from dashify.clients.rq_lists import Claim
from dashify.context import Context, Platform
from dashify.domain import chat as changes
from dashify.domain.accounts import Role, SignedIn, derive_token, token_hash
from dashify.domain.audit import Action
from dashify.domain.jobs import INSTALLATION, Job, JobStatus, Queue
from dashify.domain.names import new_id
from dashify.domain.reports import ReportFormat, ReportKind
from dashify.errors import Conflict, Forbidden, NotAllowedNow, NotFound, Unauthenticated
from dashify.jobs.runner import Runner
from dashify.jobs.running import Superseded
from dashify.resources import Resources
from dashify.services import accounts, assistant, audit, channels, chat, documents, jobs, people, reports, sessions
from dashify.services.documents import Place
from dashify.stores.mongo import Document
from dashify.units import Unit
from tests.conftest import HERE, PASSWORD

Join = Callable[..., Context]
Refreshed = Callable[[Context], Context]
# Who puts back or discards a job accounts for it where queues are looked after.
ELSEWHERE = {Action.JOB_RETRIED, Action.JOB_DISCARDED, Action.SUPERADMIN_CHANGED}


def entries(ctx: Context, action: Action | None = None) -> list[Document]:
    """The rows of the log, oldest first."""
    return [row for row in ctx.store.audit.list_after(None, 0) if action in (None, row["action"])]


def actions(ctx: Context) -> list[str]:
    return [row["action"] for row in entries(ctx)]


def waiting(ctx: Context, resources: Resources) -> list[str]:
    """The jobs that are asked for to seal a tenant's log now."""
    where = {"tenant_id": ctx.actor.tenant_id, "kind": Job.SEAL_AUDIT.kind, "status": JobStatus.QUEUED.value,
             "due_at": {"$lte": datetime.now(UTC)}}
    return [row["_id"] for row in resources.database["jobs"].find(where)]


def seal(ctx: Context, runner: Runner, resources: Resources) -> None:
    while ids := waiting(ctx, resources):
        assert {runner.run(job_id) for job_id in ids} == {"done"}


def again(ctx: Context, resources: Resources) -> str:
    """The one job that is to look again later; its time has come."""
    [row] = resources.database["jobs"].find({
        "tenant_id": ctx.actor.tenant_id, "kind": Job.SEAL_AUDIT.kind, "due_at": {"$gt": datetime.now(UTC)}})
    resources.database["jobs"].update_one({"_id": row["_id"]}, {"$set": {"due_at": datetime.now(UTC)}})
    return str(row["_id"])


def rename(ctx: Context, name: str) -> None:
    accounts.change_profile(ctx, name=name)


def sign_in(platform: Platform, ctx: Context) -> SignedIn:
    return accounts.sign_in(platform, ctx.actor.email, PASSWORD, HERE)


class Story:
    """Everything that is accounted for, done once at Acme; and what no entry may hold."""

    def __init__(self, platform: Platform, runner: Runner, alice: Context, join: Join, refreshed: Refreshed) -> None:
        self.platform, self.runner, self.alice = platform, runner, alice
        self.secrets = [PASSWORD, "a brand new password", "the third password", "Layoffs", "Nobody may know"]
        bob = join(alice, "Bob")
        self.people(bob)
        self.talk(refreshed(join(alice, "Dave")), refreshed)
        self.report(refreshed(alice))
        self.write(refreshed(alice))
        rows = platform.resources.database["users"].find({"tenant_id": alice.actor.tenant_id})
        self.secrets += [row["password_hash"] for row in rows]

    def people(self, bob: Context) -> None:
        platform, alice = self.platform, self.alice
        invited = people.invite(alice, f"{new_id()}@acme.test", Role.GUEST)
        people.withdraw_invitation(alice, invited["invitation"]["id"])
        with pytest.raises(Unauthenticated):
            accounts.sign_in(platform, bob.actor.email, "wrong guess", HERE)
        phone, signed = sign_in(platform, bob), sign_in(platform, bob)
        laptop = platform.context(signed.actor, HERE.address)
        sessions.revoke_session(laptop, str(phone.actor.session_id))
        rename(laptop, "Bobby")
        renewed = accounts.change_password(laptop, PASSWORD, "a brand new password", token_hash(signed.cookie),
                                           platform)
        accounts.sign_out(platform.context(renewed.actor))
        accounts.request_reset(platform, bob.actor.email, HERE)
        [reset] = platform.resources.database["password_resets"].find({"user_id": bob.actor.user_id})
        token = derive_token(platform.settings.secret_key, "reset", reset["_id"])
        fresh = accounts.confirm_reset(platform, token, "the third password", HERE)
        people.change_person(alice, bob.actor.user_id, Role.ADMIN, None)
        people.change_person(alice, bob.actor.user_id, None, False)
        people.change_person(alice, bob.actor.user_id, None, True)
        self.secrets += [invited["token"], token, token_hash(token), "wrong guess", signed.cookie, renewed.cookie,
                         fresh.cookie, token_hash(fresh.cookie)]

    def talk(self, dave: Context, refreshed: Refreshed) -> None:
        alice = self.alice
        launch = channels.create_channel(alice, "Launch", False, [dave.actor.user_id])["id"]
        hidden = channels.create_channel(alice, "Layoffs plan", True, [dave.actor.user_id])["id"]
        channels.change_channel(refreshed(alice), hidden, "Layoffs plan B")
        channels.change_channel(alice, launch, "Liftoff")
        for channel_id in (launch, hidden):
            posted = chat.post_message(refreshed(dave), channel_id, "Nobody may know", None, None)[0]
            chat.delete_message(refreshed(alice), posted["id"])
            channels.remove_member(refreshed(alice), channel_id, dave.actor.user_id)

    def report(self, alice: Context) -> None:
        channel = channels.list_channels(alice, None, 1)["channels"][0]["id"]
        job_id = reports.request_report(alice, ReportKind.CHANNEL, channel, ReportFormat.CSV)["id"]
        assert self.runner.run(job_id) == "done"
        jobs.open_result(alice, job_id)

    def write(self, alice: Context) -> None:
        document = documents.create_document(alice, "Layoffs plan C", "Nobody may know", Place())["id"]
        documents.change_document(alice, document, {"visibility": "organization", "title": "Holidays"}, None)
        documents.delete_document(alice, document)
        assistant.change_settings(alice, {"monthly_tokens": 1_000})


@pytest.fixture
def story(platform: Platform, runner: Runner, alice: Context, join: Join, refreshed: Refreshed) -> Story:
    return Story(platform, runner, alice, join, refreshed)


def test_everything_that_is_to_be_accounted_for_is(story: Story, alice: Context) -> None:
    assert set(actions(alice)) == set(Action) - ELSEWHERE
    by_action = {row["action"]: row for row in entries(alice)}
    assert by_action["role.changed"]["details"] == {"role": "admin", "role_before": "member"}
    assert by_action["profile.changed"]["details"] == {"name": "Bobby", "name_before": "Bob"}
    assert by_action["session.started"]["address"] == HERE.address
    assert by_action["invitation.created"]["subject"]["kind"] == "invitation"
    assert all(isinstance(value, (str, bool, int, float)) for row in entries(alice) for value in
               row["details"].values())


def test_no_entry_holds_a_secret_a_text_or_the_name_of_a_private_channel(
        story: Story, alice: Context, runner: Runner, resources: Resources) -> None:
    for _ in range(2):
        held = str(entries(alice)) + str([row["payload"] for row in resources.database["jobs"].find(
            {"tenant_id": alice.actor.tenant_id, "kind": Job.SEAL_AUDIT.kind})])
        shown = str(audit.list_entries(alice, None, 200, None, None))
        assert not [secret for secret in story.secrets if secret in held or secret in shown]
        assert "Liftoff" in held
        seal(alice, runner, resources)
    assert audit.check_log(alice)["intact"]


def test_what_is_not_to_be_accounted_for_is_not(alice: Context, bob: Context, general: str) -> None:
    before = actions(alice)
    message = chat.post_message(bob, general, "Hello", "c1", None)[0]
    chat.edit_message(bob, message["id"], "Hello!")
    chat.react(alice, message["id"], "👍", True)
    chat.delete_message(bob, message["id"])
    chat.delete_message(alice, message["id"])
    channels.add_member(bob, general, bob.actor.user_id)
    rename(bob, "Bob")
    channels.change_channel(alice, general, "general")
    people.change_person(alice, bob.actor.user_id, Role.MEMBER, True)
    sessions.revoke_other_sessions(bob)
    assert actions(alice) == before


def test_a_write_that_is_refused_leaves_no_entry_and_an_entry_that_fails_no_write(
        alice: Context, bob: Context, general: str) -> None:
    other = channels.create_channel(alice, "Other", False, [])["id"]
    before = entries(alice)
    with pytest.raises(Conflict):
        channels.change_channel(alice, other, "GENERAL")
    with pytest.raises(NotAllowedNow):
        people.change_person(alice, alice.actor.user_id, Role.MEMBER, None)
    with pytest.raises(NotFound):
        people.withdraw_invitation(alice, new_id())

    def broken(unit: Unit) -> None:
        unit.store.people.change(bob.actor.user_id, {"name": "Robert"}, now=unit.now)
        unit.audit.record(Action.PROFILE_CHANGED, subject=("user", bob.actor.user_id))
        raise NotAllowedNow("At the last moment.")

    with pytest.raises(NotAllowedNow):
        alice.unit(broken)
    assert entries(alice) == before
    assert alice.store.people.get(bob.actor.user_id)["name"] == "Bob"


def test_what_an_admin_deletes_and_its_entry_commit_in_one_transaction(
        alice: Context, bob: Context, general: str, resources: Resources) -> None:
    message = chat.post_message(bob, general, "Hello", None, None)[0]

    def broken(unit: Unit, outcome: changes.Outcome) -> None:
        unit.audit.record(Action.MESSAGE_DELETED, subject=("message", outcome.message["_id"]))
        raise NotAllowedNow("At the last moment.")

    with pytest.raises(NotAllowedNow):
        alice.change_channel(general, changes.Delete(message["id"]), lambda outcome: None, alice.beside(broken))
    assert chat.list_messages(bob, general, None, None, 50)["messages"][0]["text"] == "Hello"
    assert not entries(alice, Action.MESSAGE_DELETED)
    resources.database["jobs"].delete_many({"tenant_id": alice.actor.tenant_id})
    chat.delete_message(alice, message["id"])
    [row] = entries(alice, Action.MESSAGE_DELETED)
    assert (row["actor_id"], row["subject"]) == (alice.actor.user_id, {"kind": "message", "id": message["id"]})
    assert row["details"] == {"channel_id": general, "channel": "general", "author_id": bob.actor.user_id, "seq": 1}
    [job_id] = waiting(alice, resources)
    assert job_id in resources.dispatcher.on(Queue.AUDIT, lambda lists: lists.list_held())


def test_a_failed_sign_in_is_on_record_where_there_is_an_account_and_costs_the_same_where_not(
        platform: Platform, alice: Context, carol: Context) -> None:
    installation = platform.store_of(INSTALLATION).audit
    count = len(installation.list_after(None, 0))
    for email in (alice.actor.email, f"{new_id()}@nobody.test"):
        with pytest.raises(Unauthenticated):
            accounts.sign_in(platform, email, "wrong guess", HERE)
    [row] = entries(alice, Action.SESSION_REFUSED)
    assert (row["actor_id"], row["address"]) == (alice.actor.user_id, HERE.address)
    assert not entries(carol, Action.SESSION_REFUSED)
    assert len(installation.list_after(None, 0)) == count + 1


def test_only_owners_and_admins_of_the_organization_read_its_log(alice: Context, bob: Context, carol: Context,
                                                                 join: Join) -> None:
    guest = join(alice, "Gus", Role.GUEST)
    for stranger in (bob, guest):
        for attempt in (lambda: audit.list_entries(stranger, None, 50, None, None),  # noqa: B023 - called at once
                        lambda: audit.check_log(stranger)):  # noqa: B023 - the same
            with pytest.raises(Forbidden):
                attempt()
    admin = join(alice, "Ada", Role.ADMIN)
    shown = audit.list_entries(admin, None, 200, None, None)["entries"]
    assert [one["id"] for one in shown] == [row["_id"] for row in reversed(entries(alice))]
    theirs = audit.list_entries(carol, None, 200, None, None)["entries"]
    assert {one["actor_id"] for one in theirs} == {carol.actor.user_id}
    assert audit.list_entries(carol, None, 50, None, alice.actor.user_id)["entries"] == []


def test_the_log_is_read_in_pages_by_action_and_by_person(alice: Context, bob: Context) -> None:
    whole = audit.list_entries(alice, None, 200, None, None)["entries"]
    pages, cursor = [], None
    while True:
        page = audit.list_entries(alice, cursor, 2, None, None)
        pages += page["entries"]
        if (cursor := page["next"]) is None:
            break
    assert pages == whole
    joined = audit.list_entries(alice, None, 50, "invitation.accepted", None)["entries"]
    assert [(one["actor_name"], one["subject"]["name"]) for one in joined] == [("Bob", bob.actor.email)]
    his = audit.list_entries(alice, None, 50, None, bob.actor.user_id)["entries"]
    assert {one["action"] for one in his} == {"invitation.accepted", "session.started"}


def test_a_sealed_entry_keeps_the_names_of_its_time_and_a_new_one_shows_those_of_now(
        alice: Context, bob: Context, runner: Runner, resources: Resources) -> None:
    people.change_person(alice, bob.actor.user_id, Role.ADMIN, None)
    rename(bob, "Bobby")

    def shown() -> tuple[str, bool]:
        one = audit.list_entries(alice, None, 50, "role.changed", None)["entries"][0]
        return one["subject"]["name"], one["seal"] is not None

    assert shown() == ("Bobby", False)
    seal(alice, runner, resources)
    rename(bob, "Robert")
    assert shown() == ("Bobby", True)
    [row] = entries(alice, Action.ROLE_CHANGED)
    assert {"bobby", "admin", "alice", "role"} <= set(row["words"])


def test_a_burst_makes_one_job_which_seals_all_of_it_in_order(alice: Context, runner: Runner,
                                                              resources: Resources) -> None:
    for number in range(5):
        rename(alice, f"Alice {number}")
    assert len(waiting(alice, resources)) == 1
    seal(alice, runner, resources)
    rows = entries(alice)
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert audit.check_log(alice) == {"entries": len(rows), "sealed": len(rows), "intact": True, "broken_at": None}
    assert runner.run(again(alice, resources)) == "done"
    assert entries(alice) == rows


def test_an_entry_added_after_the_job_has_read_gets_a_job_of_its_own(alice: Context, runner: Runner,
                                                                     resources: Resources) -> None:
    seal(alice, runner, resources)
    rename(alice, "Alicia")
    assert len(waiting(alice, resources)) == 1
    seal(alice, runner, resources)
    assert audit.check_log(alice)["sealed"] == len(entries(alice))


def test_an_entry_whose_transaction_was_open_while_the_log_was_sealed_is_sealed_by_the_later_look(
        alice: Context, runner: Runner, resources: Resources) -> None:
    def slow(unit: Unit) -> None:
        unit.audit.record(Action.JOB_RETRIED, subject=("job", new_id()), details={"kind": "export_channel"})
        seal(alice, runner, resources)

    alice.unit(slow)
    assert not waiting(alice, resources)
    assert [row["action"] for row in entries(alice) if row["number"] is None] == ["job.retried"]
    assert audit.check_log(alice)["intact"]
    assert runner.run(again(alice, resources)) == "done"
    assert [row for row in entries(alice) if row["number"] is None] == []
    assert audit.check_log(alice)["intact"]


def test_a_job_that_was_discarded_holds_the_sealing_up_for_no_longer_than_an_hour(
        alice: Context, resources: Resources) -> None:
    [job_id] = waiting(alice, resources)
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"status": JobStatus.CANCELLED.value}})

    def later(unit: Unit) -> None:
        unit.now = unit.now.replace(year=unit.now.year + 1)
        unit.audit.record(Action.JOB_DISCARDED, subject=("job", job_id))

    alice.unit(later)
    found = resources.database["jobs"].count_documents({
        "tenant_id": alice.actor.tenant_id, "kind": Job.SEAL_AUDIT.kind, "status": JobStatus.QUEUED.value})
    assert found == 1


def test_runs_at_once_seal_every_entry_exactly_once(alice: Context, runner: Runner, resources: Resources) -> None:
    for number in range(20):
        rename(alice, f"Alice {number}")
    ids = [alice.unit(lambda unit: unit.jobs.add(Job.SEAL_AUDIT, {})) for _ in range(4)]
    ids += waiting(alice, resources)

    def more(number: int) -> None:
        rename(alice, f"Alicia {number}")

    with ThreadPoolExecutor(8) as pool:
        ran, wrote = pool.map(runner.run, [*ids, *ids]), pool.map(more, range(8))
        assert set(ran) <= {"done", "skipped", "retried"}
        assert len(list(wrote)) == 8
    resources.database["jobs"].update_many(
        {"tenant_id": alice.actor.tenant_id, "failures": {"$gt": 0}}, {"$set": {"due_at": datetime.now(UTC)}})
    seal(alice, runner, resources)
    rows = [row for row in entries(alice) if row["number"]]
    assert sorted(row["number"] for row in rows) == list(range(1, len(rows) + 1))
    check = audit.check_log(alice)
    assert (check["intact"], check["sealed"], check["entries"]) == (True, len(rows), len(rows))


def test_a_run_that_is_superseded_seals_nothing(alice: Context, runner: Runner, resources: Resources) -> None:
    [job_id] = waiting(alice, resources)
    [late], _ = runner.claim([Claim(job_id, "")], "somebody who died")
    runner.book.put_back([job_id], "somebody who died")
    seal(alice, runner, resources)
    before = entries(alice)
    with pytest.raises(Superseded):
        late.finish(audit.seal_entries)
    assert entries(alice) == before


def test_more_entries_than_one_transaction_takes_are_sealed_by_several_jobs(
        alice: Context, runner: Runner, resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashify.domain.audit.SEALED_AT_ONCE", 2)
    monkeypatch.setattr(audit, "CHECKED_AT_ONCE", 2)
    for number in range(4):
        rename(alice, f"Alice {number}")
    seal(alice, runner, resources)
    assert audit.check_log(alice) == {"entries": 7, "sealed": 7, "intact": True, "broken_at": None}


@pytest.fixture
def log(alice: Context, runner: Runner, resources: Resources) -> list[Document]:
    """Acme's log with five sealed entries and more that is not sealed."""
    for number in range(2):
        rename(alice, f"Alice {number}")
    seal(alice, runner, resources)
    rename(alice, "Alice")
    rows = entries(alice)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, None]
    return rows


@pytest.mark.parametrize("change", [
    {"actor_id": "0" * 24}, {"details.name": "Mallory"}, {"created_at": datetime(2020, 1, 1, tzinfo=UTC)},
    {"names.actor": "Mallory"}, {"address": "203.0.113.9"}, {"seal": "0" * 64}, {"number": None, "seal": None}])
def test_a_changed_entry_shows(alice: Context, carol: Context, resources: Resources, log: list[Document],
                               change: dict[str, Any]) -> None:
    assert audit.check_log(alice)["intact"]
    resources.database["audit"].update_one({"_id": log[3]["_id"]}, {"$set": change})
    check = audit.check_log(alice)
    assert (check["intact"], check["broken_at"]) == (False, log[4 if "number" in change else 3]["_id"])
    assert audit.check_log(carol)["intact"]


@pytest.mark.parametrize(("gone", "shows_at"), [(0, 1), (2, 3), (4, 3)])
def test_a_missing_entry_shows_also_where_it_was_the_last(alice: Context, resources: Resources, log: list[Document],
                                                          gone: int, shows_at: int) -> None:
    resources.database["audit"].delete_one({"_id": log[gone]["_id"]})
    check = audit.check_log(alice)
    assert (check["intact"], check["broken_at"], check["entries"]) == (False, log[shows_at]["_id"], 5)


def test_a_log_that_is_gone_shows(alice: Context, resources: Resources, log: list[Document]) -> None:
    resources.database["audit"].delete_many({"tenant_id": alice.actor.tenant_id})
    assert audit.check_log(alice) == {"entries": 0, "sealed": 0, "intact": False, "broken_at": None}


@pytest.mark.parametrize("number", [2.5, 6])
def test_an_entry_that_was_put_in_shows(alice: Context, runner: Runner, resources: Resources, log: list[Document],
                                        number: float) -> None:
    forged = {**log[2], "_id": new_id(), "number": number}
    resources.database["audit"].insert_one({**forged, "seal": audit.audit.seal(forged, log[int(number) - 1]["seal"])})
    check = audit.check_log(alice)
    assert (check["intact"], check["broken_at"]) == (False, forged["_id"])


def test_an_entry_sealed_while_the_log_is_checked_does_not_break_it(
        alice: Context, runner: Runner, resources: Resources, log: list[Document],
        monkeypatch: pytest.MonkeyPatch) -> None:
    found = type(alice.store.audit).list_sealed

    def busy(self: Any, after_number: int, limit: int) -> list[Document]:
        rows = found(self, after_number, limit)
        seal(alice, runner, resources)
        rename(alice, f"Alice {new_id()}")
        return rows if after_number < 10 else []

    monkeypatch.setattr(type(alice.store.audit), "list_sealed", busy)
    assert audit.check_log(alice)["intact"]
