from __future__ import annotations

import re
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from dashify.domain.reports import Column
from dashify.paper.sheets import About
from dashify.paper.table import print_table

COLUMNS = [Column("name", 20), Column("text", 80)]
ABOUT = About("Messages of #general", "Acme", "Alice <alice@acme.test>", datetime(2026, 11, 24, 19, 30, tzinfo=UTC))
OBJECT = re.compile(rb"^(\d+) 0 obj\n(.*?)\nendobj$", re.DOTALL | re.MULTILINE)


def printed(rows: list[tuple[str, str]], about: About = ABOUT) -> bytes:
    return b"".join(print_table(about, COLUMNS, rows))


def pages(data: bytes) -> int:
    return data.count(b"/Type /Page/")


def content(data: bytes) -> list[bytes]:
    """Give what every page draws, in order."""
    objects = {int(number): body for number, body in OBJECT.findall(data)}
    numbers = [int(found) for found in re.findall(rb"/Contents (\d+) 0 R", data)]
    return [zlib.decompress(objects[number].split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0])
            for number in numbers]


def text_of(data: bytes) -> str:
    """Give what a reader finds in the file, read with the tables that the fonts bring along."""
    objects = {int(number): body for number, body in OBJECT.findall(data)}
    fonts: dict[str, dict[str, str]] = {}
    resources = next(body for body in objects.values() if b"/Font <<" in body)
    for name, number in re.findall(rb"/(F\d+b?) (\d+) 0 R", resources):
        [table] = re.findall(rb"/ToUnicode (\d+) 0 R", objects[int(number)])
        body = zlib.decompress(objects[int(table)].split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0])
        fonts[name.decode()] = {glyph: bytes.fromhex(text).decode("utf-16-be") for glyph, text in
                                re.findall(r"^<([0-9a-f]{4})> <([0-9a-f]+)>$", body.decode(), re.MULTILINE)}
    found: list[str] = []
    for page in content(data):
        for block in re.findall(r"BT .*? ET", page.decode()):
            for face, shown in re.findall(r"/(\w+) [\d.]+ Tf \[(.*?)(?=\] TJ /F|\] TJ ET)", block):
                glyphs = "".join(re.findall(r"<([0-9a-f]+)>", shown))
                found += [fonts[face].get(glyphs[at:at + 4], "") for at in range(0, len(glyphs), 4)]
            found.append("\n")
    return "".join(found)


def test_a_page_has_its_title_its_heads_its_rows_and_its_number() -> None:
    text = text_of(printed([("Alice", "Grüße, Ελλάδα, Москва"), ("Bob", "Second")]))
    assert text.startswith("Messages of #general\nAcme\nMade by Alice <alice@acme.test> on 2026-11-24 at 19:30 UTC")
    assert "Name\nText\nAlice\nGrüße, Ελλάδα, Москва\nBob\nSecond\n2 rows in all.\n" in text
    assert text.endswith("Page 1\n")


def test_no_rows_make_one_page_that_says_so() -> None:
    data = printed([])
    assert pages(data) == 1
    assert "0 rows in all." in text_of(data)


def test_heads_come_again_on_every_page_and_the_last_number_from_one_place() -> None:
    data = printed([("Alice", f"Message {number}") for number in range(200)])
    count = pages(data)
    assert count > 5
    text = text_of(data)
    assert text.count("Name\nText\n") == count
    assert all(f"Page {number}\n" in text for number in range(1, count + 1))
    assert [page.count(b"/Total Do") for page in content(data)] == [1] * count
    assert f"/Count {count}".encode() in data
    assert re.findall(r"Message (\d+)\n", text) == [str(number) for number in range(200)]


def test_a_row_longer_than_a_page_goes_on_with_the_next_one_and_a_short_one_is_not_cut() -> None:
    long = "\n".join(f"line {number}" for number in range(150))
    short = "\n".join(f"short {number}" for number in range(10))
    data = printed([("Alice", long), *[("Bob", short)] * 9])
    assert re.findall(r"line (\d+)\n", text_of(data)) == [str(number) for number in range(150)]
    # A row's first line is drawn with its name, so a page that cut one would begin with another line.
    for page in text_of(data).split("Name\nText\n")[5:]:
        assert page.startswith(("Bob\nshort 0", "10 rows"))


def test_what_people_wrote_is_shown_as_glyphs_and_never_read_as_pdf() -> None:
    evil = ") Tj ET endstream endobj << /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >> https://evil.test"
    about = About(f"{evil}\n<b>#1</b> &amp;", f"Acme {evil}", f"Alice {evil}", ABOUT.made_at)
    data = printed([(evil, evil), ("\\)(", "%PDF %%EOF\n1 0 obj")], about)
    everything = data + b"".join(content(data))
    for word in (b"JavaScript", b"OpenAction", b"evil", b"app.alert", b"/URI", b"/Annot", b"#1"):
        assert word not in everything
    assert data.count(b"%%EOF") == 1
    assert evil.split()[-1] in text_of(data).replace("\n", "")


def test_the_table_of_places_points_at_every_object() -> None:
    data = printed([("Alice", "日本語 👍 مرحبا")] * 60)
    begun = int(data.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    lines = data[begun:].split(b"\n")
    assert lines[0] == b"xref"
    places = [int(line.split()[0]) for line in lines[3:] if line.endswith(b" n ")]
    assert lines[1] == f"0 {len(places) + 1}".encode()
    for number, place in enumerate(places, 1):
        assert data[place:].startswith(f"{number} 0 obj\n".encode())


def test_a_title_of_any_length_leaves_room_for_the_table() -> None:
    for title in ("x" * 5_000, "word " * 1_000, "", "\n" * 50):
        about = About(title, "y" * 3_000, "z" * 3_000, ABOUT.made_at)
        assert "1 row in all." in text_of(printed([("Alice", "Hello")], about))


def test_memory_does_not_grow_with_the_number_of_rows() -> None:
    def rows(count: int) -> Iterator[tuple[str, str]]:
        return (("Alice", f"Message {number} with some words in it " * 4) for number in range(count))

    def peak(count: int) -> int:
        tracemalloc.reset_peak()
        for _ in print_table(ABOUT, COLUMNS, rows(count)):
            pass
        return tracemalloc.get_traced_memory()[1]

    peak(10)
    tracemalloc.start()
    few, many = peak(500), peak(5_000)
    tracemalloc.stop()
    assert many < few * 2 + 2_000_000
