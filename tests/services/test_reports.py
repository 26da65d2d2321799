from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashify.context import Context, Platform
from dashify.domain.accounts import Role
from dashify.domain.jobs import INSTALLATION, Job
from dashify.domain.names import new_id
from dashify.domain.reports import KEEP_DAYS, ReportFormat, ReportKind
from dashify.errors import Forbidden, NotAllowedNow, NotFound, RateLimited, Unavailable
from dashify.jobs import report_sources
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import channels, chat, jobs, people, reports
from dashify.settings import Settings

Refreshed = Callable[[Context], Context]


def ask(ctx: Context, channel_id: str | None, kind: ReportKind = ReportKind.CHANNEL,
        form: ReportFormat = ReportFormat.CSV) -> str:
    return str(reports.request_report(ctx, kind, channel_id, form)["id"])


def result(ctx: Context, job_id: str, expected: str) -> bytes:
    file = jobs.open_result(ctx, job_id)
    data = b"".join(file.chunks)
    assert file.content_type == expected
    assert len(data) == file.length
    return data


def table(ctx: Context, job_id: str) -> list[list[str]]:
    data = result(ctx, job_id, "text/csv; charset=utf-8")
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def made(runner: Runner, ctx: Context, kind: ReportKind, form: ReportFormat = ReportFormat.CSV,
         channel_id: str | None = None) -> str:
    job_id = ask(ctx, channel_id, kind, form)
    assert runner.run(job_id) == "done"
    return job_id


def fill(ctx: Context, resources: Resources, channel_id: str, count: int, text: str) -> None:
    """Put messages into a channel without the lane: what reading them does is what matters."""
    now = datetime.now(UTC)
    for start in range(1, count + 1, 100):  # a call that writes megabytes may take longer than a call may take
        ctx.store.messages.write([{
            "_id": new_id(), "channel_id": channel_id, "seq": n, "changed_seq": n, "author_id": ctx.actor.user_id,
            "text": f"{n} {text}", "client_id": None, "thread_id": None, "reactions": {}, "created_at": now,
            "edited_at": None, "deleted_at": None, "mention_ids": [], "posted": ""}
            for n in range(start, min(count + 1, start + 100))], [])
    resources.database["channels"].update_one({"_id": channel_id}, {"$set": {"head": count}})


def pieces_of(resources: Resources, job_id: str) -> int:
    """Count what is kept of the files that a job's runs have begun."""
    about = {"$regex": job_id}
    return (resources.database["files.chunks"].count_documents({"files_id": about})
            + resources.database["files.files"].count_documents({"_id": about}))


KeepAudit = Callable[..., None]


@pytest.fixture
def keep_audit(resources: Resources) -> KeepAudit:
    """Give a function that makes somebody's audit log one of sealed entries, one for each given change."""

    def keep(ctx: Context, *changes: dict[str, Any]) -> None:
        begun = datetime.now(UTC) - timedelta(minutes=5)
        log, tenant_id = resources.database["audit"], ctx.actor.tenant_id
        log.delete_many({"tenant_id": tenant_id})
        log.insert_many([{
            "_id": f"{new_id()[:12]}{number:012x}", "tenant_id": tenant_id, "action": "channel.renamed",
            "actor_id": "a" * 24, "number": number, "seal": "5ea1", "words": [],
            "names": {"actor": "Alice", "subject": "general"}, "subject": {"kind": "channel", "id": "c" * 24},
            "details": {"name": "general", "private": False}, "address": "127.0.0.1",
            "created_at": begun + timedelta(seconds=number), **change} for number, change in enumerate(changes, 1)])

    return keep


