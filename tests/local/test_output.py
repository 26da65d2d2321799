"""What a person sees and what is kept: bounded logs, a screen that never blocks, mails in a line or two."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from email.message import EmailMessage
from pathlib import Path

from dashify.local.mails import Mailbox, summarize
from dashify.local.output import Log, Output, readable
from dashify.local.screen import Screen


def mail(to: str = "bob@acme.example") -> bytes:
    message = EmailMessage()
    message["To"] = to
    message["Subject"] = "Alice invites you to Acme — welcome"
    message.set_content("Hello,\n\nfollow https://dashify.example/invitation#abc=def to join.\nOr https://other.example\n")
    return message.as_bytes()


def test_a_log_is_set_aside_when_full_and_only_three_are_kept(tmp_path: Path) -> None:
    log = Log(tmp_path / "api-1.log", largest=100)
    for number in range(60):
        log.write(f"line number {number}\n".encode())
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["api-1.log", "api-1.log.1", "api-1.log.2", "api-1.log.3"]
    assert all(file.stat().st_size <= 100 for file in files)
    assert "line number 59" in files[0].read_text()


def test_lines_go_to_the_log_and_the_screen_and_the_last_are_kept(tmp_path: Path) -> None:
    shown: list[str] = []
    output = Output(Log(tmp_path / "x.log"), shown.append)
    reader, writer = os.pipe()
    thread = output.follow(os.fdopen(reader, "rb"))
    os.write(writer, b"first\n\nsecond \xff\nno end")
    os.close(writer)
    thread.join(5)
    assert shown == ["first", "second �", "no end"]
    assert list(output.last) == shown
    assert (tmp_path / "x.log").read_bytes() == b"first\n\nsecond \xff\nno end"


def test_a_structured_line_is_shown_as_text_and_others_as_they_are() -> None:
    entry = {"time": "2026-01-02T03:04:05.678Z", "level": "error", "logger": "dashify.x", "message": "A sweep failed",
             "process": "scheduler", "job_id": "7", "exception": "Traceback\n  deep down\nTypeError: no"}
    shown = readable(json.dumps(entry))
    assert shown == ["error: A sweep failed job_id=7", "Traceback", "  deep down", "TypeError: no"]
    assert readable('{"level": "info", "message": "Worker started"}') == ["Worker started"]
    assert readable('{"torn') == ['{"torn']
    assert readable('{"other": 1}') == ['{"other": 1}']
    assert readable("") == []


def test_a_childs_control_characters_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    screen = Screen(stream, color=False, names=["api-1"])
    screen.child("api-1", "red \x1b[31m text\x07\r")
    screen.close()
    assert stream.getvalue() == "api-1    | red  [31m text  \n"


def test_names_are_colored_only_where_that_was_asked_for() -> None:
    stream = io.StringIO()
    screen = Screen(stream, color=True, names=["api-1"])
    screen.child("api-1", "hello")
    screen.close()
    assert stream.getvalue() == "\x1b[36mapi-1    |\x1b[0m hello\n"


class Stuck(io.StringIO):
    """A terminal that was paused: a write returns when `resume` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.resume = threading.Event()

    def write(self, text: str) -> int:
        self.resume.wait(30)
        return super().write(text)


def test_a_paused_terminal_costs_lines_and_holds_up_nobody() -> None:
    stream = Stuck()
    screen = Screen(stream, color=False, names=["api-1"])
    for number in range(20_000):
        screen.child("api-1", f"line {number}")
    stream.resume.set()
    screen.close()
    assert "line 4000\n" in stream.getvalue()
    assert "line 19999" not in stream.getvalue()
    assert "lines not shown" in stream.getvalue()


def test_a_mail_is_shown_with_its_reader_subject_and_first_link() -> None:
    assert summarize(mail()) == [
        "to bob@acme.example: Alice invites you to Acme — welcome", "https://dashify.example/invitation#abc=def",
    ]


def test_only_mails_that_are_new_and_whole_are_shown(tmp_path: Path) -> None:
    (tmp_path / "old.eml").write_bytes(mail())
    mailbox = Mailbox(tmp_path)
    (tmp_path / "new.eml").write_bytes(mail("carol@globex.example"))
    (tmp_path / "part.tmp").write_bytes(b"To: nobody")
    lines: list[str] = []
    deadline = time.monotonic() + 10
    while not lines and time.monotonic() < deadline:
        lines = mailbox.news()
        time.sleep(0.05)
    assert lines[0].startswith("to carol@globex.example")
    time.sleep(0.6)
    assert mailbox.news() == []
