from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from dashify.domain.files import FileKind
from tests.reading.asking import refusal, text_in
from tests.reading.makers import make_docx, make_word, repacked

STYLES = ('<w:style w:styleId="H"><w:name w:val="heading 2"/></w:style>'
          '<w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="H"/></w:style>'
          '<w:style w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>'
          '<w:style w:styleId="B"><w:name w:val="Aufzählung"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
          "</w:style>")


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(content: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{content}</w:p>"


def cell(content: str) -> str:
    return f"<w:tc>{content}</w:tc>"


def test_tracked_changes_are_read_as_if_they_were_accepted(tmp_path: Path) -> None:
    body = paragraph(run("Bis ") + f"<w:del>{run('').replace('w:t', 'w:delText')}<w:r><w:delText>100</w:delText></w:r>"
                     f"</w:del><w:ins>{run('120')}</w:ins>" + run(" Euro"))
    assert text_in(make_word(tmp_path / "a.docx", body), FileKind.DOCX) == "Bis 120 Euro"


def test_text_in_controls_links_fields_and_boxes_is_read_once(tmp_path: Path) -> None:
    box = (f"<w:r><AlternateContent><Choice><w:txbxContent>{paragraph(run('boxed'))}</w:txbxContent></Choice>"
           f"<Fallback><w:pict><w:txbxContent>{paragraph(run('boxed'))}</w:txbxContent></w:pict></Fallback>"
           "</AlternateContent></w:r>")
    body = (f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph(run('controlled'))}</w:sdtContent></w:sdt>"
            + paragraph(f"<w:hyperlink>{run('linked')}</w:hyperlink><w:fldSimple>{run(' 7')}</w:fldSimple>"
                        f"<w:r><w:instrText>PAGE</w:instrText></w:r>{box}"))
    assert text_in(make_word(tmp_path / "a.docx", body), FileKind.DOCX) == "controlled\n\nlinked 7\n\nboxed"


def test_headings_and_lists_are_told_by_their_styles_whatever_these_are_called(tmp_path: Path) -> None:
    body = "".join((paragraph(run("One"), '<w:pStyle w:val="Mine"/>'),
                    paragraph(run("Two"), '<w:outlineLvl w:val="0"/>'),
                    paragraph(run("a"), '<w:pStyle w:val="B"/>'),
                    paragraph(run("b"), '<w:numPr><w:ilvl w:val="1"/><w:numId w:val="3"/></w:numPr>'),
                    paragraph(run("no item"), '<w:pStyle w:val="B"/><w:numPr><w:numId w:val="0"/></w:numPr>'),
                    paragraph(run("end"), '<w:pStyle w:val="Loop"/>')))
    path = make_word(tmp_path / "a.docx", body, styles=STYLES)
    assert text_in(path, FileKind.DOCX) == "## One\n\n# Two\n\n- a\n  - b\n\nno item\n\nend"


def test_notes_stand_at_the_end_and_hidden_text_nowhere(tmp_path: Path) -> None:
    body = paragraph(run("Paid") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run("secret", "<w:vanish/>")
                     + run(" shown", '<w:vanish w:val="0"/>'))
    notes = f'<w:footnote w:id="2">{paragraph(run("by May"))}</w:footnote>'
    path = make_word(tmp_path / "a.docx", body, footnotes=notes)
    assert text_in(path, FileKind.DOCX) == "Paid[^1] shown\n\n[^1]: by May"


def test_cells_that_say_the_same_stay_apart_and_tables_in_tables_are_read(tmp_path: Path) -> None:
    inner = f"<w:tbl><w:tr>{cell(paragraph(run('x')))}{cell(paragraph(run('y')))}</w:tr></w:tbl>"
    rows = (f"<w:tr>{cell(paragraph(run('5')))}{cell(paragraph(run('5')))}</w:tr>"
            f"<w:sdt><w:sdtContent><w:tr>{cell(paragraph(run('in')))}{cell(inner)}</w:tr></w:sdtContent></w:sdt>")
    text = text_in(make_word(tmp_path / "a.docx", f"<w:tbl>{rows}</w:tbl>"), FileKind.DOCX)
    assert text == "| 5 | 5 |\n| in | x | y |"


def test_a_document_with_macros_is_read_and_one_in_the_strict_form_too(tmp_path: Path) -> None:
    path = make_docx(tmp_path / "a.docm")
    with zipfile.ZipFile(path) as archive:
        kinds = archive.read("[Content_Types].xml")
        strict = archive.read("word/document.xml").replace(
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            b"http://purl.oclc.org/ooxml/wordprocessingml/main")
    repacked(path, "[Content_Types].xml", kinds.replace(
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        b"application/vnd.ms-word.document.macroEnabled.main+xml"))
    repacked(path, "word/document.xml", strict)
    assert "Belege bis zum" in text_in(path, FileKind.DOCX)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "word/document.xml"])
def test_an_archive_of_something_else_is_told_to_be_that(tmp_path: Path, part: str) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "<workbook/>")
    assert refusal(path, FileKind.DOCX) == "file_kind"