def test_a_report_holds_every_message_and_reply_and_no_formula(alice: Context, bob: Context, general: str,
                                                               runner: Runner) -> None:
    root = chat.post_message(alice, general, "Grüße, \"everybody\"\nsecond line", None, None)[0]
    chat.post_message(bob, general, "=HYPERLINK(\"http://evil.test\")", None, str(root["id"]))
    gone = chat.post_message(bob, general, "to be deleted", None, None)[0]
    chat.delete_message(bob, str(gone["id"]))
    chat.react(bob, str(root["id"]), "👍", True)
    job_id = ask(bob, general)
    assert jobs.get_job(bob, job_id)["status"] == "queued"
    assert runner.run(job_id) == "done"
    shown = jobs.get_job(bob, job_id)
    assert shown == {"id": job_id, "kind": "export_channel", "status": "done", "progress": 1.0,
                     "result_url": f"/api/v1/jobs/{job_id}/result"}
    heading, first, second, third = table(bob, job_id)
    assert heading == ["time", "author", "email", "text", "thread", "reactions", "edited", "deleted"]
    assert first[1:6] == ["Alice", alice.actor.email, "Grüße, \"everybody\"\nsecond line", "", "👍 1"]
    assert second[3:5] == ["'=HYPERLINK(\"http://evil.test\")", root["id"]]
    assert third[3] == ""
    assert third[7].endswith("Z")


def test_a_long_channel_is_exported_whole_and_in_order(alice: Context, general: str, runner: Runner,
                                                       resources: Resources) -> None:
    count = 1_234
    fill(alice, resources, general, count, "x" * 400)
    job_id = ask(alice, general)
    assert runner.run(job_id) == "done"
    assert [int(row[3].split()[0]) for row in table(alice, job_id)[1:]] == list(range(1, count + 1))
    assert alice.store.jobs.get(job_id)["result"]["rows"] == count


def test_an_empty_channel_gives_headings_alone(alice: Context, general: str, runner: Runner) -> None:
    job_id = ask(alice, general)
    assert runner.run(job_id) == "done"
    assert len(table(alice, job_id)) == 1


def test_carol_cannot_export_or_see_anything_of_acmes(alice: Context, carol: Context, general: str,
                                                      runner: Runner) -> None:
    with pytest.raises(NotFound):
        ask(carol, general)
    job_id = ask(alice, general)
    runner.run(job_id)
    refused: list[Callable[[], Any]] = [
        lambda: jobs.get_job(carol, job_id), lambda: jobs.cancel_job(carol, job_id),
        lambda: jobs.open_result(carol, job_id),
        lambda: carol.files.open(alice.store.jobs.get(job_id)["result"]["file_id"])]
    for call in refused:
        with pytest.raises(NotFound):
            call()


def test_a_job_is_its_askers_alone_even_before_an_owner(alice: Context, bob: Context, general: str) -> None:
    job_id = ask(bob, general)
    assert jobs.get_job(bob, job_id)["id"] == job_id
    with pytest.raises(NotFound):
        jobs.get_job(alice, job_id)
    with pytest.raises(NotFound):
        jobs.cancel_job(alice, job_id)


def test_whoever_has_lost_the_channel_gets_no_report(alice: Context, bob: Context, refreshed: Refreshed,
                                                     runner: Runner) -> None:
    secret = str(channels.create_channel(alice, f"board {new_id()}", True, [bob.actor.user_id])["id"])
    job_id = ask(refreshed(bob), secret)
    channels.remove_member(refreshed(alice), secret, bob.actor.user_id)
    assert runner.run(job_id) == "dead"
    shown = jobs.get_job(bob, job_id)
    assert (shown["status"], shown["error"]["code"]) == ("failed", "not_found")
    with pytest.raises(NotAllowedNow):
        jobs.open_result(bob, job_id)


def test_a_private_channel_is_absent_for_those_outside(alice: Context, bob: Context) -> None:
    secret = str(channels.create_channel(alice, f"board {new_id()}", True, [])["id"])
    with pytest.raises(NotFound):
        ask(bob, secret)


def test_a_cancelled_job_does_not_run_and_a_finished_one_cannot_be_cancelled(alice: Context, general: str,
                                                                             runner: Runner) -> None:
    job_id = ask(alice, general)
    assert jobs.cancel_job(alice, job_id)["status"] == "cancelled"
    assert jobs.cancel_job(alice, job_id)["status"] == "cancelled"
    assert runner.run(job_id) == "skipped"
    other = ask(alice, general)
    runner.run(other)
    with pytest.raises(NotAllowedNow):
        jobs.cancel_job(alice, other)


