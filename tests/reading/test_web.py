from __future__ import annotations

from pathlib import Path

import pytest

from dashify.domain.files import FileKind
from tests.reading.asking import text_in


def read(tmp_path: Path, page: str, encoding: str = "utf-8") -> str:
    path = tmp_path / "a.html"
    path.write_bytes(page.encode(encoding))
    return text_in(path, FileKind.HTML)


def test_lists_in_lists_are_indented_and_paragraphs_in_items_part_nothing(tmp_path: Path) -> None:
    page = "<p>Before<ul><li><p>a</p><ul><li>b<li>c</ul><li><a href=x>d</a> e</ul><p>After"
    assert read(tmp_path, page) == "Before\n\n- a\n  - b\n  - c\n- d e\n\nAfter"


def test_a_table_that_only_places_things_is_read_as_what_it_places(tmp_path: Path) -> None:
    page = ("<table><tr><td><h1>News</h1><p>Of May</td><td><table><tr><th>City<th>Euro<tr><td><p>Bonn</p><td>90"
            "</table></td></tr></table>")
    assert read(tmp_path, page) == "# News\n\nOf May\n\n| City | Euro |\n| Bonn | 90 |"


def test_text_that_is_kept_line_by_line_is_kept_so(tmp_path: Path) -> None:
    assert read(tmp_path, "<p>Do:<pre>if x:\n    y  = 1</pre>Then") == "Do:\n\n```\nif x:\n    y  = 1\n```\n\nThen"


@pytest.mark.parametrize("hidden", [
    "<p style='color: red; DISPLAY: none'>x</p>", "<div hidden><p>x</div>", "<span aria-hidden=true>x</span>",
    "<!-- x -->", "<template>x</template>", "<noscript>x</noscript>", "<svg><text>x</text></svg>",
    "<nav><a>x</a></nav>"])
def test_what_nobody_sees_on_a_page_is_not_its_text(tmp_path: Path, hidden: str) -> None:
    assert read(tmp_path, f"<p>one {hidden} two").split() == ["one", "two"]


@pytest.mark.parametrize(("declared", "encoding", "text"), [
    ("ISO-8859-1", "cp1252", "„Größe“ – 5 €"), ("Shift_JIS", "cp932", "日本語①"), ("koi8-r", "koi8-r", "Привет"),
    ("gb2312", "gb18030", "中文镕"), ("utf-16", "utf-8", "Größe"), ("unicode_escape", "utf-8", r"C:\new Größe"),
    ("no-such-thing", "utf-8", "Größe")])
def test_a_page_is_read_in_the_encoding_that_it_declares_if_that_is_one(tmp_path: Path, declared: str, encoding: str,
                                                                        text: str) -> None:
    assert read(tmp_path, f'<meta charset="{declared}"><p>{text}', encoding) == text
