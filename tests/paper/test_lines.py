from __future__ import annotations

import random

import pytest

from dashify.paper.fonts import FILES, MISSING, Face, Fonts, Style
from dashify.paper.lines import as_seen, break_lines, prepare

STYLE = Style(8)


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    return Fonts()


def shown(fonts: Fonts, text: str, width: float = 400) -> list[str]:
    """Give the faces that the first line is made of."""
    return [piece.face for piece in break_lines(fonts, text, STYLE, width)[0].pieces]


@pytest.mark.parametrize("text", ["Grüße", "Ελληνικά", "Кириллица", "Tiếng Việt", "naïve ½ €"])
def test_latin_greek_and_cyrillic_are_in_the_first_font(fonts: Fonts, text: str) -> None:
    assert set(shown(fonts, text)) == {"F0"}
    assert fonts.pieces(MISSING, STYLE) not in [fonts.pieces(char, STYLE) for char in text]


@pytest.mark.parametrize("text", [
    "مرحبا", "שלום", "Բարեւ", "გამარჯობა", "नमस्ते", "হ্যালো", "హలో", "வணக்கம்", "สวัสดี", "ສະບາຍດີ", "ជំរាបសួរ", "မင်္ဂလာပါ", "ሰላም",
    "日本語", "简体中文", "한국어", "👍🏽", "👩‍👩‍👧", "🇩🇪", "★"])
def test_other_scripts_and_emoji_have_a_font_too(fonts: Fonts, text: str) -> None:
    faces = shown(fonts, text)
    assert faces
    assert "F0" not in faces


def test_what_no_font_has_is_replaced_where_one_can_see_it(fonts: Fonts) -> None:
    assert fonts.pieces("\U00013000", STYLE) == fonts.pieces(MISSING, STYLE)
    assert fonts.width("\U00013000", STYLE) > 0


@pytest.mark.parametrize(("package", "file"), FILES)
def test_every_font_file_is_there_and_can_be_cut_down(package: str, file: str) -> None:
    for bold in (False, True):
        face = Face("F0", package, file, bold=bold)
        face.used[1] = "x"
        data, _ = face.subset()
        assert 100 < len(data) < 1_000_000


def test_lines_keep_to_the_width_and_lose_no_word(fonts: Fonts) -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 20
    lines = break_lines(fonts, text, STYLE, 150)
    assert len(lines) > 10
    assert all(line.width <= 150 for line in lines)
    whole = sum(fonts.width(word, STYLE) for word in text.split())
    spaces = fonts.width(" ", STYLE) * (len(text.split()) - len(lines))
    assert sum(line.width for line in lines) == pytest.approx(whole + spaces, abs=0.5)


@pytest.mark.parametrize("text", ["x" * 16_000, "界" * 2_000, "ก" * 2_000, "👍" * 500, "https://" + "a/" * 500,
                                  "\u200d".join("👩" * 500), "क्" * 500])
def test_words_longer_than_a_line_are_broken(fonts: Fonts, text: str) -> None:
    lines = break_lines(fonts, text, STYLE, 120)
    assert len(lines) > 1
    assert all(0 < line.width <= 120 for line in lines)


def test_line_ends_and_indents_stay_and_blank_lines_are_joined(fonts: Fonts) -> None:
    assert prepare("a\r\n\tb\rc\n\n \n\n\nd\n") == "a\n    b\nc\n\nd"
    assert len(break_lines(fonts, "a\n\nb", STYLE, 100)) == 3
    assert len(break_lines(fonts, "", STYLE, 100)) == 1


def test_controls_show_and_directions_that_could_mislead_do_not_work() -> None:
    assert prepare("a\x00b\ud800c\x7f") == f"a{MISSING}b{MISSING}c{MISSING}"
    assert prepare("invoice\u202efdp.exe\u2066\ufeff") == "invoicefdp.exe"


def test_a_tower_of_marks_does_not_reach_other_lines(fonts: Fonts) -> None:
    text = prepare("a" + "\u0301" * 1_000)
    assert len(text) == 9
    rises = [float(part.split("] TJ ")[-1]) for part in fonts.pieces(text, STYLE)[0].shown.split(" Ts")[:-1]]
    assert max(rises) <= STYLE.size / 2


@pytest.mark.parametrize(("text", "base", "seen"), [
    ("Hello שלום עולם (2026) world", "L", "Hello (2026) םלוע םולש world"),
    ("שלום (עולם)", "L", "(םלוע) םולש"), ("(שלום) [a]", "R", "[a] (םולש)"), ("a (b) שלום", "L", "a (b) םולש"),
])
def test_text_of_both_directions_is_ordered_and_its_brackets_turned(text: str, base: str, seen: str) -> None:
    assert as_seen(text, base) == seen


def test_a_paragraph_that_begins_at_the_right_says_so(fonts: Fonts) -> None:
    first, second = break_lines(fonts, "שלום\nHello שלום", STYLE, 200)
    assert (first.from_right, second.from_right) == (True, False)


def test_no_text_can_make_it_fail(fonts: Fonts) -> None:
    chance = random.Random(7)
    for _ in range(300):
        text = "".join(chr(chance.randrange(0x30000 if chance.random() < 0.3 else 0x3000)) for _ in range(60))
        lines = break_lines(fonts, text, STYLE, 100)
        assert all(line.width <= 100.01 for line in lines if not line.from_right)