def test_a_job_cancelled_while_it_runs_keeps_no_file(alice: Context, general: str, runner: Runner,
                                                     resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = ask(alice, general)
    chat.post_message(alice, general, "something", None, None)
    get = type(alice.store.people).get

    def cancelling(people: Any, user_id: str) -> Any:
        jobs.cancel_job(alice, job_id)
        return get(people, user_id)

    monkeypatch.setattr(type(alice.store.people), "get", cancelling)
    assert runner.run(job_id) == "superseded"
    assert jobs.get_job(alice, job_id)["status"] == "cancelled"
    assert pieces_of(resources, job_id) == 0


def test_reports_without_a_channel_or_with_a_wrong_one_are_refused(alice: Context) -> None:
    with pytest.raises(NotAllowedNow):
        ask(alice, None)
    with pytest.raises(NotFound):
        ask(alice, "not an id")
    with pytest.raises(NotFound):
        ask(alice, new_id())


def test_reports_are_limited_by_the_hour(alice: Context, general: str, settings: Settings) -> None:
    limited = Resources(replace(settings, limits=replace(settings.limits, reports_per_hour=1)))
    ctx = Context(limited, alice.actor)
    ask(ctx, general)
    with pytest.raises(RateLimited):
        ask(ctx, general)
    limited.close()


@pytest.mark.parametrize("form", ReportFormat)
def test_a_run_cancelled_in_the_middle_ends_at_the_next_batch_and_leaves_nothing(
        alice: Context, general: str, runner: Runner, resources: Resources, monkeypatch: pytest.MonkeyPatch,
        form: ReportFormat) -> None:
    monkeypatch.setattr(report_sources, "BATCH", 50)
    monkeypatch.setattr("dashify.jobs.running.PROGRESS_SECONDS", 0.0)
    fill(alice, resources, general, 400, "word " * 400)
    job_id = ask(alice, general, form=form)
    read: list[int] = []
    list_after = type(alice.store.messages).list_after

    def counted(messages: Any, channel_id: str, after: int, limit: int) -> Any:
        read.append(after)
        if len(read) == 4:
            assert 0 < jobs.get_job(alice, job_id)["progress"] < 1
            assert pieces_of(resources, job_id) > 0
            jobs.cancel_job(alice, job_id)
        return list_after(messages, channel_id, after, limit)

    monkeypatch.setattr(type(alice.store.messages), "list_after", counted)
    assert runner.run(job_id) == "superseded"
    assert read == [0, 50, 100, 150]
    assert jobs.get_job(alice, job_id)["status"] == "cancelled"
    assert pieces_of(resources, job_id) == 0


def test_a_run_that_met_an_outage_leaves_nothing_and_the_next_one_makes_the_file(
        alice: Context, general: str, runner: Runner, resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(alice, resources, general, 600, "x" * 1_000)
    job_id = ask(alice, general)
    list_after = type(alice.store.messages).list_after

    def failing(messages: Any, channel_id: str, after: int, limit: int) -> Any:
        if after:
            raise Unavailable("Away.", code="database_unavailable")
        return list_after(messages, channel_id, after, limit)

    with monkeypatch.context() as patch:
        patch.setattr(type(alice.store.messages), "list_after", failing)
        assert runner.run(job_id) == "retried"
    assert pieces_of(resources, job_id) == 0
    alice.files.put("half.csv", "text/csv", [b"what a killed run left"], file_id=f"{job_id}-1")
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"due_at": datetime.now(UTC)}})
    assert runner.run(job_id) == "done"
    assert len(table(alice, job_id)) == 601
    with pytest.raises(NotFound):
        alice.files.open(f"{job_id}-1")


