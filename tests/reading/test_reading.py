from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dashify.domain.files import FileKind, Unreadable, kind_of
from dashify.reading import read_file
from tests.reading.asking import refusal
from tests.reading.makers import make_docx, make_pdf, repacked

Change = Callable[[Path], object]


def test_markdown_stays_as_it_is_but_for_what_nobody_sees(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes("\ufeff# Café\r\n\r\n\r\n\r\nZeile  \rEnde\u202e\x07 🚂".encode())
    extract = read_file(path, FileKind.MARKDOWN)
    assert (extract.title, extract.text) == ("Café", "# Café\n\nZeile\nEnde 🚂")


@pytest.mark.parametrize(("encoding", "text"), [
    ("utf-8", "Grüße, Здравствуйте, 日本語"), ("utf-16", "Grüße, 日本語"),
    ("utf-16-le", "Grüße, und mehr"), ("utf-16-be", "Grüße, und mehr"), ("cp1252", "Grüße: „so“")])
def test_text_is_read_in_the_encoding_it_has(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert read_file(path, FileKind.TEXT).text == text


def test_a_page_is_read_as_people_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(b"""<!doctype html><meta charset="iso-8859-1"><title>Gr\xfc\xdfe</title><style>p{}</style>
        <nav>Home</nav><h2>First <em>part</em></h2><p>One&nbsp;<b>two</b>   three &amp; four<p>Five<br>six
        <ul><li>a<li>b</ul><table><tr><th>City<th>Euro<tr><td>Bonn<td>90</table><pre>x =  1\n  y</pre>
        <script>alert(1)</script><p hidden>unseen</p>""")
    extract = read_file(path, FileKind.HTML)
    assert extract.title == "Grüße"
    for part in ("## First part\n\nOne two three & four\n\nFive\nsix", "- a", "- b", "| City | Euro |\n",
                 "| Bonn | 90 |", "```\nx =  1\n  y\n```"):
        assert part in extract.text
    for part in ("alert", "unseen", "Home", "p{}", "<"):
        assert part not in extract.text


def test_a_docx_gives_headings_lists_and_tables_in_order(tmp_path: Path) -> None:
    extract = read_file(make_docx(tmp_path / "a.docx"), FileKind.DOCX)
    assert extract.title == "Reisekosten"
    assert extract.text == ("# Reisekosten\n\nBelege bis zum 5. eines Monats. 日本語 العربية 🚂\n\n## Hotels\n\n"
                            "- Bis 120 Euro\n\n| Stadt | Euro |\n| Bonn | 90 |")


def test_a_pdf_gives_its_pages_with_broken_lines_joined(tmp_path: Path) -> None:
    pages = [f"Chapter {number}\nThis sentence goes\non over two lines and splits a won-\nderful word." for number
             in range(1, 4)]
    extract = read_file(make_pdf(tmp_path / "a.pdf", pages), FileKind.PDF)
    assert extract.text.count("This sentence goes on over two lines and splits a wonderful word.") == 3
    assert "Chapter 1" in extract.text


def test_what_stands_at_the_top_of_every_page_is_said_once(tmp_path: Path) -> None:
    pages = [f"Acme report\nText number {number} is here.\nPage {number} of 6" for number in range(1, 7)]
    text = read_file(make_pdf(tmp_path / "a.pdf", pages), FileKind.PDF).text
    assert text.count("Acme report") == 1
    assert "of 6" not in text
    assert all(f"Text number {number} is here." in text for number in range(1, 7))


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def bomb(path: Path) -> None:
    repacked(path, "word/document.xml", b"<a>" + b" " * 60_000_000 + b"</a>")


def laughs(path: Path) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    repacked(path, "word/document.xml", f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><x>&l11;</x>'.encode())


def outside(path: Path) -> None:
    repacked(path, "word/document.xml", b'<!DOCTYPE x [<!ENTITY p SYSTEM "file:///etc/passwd">]><x>&p;</x>')


def many(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(6_000):
            archive.writestr(f"x{number}", b"")


@pytest.mark.parametrize(("change", "codes"), [
    (cut_in_half, {"file_broken"}), (bomb, {"file_too_large"}), (laughs, {"file_broken"}),
    (outside, {"file_broken"}), (many, {"file_too_large"})])
def test_a_docx_that_is_broken_or_a_weapon_is_refused_with_a_reason(tmp_path: Path, change: Change,
                                                                    codes: set[str]) -> None:
    path = make_docx(tmp_path / "a.docx")
    change(path)
    assert refusal(path, FileKind.DOCX) in codes


def test_a_pdf_without_text_or_cut_off_or_protected_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", ["x", "y"], text=False)
    assert refusal(path, FileKind.PDF) == "file_empty"
    path.write_bytes(b"%PDF-1.4\nnothing")
    assert refusal(path, FileKind.PDF) == "file_broken"
    made = make_pdf(tmp_path / "b.pdf", ["secret"]).read_bytes()
    key = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"41" * 32, b"42" * 32)
    path.write_bytes(made.replace(b"/Root 1 0 R", b"/Root 1 0 R /ID [<00><00>] /Encrypt " + key))
    assert refusal(path, FileKind.PDF) == "file_encrypted"


@pytest.mark.parametrize(("name", "head", "code"), [
    ("a.exe", b"MZ", "file_kind"), ("a", b"text", "file_kind"), ("a.pdf", b"PK\x03\x04", "file_kind"),
    ("a.txt", b"a\x00b", "file_kind"), ("a.md", b"", "file_empty"), ("a.docx", b"\xd0\xcf\x11\xe0", "file_encrypted"),
    ("a.txt", b"%PDF-1.4", "file_kind")])
def test_a_file_is_refused_at_once_where_its_name_or_first_bytes_say_enough(name: str, head: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        kind_of(name, head)
    assert refused.value.code == code


@pytest.mark.parametrize(("name", "head", "kind"), [
    ("a.MD", b"# Hi", FileKind.MARKDOWN), ("b.c.htm", b"<p>", FileKind.HTML), ("a.pdf", b"\n%PDF-1.7", FileKind.PDF),
    ("a.txt", b"\xff\xfeH\x00i\x00", FileKind.TEXT),
    ("a.txt", "Grüße".encode("utf-16-le"), FileKind.TEXT), ("a.docx", b"PK\x03\x04", FileKind.DOCX)])
def test_a_file_is_what_its_name_and_first_bytes_agree_on(name: str, head: bytes, kind: FileKind) -> None:
    assert kind_of(name, head) is kind
