from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dashify.domain.files import FileKind
from dashify.reading import sandbox
from tests.reading.asking import refusal, text_in
from tests.reading.makers import make_docx, make_pdf, make_word

BATCH = """
import random, sys
from pathlib import Path
from dashify.domain.files import WHY
from dashify.reading import docx, jail, pdf, plain, web
from dashify.reading.child import _answer, _IMPORTED_WHEN_USED
for name in _IMPORTED_WHEN_USED:
    __import__(name)
good = {reader: Path(name).read_bytes() for reader, name in zip((docx, pdf, plain, web), sys.argv[1:])}
jail.limit()
jail.close_in()
chance = random.Random(7)
read = 0
for number in range(400):
    reader = list(good)[number % len(good)]
    data = bytearray(good[reader])
    for _ in range(chance.randint(0, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if number % 3 == 0:
        data = data[:chance.randrange(len(data))]
    answer = _answer(reader.read, bytes(data))
    assert set(answer) == {"title", "text"} or answer["code"] in WHY, answer
    read += "text" in answer
print(read)
"""


def test_whatever_is_done_to_the_bytes_of_a_file_it_is_read_or_refused(tmp_path: Path) -> None:
    files = [make_docx(tmp_path / "a.docx"), make_pdf(tmp_path / "a.pdf", ["One\ntwo", "three"]), tmp_path / "a.txt",
             tmp_path / "a.html"]
    files[2].write_text("Grüße, 日本語 🚂\n" * 9)
    files[3].write_text("<title>Hi</title><h1>Hi</h1><ul><li>there<table><tr><td>a<td>b</table></ul>" * 9)
    done = subprocess.run([sys.executable, "-s", "-c", BATCH, *map(str, files)], capture_output=True, text=True,
                          env={"PYTHONPATH": str(sandbox._ROOT)}, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 100 < int(done.stdout) < 400


@pytest.mark.parametrize("tags", ["<div>", "<b>", "<ul><li>", "<blockquote>"])
def test_a_page_that_is_nested_without_end_is_read_without_harm(tmp_path: Path, tags: str) -> None:
    path = tmp_path / "a.html"
    path.write_text(tags * 10_000 + "deep" + "<p>end")
    assert {"deep", "end"} <= set(text_in(path, FileKind.HTML).split())


def test_tables_in_tables_without_end_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<table><tr><td>x" * 10_000)
    assert text_in(path, FileKind.HTML).split() == ["x"] * 10_000


def test_a_docx_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    path = make_word(tmp_path / "a.docx", "<w:ins>" * 50_000 + "</w:ins>" * 50_000)
    assert refusal(path, FileKind.DOCX) in {"file_too_complex", "file_too_large"}


def test_more_text_than_a_document_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("word " * 2_000_000)
    assert refusal(path, FileKind.TEXT) == "file_too_large"


def test_a_program_that_calls_itself_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(Path(sys.executable).resolve().read_bytes()[:200_000])
    assert refusal(path, FileKind.TEXT) == "file_kind"
    path.write_bytes(bytes(number % 31 + 1 for number in range(5_000)))
    assert refusal(path, FileKind.TEXT) == "file_kind"
    path.write_bytes(b" \n\t \r\n")
    assert refusal(path, FileKind.TEXT) == "file_empty"


@pytest.mark.parametrize(("old", "new", "text"), [
    (b"/Count 2", b"/Count 999999999", "One\n\ntwo"), (b"/Kids [4 0 R", b"/Kids [2 0 R", "two"),
    (b"/Length ", b"/Length 9 0 R /X ", "One\n\ntwo"), (b"/Parent 2 0 R", b"/Parent 4 0 R", "One\n\ntwo"),
    (b"/Font << /F1 3 0 R >>", b"/Font 4 0 R /XObject 4 0 R", "One\n\ntwo")])
def test_a_pdf_whose_objects_go_in_circles_or_lie_ends_all_the_same(tmp_path: Path, old: bytes, new: bytes,
                                                                     text: str) -> None:
    path = make_pdf(tmp_path / "a.pdf", ["One", "two"])
    path.write_bytes(path.read_bytes().replace(old, new))
    assert text_in(path, FileKind.PDF) == text


def test_a_pdf_of_more_pages_than_anybody_reads_is_refused(tmp_path: Path) -> None:
    assert refusal(make_pdf(tmp_path / "a.pdf", ["x"] * 5_001), FileKind.PDF) == "file_too_large"


def test_only_a_pdf_that_opens_without_a_password_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    assert text_in(make_pdf(path, ["For all to read"], password=""), FileKind.PDF) == "For all to read"
    assert b"For all" not in path.read_bytes()
    assert refusal(make_pdf(path, ["Not for all"], password="geheim"), FileKind.PDF) == "file_encrypted"


def test_a_form_that_shows_itself_is_read_without_end_being_waited_for(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", ["One) Tj /Me Do ("])
    path.write_bytes(path.read_bytes().replace(
        b"/Font << /F1 3 0 R >>", b"/Font << /F1 3 0 R >> /XObject << /Me 5 0 R >>").replace(
        b"<< /Length", b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /Me 5 0 R >> >> "
                       b"/Length"))
    assert "One" in text_in(path, FileKind.PDF)