def test_a_channel_of_any_name_and_words_becomes_a_pdf(alice: Context, runner: Runner) -> None:
    name = ") /JS (app.alert(1)) <b> ../../x\u202e שלום 👍"
    channel_id = str(channels.create_channel(alice, name, False, [])["id"])
    for text in ("=1+1", "<script>alert(1)</script>", "日本語 مرحبا 👩‍👩‍👧 \U00013000", "x" * 16_000, ") Tj ET"):
        chat.post_message(alice, channel_id, text, None, None)
    job_id = made(runner, alice, ReportKind.CHANNEL, ReportFormat.PDF, channel_id)
    data = result(alice, job_id, "application/pdf")
    assert data.startswith(b"%PDF-1.7")
    assert data.endswith(b"%%EOF\n")
    assert b"/JS" not in data
    shown = jobs.open_result(alice, job_id).name
    assert "/" not in shown
    assert "\u202e" not in shown
    assert shown.endswith(".pdf")


def test_members_are_reported_with_their_roles_and_when_they_were_last_here(
        alice: Context, bob: Context, carol: Context, refreshed: Refreshed, runner: Runner) -> None:
    people.change_person(alice, bob.actor.user_id, None, False)
    rows = table(alice, made(runner, alice, ReportKind.MEMBERS))
    assert rows[0] == ["name", "email", "role", "active", "joined", "last seen"]
    assert [row[:4] for row in rows[1:]] == [["Alice", alice.actor.email, "owner", "yes"],
                                             ["Bob", bob.actor.email, "member", "no"]]
    assert all(row[5].endswith("Z") for row in rows[1:])
    data = result(alice, made(runner, alice, ReportKind.MEMBERS, ReportFormat.PDF), "application/pdf")
    assert data.startswith(b"%PDF-1.7")


def test_a_long_list_of_members_is_reported_whole(alice: Context, runner: Runner,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_sources, "BATCH", 7)
    for number in range(20):
        alice.store.people.add(f"{new_id()[:12]}{number:012x}", {
            "name": f"=Person {number}", "email": f"{new_id()}@acme.test", "role": "guest", "active": True,
            "created_at": alice.now})
    rows = table(alice, made(runner, alice, ReportKind.MEMBERS))
    assert [row[0] for row in rows[2:]] == [f"'=Person {number}" for number in range(20)]
    assert {row[5] for row in rows[2:]} == {""}


def test_the_audit_log_is_reported_whole_with_its_seals_and_no_formula(
        alice: Context, runner: Runner, keep_audit: KeepAudit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_sources, "BATCH", 2)
    later = datetime.now(UTC) + timedelta(minutes=5)
    keep_audit(alice, {}, {"details": {"=cmd": "x", "count": 3}}, {"address": "+1", "number": None},
               {"names": None, "actor_id": alice.actor.user_id, "seal": None},
               {"names": {"actor": "@SUM(A1)", "subject": "=1+1"}}, {"created_at": later, "_id": "f" * 24})
    rows = table(alice, made(runner, alice, ReportKind.AUDIT))
    assert rows[0] == ["number", "time", "action", "actor", "actor id", "subject kind", "subject", "subject id",
                       "details", "address", "seal"]
    assert rows[1][2:] == ["channel.renamed", "Alice", "a" * 24, "channel", "general", "c" * 24,
                           "name: general, private: no", "127.0.0.1", "5ea1"]
    assert rows[2][8] == "'=cmd: x, count: 3"
    assert (rows[3][0], rows[3][9]) == ("", "'+1")
    assert (rows[4][3], rows[4][6], rows[4][10]) == ("Alice", f"channel {'c' * 24}", "")
    assert (rows[5][3], rows[5][6]) == ("'@SUM(A1)", "'=1+1")
    assert [rows[6][column] for column in (0, 2, 3, 6, 8)] == [
        "", "report.requested", "Alice", "export_audit", "kind: export_audit, format: csv"]
    assert len(rows) == 7
    data = result(alice, made(runner, alice, ReportKind.AUDIT, ReportFormat.PDF), "application/pdf")
    assert data.startswith(b"%PDF-1.7")


