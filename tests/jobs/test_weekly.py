from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any

from dashify.context import Context, Platform
from dashify.domain.accounts import Role
from dashify.domain.jobs import INSTALLATION, Job, JobStatus
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import accounts, channels, chat, people

Refreshed = Callable[[Context], Context]


def run_week(runner: Runner, platform: Platform, resources: Resources, until: datetime) -> list[str]:
    """Have a tick of the schedule come, and do all that follows; give the bodies of the mails that went out."""
    def tick() -> str:
        return platform.unit(INSTALLATION, "scheduler", lambda unit: unit.jobs.add(
            Job.WEEKLY_TICK, {"tick": until.isoformat()}))

    jobs = resources.database["jobs"]
    for _ in range(2):
        assert runner.run(tick()) == "done"
    for kind in ("sum_up_week", "send_week"):
        for row in list(jobs.find({"kind": kind, "status": "queued"})):
            assert runner.run(row["_id"]) == "done"
    folder = Path(resources.settings.mail_url.removeprefix("file://"))
    files = [folder / f"{row['_id']}.eml" for row in jobs.find({"kind": "send_week"})]
    return [text_of(file) for file in files if file.exists()]


def text_of(file: Path) -> str:
    message: Any = message_from_string(file.read_text(), policy=default)
    return f"To: {message['To']}\n" + str(message.get_body(("plain",)).get_content())


def test_owners_and_admins_get_their_own_organizations_week_once(
        runner: Runner, platform: Platform, resources: Resources, alice: Context, bob: Context, carol: Context,
        refreshed: Refreshed) -> None:
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    secret = channels.create_channel(alice, "Takeover of Globex", True, [])["id"]
    for number in range(3):
        chat.post_message(bob, general, f"Hello {number}", None, None)
    chat.post_message(refreshed(alice), secret, "Nobody may know", None, None)
    deleted = chat.post_message(bob, general, "Gone", None, None)[0]
    chat.delete_message(bob, deleted["id"])
    mails = run_week(runner, platform, resources, datetime.now(UTC) + timedelta(seconds=1))
    [mine] = [mail for mail in mails if alice.actor.email in mail]
    assert "4 messages by 2 people" in mine
    assert "2 people joined" in mine
    assert "#general: 3 messages" in mine
    assert "Takeover" not in "".join(mails)
    [hers] = [mail for mail in mails if carol.actor.email in mail]
    assert "0 messages by 0 people" in hers
    assert not [mail for mail in mails if bob.actor.email in mail]


def test_a_week_counts_neither_what_came_before_nor_after(runner: Runner, platform: Platform, resources: Resources,
                                                          alice: Context) -> None:
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    chat.post_message(alice, general, "Now", None, None)
    now = datetime.now(UTC)
    assert not [mail for until in (now - timedelta(minutes=1), now + timedelta(days=7, minutes=1))
                for mail in run_week(runner, platform, resources, until) if alice.actor.email in mail]


def test_whoever_wants_no_mail_or_is_no_admin_any_more_gets_none(
        runner: Runner, platform: Platform, resources: Resources, alice: Context,
        join: Callable[..., Context]) -> None:
    dora = join(alice, "Dora", Role.ADMIN)
    accounts.change_profile(alice, digest=False)
    until = datetime.now(UTC) + timedelta(seconds=1)
    summary = platform.unit(alice.actor.tenant_id, dora.actor.user_id, lambda unit: unit.jobs.add(
        Job.SUM_UP_WEEK, {"tick": until.isoformat()}))
    assert runner.run(summary) == "done"
    [row] = resources.database["jobs"].find({"kind": "send_week", "tenant_id": alice.actor.tenant_id})
    assert row["actor_id"] == dora.actor.user_id
    people.change_person(alice, dora.actor.user_id, Role.MEMBER, None)
    assert runner.run(row["_id"]) == "done"
    assert row["status"] == JobStatus.QUEUED
    folder = Path(resources.settings.mail_url.removeprefix("file://"))
    assert not (folder / f"{row['_id']}.eml").exists()
