from __future__ import annotations

from pathlib import Path

from dashify.domain.files import FileKind
from tests.reading.asking import text_in
from tests.reading.makers import make_printed

LONG = "This line is as long as its column is wide and goes on"


def paragraphs(*texts: str, left: float = 50.0, top: float = 600.0) -> list[tuple[float, float, float, str]]:
    return [(10.0, left, top - 12 * place, text) for place, text in enumerate(texts)]


def test_larger_lines_are_headings_and_a_heading_may_take_two(tmp_path: Path) -> None:
    page = [(24.0, 50.0, 750.0, "Travel costs of"), (24.0, 50.0, 722.0, "everybody"), (16.0, 50.0, 680.0, "Hotels"),
            *paragraphs(*[f"{LONG}."] * 8)]
    text = text_in(make_printed(tmp_path / "a.pdf", [page]), FileKind.PDF)
    assert text.startswith("# Travel costs of everybody\n\n## Hotels\n\nThis line")


def test_where_much_is_large_nothing_is_a_heading(tmp_path: Path) -> None:
    page = [*paragraphs(*[LONG] * 3), *[(14.0, 50.0, 400.0 - 20 * place, LONG) for place in range(3)]]
    assert "#" not in text_in(make_printed(tmp_path / "a.pdf", [page]), FileKind.PDF)


def test_full_lines_are_joined_and_paragraphs_items_and_entries_are_not(tmp_path: Path) -> None:
    entry = "Hotels . . . . . . . . 4"
    page = [*paragraphs(LONG, "Here it ends.", "New begins", "- one", "1. two", entry, "Trains", LONG),
            *paragraphs("Far below", top=450.0)]
    text = text_in(make_printed(tmp_path / "a.pdf", [page]), FileKind.PDF)
    assert text == (f"{LONG} Here it ends.\nNew begins\n- one\n1. two\n{entry}\nTrains\n{LONG}"
                    "\n\nFar below")


def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    left, right = ("Left column that is one line", "ends here."), ("Right column that is a line", "ends there.")
    page = [*paragraphs(*left), *paragraphs(*right, left=320.0)]
    text = text_in(make_printed(tmp_path / "a.pdf", [page]), FileKind.PDF)
    assert text == "Left column that is one line ends here.\nRight column that is a line ends there."


def test_what_stands_at_the_top_of_few_pages_or_elsewhere_stays(tmp_path: Path) -> None:
    pages = [[(10.0, 50.0, 750.0, "Same"), (10.0, 50.0, 700.0 - 30 * number, f"Only here {number}."),
              (10.0, 50.0, 100.0 + 20 * number, "Moves")] for number in range(5)]
    text = text_in(make_printed(tmp_path / "a.pdf", pages), FileKind.PDF)
    assert (text.count("Same"), text.count("Only here"), text.count("Moves")) == (1, 5, 5)
