"""The morning's mail, as it lands in a mailbox."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.domain.digests import MOST_LINES
from dashify.domain.jobs import Job
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import accounts, channels, chat, people

Join = Callable[..., Context]
Refreshed = Callable[[Context], Context]
Send = Callable[[Context], EmailMessage | None]


@pytest.fixture
def general(alice: Context) -> str:
    return str(channels.list_channels(alice, None, 50)["channels"][0]["id"])


@pytest.fixture
def send(runner: Runner, resources: Resources) -> Send:
    """Give a function that does what waits, then sends somebody's digest and gives it, None where nothing goes out."""

    def run(ctx: Context) -> EmailMessage | None:
        for job in resources.database["jobs"].find({"kind": Job.FAN_OUT.kind, "status": "queued"}).sort("_id", 1):
            assert runner.run(job["_id"]) == "done"
        job_id = ctx.unit(lambda unit: unit.jobs.add(Job.SEND_DIGEST, {"date": "2026-11-24"}))
        assert runner.run(job_id) == "done"
        file = Path(resources.settings.mail_url.removeprefix("file://")) / f"{job_id}.eml"
        if not file.exists():
            return None
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        assert message["Message-ID"] == f"<{job_id}@localhost>"
        return message

    return run


def text_of(message: EmailMessage | None, kind: str = "plain") -> str:
    assert message is not None
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def post(ctx: Context, channel_id: str, text: str, thread_id: str | None = None) -> str:
    return str(chat.post_message(ctx, channel_id, text, None, thread_id)[0]["id"])


def test_a_digest_names_mentions_and_replies_first_and_then_what_waits(alice: Context, bob: Context, general: str,
                                                                       send: Send) -> None:
    root = post(bob, general, "who is in?")
    post(alice, general, "me", root)
    post(alice, general, "@Bob: look\nhere")
    message = send(bob)
    assert message is not None
    assert message["To"] == bob.actor.email
    assert message["Subject"] == "Acme: what is new for you on November 24"
    assert text_of(message) == (
        "Good morning, Bob. This waits for you in Acme on Dashify:\n\n"
        "Mentions and replies\n"
        "- #general: Alice mentioned you: @Bob: look here\n"
        "- #general: Alice replied in a thread of yours: me\n\n"
        "Unread messages\n"
        "- #general: 2 messages\n\n"
        "http://127.0.0.1:8000/\n\n"
        "This mail comes at 7:00 on days when there is something unread. To turn it off, open Profile settings in "
        "Dashify.\n")


def test_nothing_unread_is_no_mail(alice: Context, bob: Context, general: str, send: Send) -> None:
    assert send(bob) is None
    post(alice, general, "@Bob look")
    chat.mark_read(bob, general, 1)
    assert send(bob) is None


def test_who_turned_it_off_or_is_inactive_by_then_gets_none(alice: Context, bob: Context, join: Join, general: str,
                                                            send: Send) -> None:
    dora = join(alice, "Dora")
    post(alice, general, "@Bob and @Dora")
    accounts.change_profile(bob, digest=False)
    people.change_person(alice, dora.actor.user_id, None, False)
    assert send(bob) is None
    assert send(dora) is None
    accounts.change_profile(bob, digest=True)
    assert send(bob) is not None


def test_a_mail_shows_nothing_of_a_lost_channel_or_a_deleted_message(alice: Context, bob: Context, general: str,
                                                                     refreshed: Refreshed, send: Send) -> None:
    secret = channels.create_channel(alice, "secret plans", True, [bob.actor.user_id])["id"]
    alice = refreshed(alice)
    post(alice, secret, "@Bob hush")
    deleted = post(alice, general, "@Bob oops")
    post(alice, general, "@Bob stays")
    assert "hush" in text_of(send(bob))
    channels.remove_member(alice, secret, bob.actor.user_id)
    chat.delete_message(alice, deleted)
    whole = text_of(send(bob)) + text_of(send(bob), "html")
    assert "@Bob stays" in whole
    for lost in ("hush", "secret plans", "oops"):
        assert lost not in whole
    assert "- #general: 1 message\n" in text_of(send(bob))


def test_a_guest_reads_of_nothing_but_the_channels_they_joined(alice: Context, join: Join, refreshed: Refreshed,
                                                               general: str, send: Send) -> None:
    guest = join(alice, "Gus", Role.GUEST)
    other = channels.create_channel(alice, "lobby", False, [guest.actor.user_id])["id"]
    post(alice, general, "@Gus not here")
    assert send(guest) is None
    post(alice, other, "@Gus hello")
    text = text_of(send(guest))
    assert "#lobby: Alice mentioned you: @Gus hello" in text
    assert "general" not in text


def test_carol_gets_no_mail_of_what_happens_at_acme(alice: Context, bob: Context, carol: Context, general: str,
                                                    send: Send) -> None:
    post(alice, general, "@Carol @channel")
    assert send(carol) is None
    assert "@Carol" in text_of(send(bob))


def test_hostile_names_are_text_and_stay_in_their_line(alice: Context, bob: Context, refreshed: Refreshed,
                                                       send: Send) -> None:
    evil = "<img src=x onerror=1>"
    accounts.change_profile(alice, name=evil)
    channel = channels.create_channel(refreshed(alice), evil, False, [bob.actor.user_id])["id"]
    post(refreshed(alice), channel, f"@Bob {evil}\r\nBcc: x@evil.test\u2028then\x1b[2J")
    message = send(bob)
    assert message is not None
    assert message["Bcc"] is None
    page, text = text_of(message, "html"), text_of(message)
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=1&gt;") == 4
    assert f"- #{evil}: {evil} mentioned you: @Bob {evil} Bcc: x@evil.test then [2J\n" in text


def test_a_mail_has_so_many_lines_and_says_of_how_many(alice: Context, bob: Context, general: str, refreshed: Refreshed,
                                                       send: Send) -> None:
    more = MOST_LINES + 2
    for number in range(more):
        post(alice, general, f"@Bob {number}")
        channel = channels.create_channel(alice, f"room {number}", False, [bob.actor.user_id])["id"]
        post(refreshed(alice), channel, "hello")
    text = text_of(send(bob))
    assert text.count("\n- ") == 2 * MOST_LINES
    assert f"Mentions and replies ({MOST_LINES} of {more})\n- #general: Alice mentioned you: @Bob {more - 1}\n" in text
    assert f"Unread messages ({MOST_LINES} of {more + 1})\n- #general: {more} messages\n- #room 0: 1 message\n" in text


def test_a_mail_host_that_is_away_is_tried_again_under_the_same_id(
        alice: Context, bob: Context, general: str, runner: Runner, resources: Resources,
        monkeypatch: pytest.MonkeyPatch) -> None:
    post(alice, general, "hello")
    job_id = bob.unit(lambda unit: unit.jobs.add(Job.SEND_DIGEST, {"date": "2026-11-24"}))
    folder = Path(resources.settings.mail_url.removeprefix("file://"))
    blocked = folder / "a file"
    blocked.write_text("")
    monkeypatch.setattr(runner.resources.mailer, "_folder", blocked / "mails")
    assert runner.run(job_id) == "retried"
    monkeypatch.undo()
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"due_at": alice.now}})
    assert runner.run(job_id) == "done"
    assert (folder / f"{job_id}.eml").exists()
