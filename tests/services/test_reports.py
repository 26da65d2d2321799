from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dashify.context import Context
from dashify.domain.names import new_id
from dashify.errors import NotAllowedNow, NotFound, RateLimited
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import channels, chat, jobs, reports
from dashify.settings import Settings

Refreshed = Callable[[Context], Context]


@pytest.fixture(scope="module")
def runner(settings: Settings, resources: Resources) -> Iterator[Runner]:
    opened = Runner(settings)
    yield opened
    opened.resources.close()


@pytest.fixture
def general(alice: Context) -> str:
    return str(channels.list_channels(alice, None, 50)["channels"][0]["id"])


def ask(ctx: Context, channel_id: str) -> str:
    return str(reports.request_report(ctx, "channel", channel_id, "csv")["id"])


def table(ctx: Context, job_id: str) -> list[list[str]]:
    _, content_type, length, chunks = jobs.open_result(ctx, job_id)
    data = b"".join(chunks)
    assert content_type == "text/csv; charset=utf-8"
    assert len(data) == length
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


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
    now = datetime.now(UTC)
    count = 1_234
    alice.store.messages.write([{
        "_id": new_id(), "channel_id": general, "seq": n, "changed_seq": n, "author_id": alice.actor.user_id,
        "text": f"{n} " + "x" * 400, "client_id": None, "thread_id": None, "reactions": {}, "created_at": now,
        "edited_at": None, "deleted_at": None, "mention_ids": [], "posted": ""} for n in range(1, count + 1)], [])
    resources.database["channels"].update_one({"_id": general}, {"$set": {"head": count}})
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
    assert resources.database["files.chunks"].count_documents({"files_id": {"$regex": job_id}}) == 0


@pytest.mark.parametrize(("kind", "form"), [("members", "csv"), ("audit", "csv"), ("channel", "pdf")])
def test_reports_that_do_not_exist_are_refused(alice: Context, general: str, kind: str, form: str) -> None:
    with pytest.raises(NotAllowedNow):
        reports.request_report(alice, kind, general, form)


def test_reports_without_a_channel_or_with_a_wrong_one_are_refused(alice: Context) -> None:
    with pytest.raises(NotAllowedNow):
        reports.request_report(alice, "channel", None, "csv")
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