@pytest.mark.parametrize("kind", [ReportKind.MEMBERS, ReportKind.AUDIT])
def test_members_of_an_organization_may_not_report_on_all_of_it(alice: Context, bob: Context, kind: ReportKind,
                                                                keep_audit: KeepAudit) -> None:
    keep_audit(alice, {})
    with pytest.raises(Forbidden):
        ask(bob, None, kind)
    assert ask(alice, None, kind)


@pytest.mark.parametrize("kind", [ReportKind.MEMBERS, ReportKind.AUDIT])
def test_an_admin_who_is_none_any_more_gets_no_report(
        alice: Context, bob: Context, refreshed: Refreshed, runner: Runner, resources: Resources, kind: ReportKind,
        keep_audit: KeepAudit) -> None:
    keep_audit(alice, {})
    people.change_person(alice, bob.actor.user_id, Role.ADMIN, None)
    job_id = ask(refreshed(bob), None, kind)
    people.change_person(alice, bob.actor.user_id, Role.MEMBER, None)
    assert runner.run(job_id) == "dead"
    assert jobs.get_job(bob, job_id)["error"]["code"] == "forbidden"
    assert pieces_of(resources, job_id) == 0


def test_carol_sees_nothing_of_acmes_in_her_own_reports(alice: Context, bob: Context, carol: Context, runner: Runner,
                                                       keep_audit: KeepAudit) -> None:
    keep_audit(alice, {})
    job_id = made(runner, alice, ReportKind.AUDIT)
    for call in (jobs.get_job, jobs.open_result, jobs.cancel_job):
        with pytest.raises(NotFound):
            call(carol, job_id)
    assert "c" * 24 in str(table(alice, job_id))
    assert "c" * 24 not in str(table(carol, made(runner, carol, ReportKind.AUDIT)))
    assert [row[0] for row in table(carol, made(runner, carol, ReportKind.MEMBERS))] == ["name", "Carol"]


def test_a_job_of_the_release_before_has_no_format_and_makes_csv(alice: Context, general: str, runner: Runner) -> None:
    job_id = alice.unit(lambda unit: unit.jobs.add(Job.EXPORT_CHANNEL, {"channel_id": general}))
    assert runner.run(job_id) == "done"
    assert len(table(alice, job_id)) == 1


def clean(runner: Runner, platform: Platform) -> int:
    job_id = platform.unit(INSTALLATION, "schedule", lambda unit: unit.jobs.add(Job.REMOVE_OLD_FILES, {}))
    assert runner.run(job_id) == "done"
    return int(platform.store_of(INSTALLATION).jobs.get(job_id)["result"]["removed"])


def test_files_whose_time_is_over_are_removed_and_no_others(
        alice: Context, carol: Context, general: str, runner: Runner, platform: Platform, resources: Resources,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashify.jobs.reports.REMOVED_AT_ONCE", 2)
    clean(runner, platform)
    old = [made(runner, ctx, ReportKind.MEMBERS) for ctx in (alice, alice, carol, alice, carol)]
    new = made(runner, alice, ReportKind.CHANNEL, channel_id=general)
    upload = alice.files.put("a.txt", "text/plain", [b"a document"])
    assert clean(runner, platform) == 0
    long_ago = datetime.now(UTC) - timedelta(seconds=1)
    resources.database["files.files"].update_many(
        {"$or": [{"_id": {"$regex": job_id}} for job_id in old]}, {"$set": {"metadata.expires_at": long_ago}})
    assert clean(runner, platform) == 5
    assert sum(pieces_of(resources, job_id) for job_id in old) == 0
    with pytest.raises(NotFound):
        jobs.open_result(alice, old[0])
    assert table(alice, new)
    assert b"".join(alice.files.open(upload).chunks) == b"a document"


def test_a_report_is_kept_for_as_long_as_its_job(alice: Context, general: str, runner: Runner,
                                                 resources: Resources) -> None:
    job_id = made(runner, alice, ReportKind.CHANNEL, channel_id=general)
    row = resources.database["files.files"].find_one({"_id": {"$regex": job_id}})
    assert row is not None
    assert row["metadata"]["expires_at"] - row["uploadDate"] == timedelta(days=KEEP_DAYS)
