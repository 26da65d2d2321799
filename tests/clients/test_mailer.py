from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashify.clients.mailer import Mail, compose, open_mailer
from dashify.errors import Invalid, NotAllowedNow, SettingsError, Unavailable
from dashify.local.probes import free_port

SENDER = "Dashify <dashify@example.test>"
MAIL = Mail("bob@example.test", "Hello", ("First <b>bold</b> & co.",), "https://dashify.test/invite/abc", "a" * 24)


class MailHost(socketserver.StreamRequestHandler):
    """As much of SMTP as a sender needs. Who is `refused@` or `later@` is answered so."""

    def handle(self) -> None:
        self._say("220 here")
        for line in iter(self.rfile.readline, b""):
            word = line.upper()
            if word.startswith(b"DATA"):
                self._take()
            elif word.startswith(b"QUIT"):
                return self._say("221 bye")
            elif b"refused@" in line:
                self._say("550 no such person")
            elif b"later@" in line:
                self._say("450 try again")
            else:
                self._say("250 fine")

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        taken: Any = self.server
        taken.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


@pytest.fixture
def host() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailHost) as server:
        server.mails = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def mailer_to(host: Any) -> Any:
    return open_mailer(f"smtp://127.0.0.1:{host.server_address[1]}", SENDER)


def test_a_mail_arrives_with_both_parts_and_its_own_message_id(host: Any) -> None:
    mailer_to(host).send(MAIL)
    mailer_to(host).send(MAIL)
    first, second = host.mails
    assert first["To"] == "bob@example.test"
    assert first["From"] == SENDER
    assert first["Message-ID"] == second["Message-ID"] == f"<{'a' * 24}@example.test>"
    text, page = first.get_body(("plain",)).get_content(), first.get_body(("html",)).get_content()
    assert "https://dashify.test/invite/abc" in text
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co." in page
    assert "<b>" not in page


def test_a_refusal_for_good_and_one_for_now_are_told_apart(host: Any) -> None:
    with pytest.raises(NotAllowedNow):
        mailer_to(host).send(Mail("refused@example.test", "Hello", (), "x", "a"))
    with pytest.raises(Unavailable):
        mailer_to(host).send(Mail("later@example.test", "Hello", (), "x", "a"))


def test_a_host_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        open_mailer(f"smtp://127.0.0.1:{free_port()}", SENDER).send(MAIL)


def test_mails_on_a_laptop_are_whole_files_for_their_owner(tmp_path: Path) -> None:
    mailer = open_mailer(f"file://{tmp_path}/mails", SENDER)
    mailer.send(MAIL)
    mailer.send(MAIL)
    [file] = (tmp_path / "mails").iterdir()
    assert file.name == f"{'a' * 24}.eml"
    assert file.stat().st_mode & 0o077 == 0
    assert email.message_from_bytes(file.read_bytes(), policy=email.policy.default)["Subject"] == "Hello"


def test_nobodys_name_can_add_a_header() -> None:
    subject = "Eve\r\nBcc: everybody@example.test\u2028\x00invites you"
    message = compose(Mail("bob@example.test", subject, ("a\r\nb",), "x", "a"), SENDER)
    assert message["Bcc"] is None
    assert message["Subject"] == "Eve Bcc: everybody@example.test invites you"
    assert b"\nBcc:" not in message.as_bytes()


@pytest.mark.parametrize("address", ["bob@example.test\r\nBcc: x@y.test", "nobody", "", "a@b.test, c@d.test"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        compose(Mail(address, "Hello", (), "x", "a"), SENDER)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1", "file://", "smtp://"])
def test_a_setting_that_names_no_mail_host_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        open_mailer(url, SENDER)


def test_lists_and_small_print_come_in_both_parts_with_nobodys_markup_or_line_breaks() -> None:
    hostile = "<img src=x onerror=1>\r\n- \"a\" & b\u2029c"
    message = compose(Mail("bob@example.test", "Hello", (hostile,), "https://dashify.test/", "a",
                           sections=((hostile, (hostile, "second")), ("Last", ("one",))), footer=hostile), SENDER)
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    plain = "<img src=x onerror=1> - \"a\" & b c"
    assert text.get_content() == (
        f"{plain}\n\n{plain}\n- {plain}\n- second\n\nLast\n- one\n\nhttps://dashify.test/\n\n{plain}\n")
    escaped = "&lt;img src=x onerror=1&gt; - &quot;a&quot; &amp; b c"
    assert f"<h2>{escaped}</h2><ul><li>{escaped}</li><li>second</li></ul><h2>Last</h2>" in page.get_content()
    assert "<img" not in page.get_content()
    assert page.get_content().count(escaped) == 4


def test_a_mail_without_lists_and_small_print_is_as_it_was() -> None:
    message = compose(MAIL, SENDER)
    page = message.get_body(("html",))
    assert page is not None
    for tag in ("<h2>", "<ul>", "<small>"):
        assert tag not in page.get_content()
