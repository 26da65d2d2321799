"""The text of a Word document: headings, paragraphs, lists, tables, notes and text boxes, in the order they are read.

What was inserted with changes tracked is text, what was deleted or hidden is not. Names are compared without their
namespaces, as the strict and the transitional form of the standard have different ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from dashify.domain.files import unreadable
from dashify.domain.knowledge import MAX_TEXT
from dashify.reading.writing import item_of, row_of

_HEADING = re.compile(r"heading ([1-9])")
_SKIPPED = frozenset({"del", "moveFrom", "pPr", "rPr", "tblPr", "tblGrid", "trPr", "tcPr", "sectPr", "sdtPr",
                      "instrText", "delText", "Fallback"})
_CHARACTERS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": " "}
_BODY_LEVEL = 9  # Word's outline level of what is no heading
_DEEPEST_HEADING = 6


def local(element: Element) -> str:
    """Give an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def text_of(document: Element, styles: Styles, notes: Mapping[str, Element]) -> str:
    """Give a document's text; `notes` are its foot- and endnotes by `footnote:ID` and `endnote:ID`.

    Raises:
        Unreadable: `file_too_large`.
    """
    reader = _Reader(styles, notes)
    for body in document:
        reader.blocks(body)
    reader.end_with_notes()
    return reader.text()


class Styles:
    """What the styles of paragraphs mean, each on top of the one it is based on."""

    def __init__(self, part: Element | None) -> None:
        self._styles = {value: style for style in (part if part is not None else ())
                        if local(style) == "style" and (value := _attribute(style, "styleId"))}

    def heading(self, properties: Element | None) -> int:
        """Give the level of heading (1 to 6) that a paragraph's properties make it; 0 where it is none."""
        for layer in self._layers(properties):
            outline = _value(layer, "outlineLvl")
            if outline.isdecimal():
                return min(int(outline) + 1, _DEEPEST_HEADING) if int(outline) < _BODY_LEVEL else 0
        for style in self._chain(_value(properties, "pStyle")):
            name = _value(style, "name").lower()
            found = _HEADING.fullmatch(name)
            if found or name == "title":
                return min(int(found.group(1)), _DEEPEST_HEADING) if found else 1
        return 0

    def list_depth(self, properties: Element | None) -> int:
        """Give the depth, from 0, that a paragraph has in a list; -1 where it is in none."""
        for layer in self._layers(properties):
            numbering = _child(layer, "numPr")
            if numbering is not None:
                depth = _value(numbering, "ilvl")
                return -1 if _value(numbering, "numId") == "0" else int(depth) if depth.isdecimal() else 0
        named = any(_value(style, "name").lower().startswith("list ")
                    and not _value(style, "name").lower().startswith("list paragraph")
                    for style in self._chain(_value(properties, "pStyle")))
        return 0 if named else -1

    def _layers(self, properties: Element | None) -> Iterator[Element | None]:
        yield properties
        for style in self._chain(_value(properties, "pStyle")):
            yield _child(style, "pPr")

    def _chain(self, style_id: str) -> Iterator[Element]:
        seen: set[str] = set()
        while style_id in self._styles and style_id not in seen:
            seen.add(style_id)
            yield self._styles[style_id]
            style_id = _value(self._styles[style_id], "basedOn")


class _Reader:
    def __init__(self, styles: Styles, notes: Mapping[str, Element]) -> None:
        self._styles = styles
        self._notes = notes
        self._numbers: dict[str, int] = {}
        self._blocks: list[str] = []
        self._boxes: list[Element] = []
        self._length = 0

    def text(self) -> str:
        """Give the blocks, with a blank line between them but not between items of a list."""
        parts = []
        for before, block in zip(["", *self._blocks], self._blocks, strict=False):
            close = before.lstrip().startswith("- ") and block.lstrip().startswith("- ")
            parts.append(("\n" if close else "\n\n") + block)
        return "".join(parts).strip("\n")

    def blocks(self, parent: Element) -> None:
        """Read what follows one another in a body, a cell or a text box."""
        for element in parent:
            name = local(element)
            if name == "p":
                self._paragraph(element)
                boxes, self._boxes = self._boxes, []
                for box in boxes:
                    self.blocks(box)
            elif name == "tbl":
                self._table(element)
            elif name not in _SKIPPED:
                self.blocks(element)

    def end_with_notes(self) -> None:
        """Put the notes that the text refers to at its end."""
        done = 0
        while done < len(self._numbers):  # a note may refer to another
            key, number = list(self._numbers.items())[done]
            self._add(f"[^{number}]: {self._flat(self._notes[key])}")
            done += 1

    def _paragraph(self, paragraph: Element) -> None:
        text = "".join(self._inline(paragraph)).strip(" \n")
        if not text:
            return
        properties = _child(paragraph, "pPr")
        level, depth = self._styles.heading(properties), self._styles.list_depth(properties)
        if level:
            text = f"{'#' * level} {' '.join(text.split())}"
        elif depth >= 0:
            text = item_of(text.replace("\n", " "), depth)
        self._add(text)

    def _inline(self, parent: Element) -> Iterator[str]:
        for element in parent:
            name = local(element)
            if name == "t":
                yield element.text or ""
            elif name in _CHARACTERS:
                yield _CHARACTERS[name]
            elif name in ("footnoteReference", "endnoteReference"):
                yield self._reference(f"{name.removesuffix('Reference')}:{_attribute(element, 'id')}")
            elif name == "txbxContent":
                self._boxes.append(element)
            elif name not in _SKIPPED and not (name == "r" and _is_hidden(element)):
                yield from self._inline(element)

    def _reference(self, key: str) -> str:
        if key not in self._notes:
            return ""
        return f"[^{self._numbers.setdefault(key, len(self._numbers) + 1)}]"

    def _table(self, table: Element) -> None:
        rows = [list(_within(row, "tc")) for row in _within(table, "tr")]
        if max(map(len, rows), default=0) < 2:
            for row in rows:
                for cell in row:
                    self.blocks(cell)
            return
        lines = [row_of([self._flat(cell) for cell in row]) for row in rows]
        self._add("\n".join(filter(None, lines)))

    def _flat(self, parent: Element) -> str:
        """Read blocks as one line."""
        kept, self._blocks = self._blocks, []
        self.blocks(parent)
        read, self._blocks = self._blocks, kept
        self._length -= sum(map(len, read))  # counted again as a part of what it goes into
        return " ".join(" ".join(block.strip("| ").split()) for block in read)

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise unreadable("file_too_large")
        if text:
            self._blocks.append(text)


def _within(parent: Element, name: str) -> Iterator[Element]:
    """Give the rows of a table or the cells of a row, also those in controls and tracked changes."""
    for element in parent:
        if local(element) == name:
            yield element
        elif local(element) in ("sdt", "sdtContent", "ins", "customXml"):
            yield from _within(element, name)


def _is_hidden(run: Element) -> bool:
    vanish = _child(_child(run, "rPr"), "vanish")
    return vanish is not None and _attribute(vanish, "val") not in ("0", "false", "off")


def _child(parent: Element | None, name: str) -> Element | None:
    return next((one for one in parent if local(one) == name), None) if parent is not None else None


def _value(parent: Element | None, name: str) -> str:
    found = _child(parent, name)
    return "" if found is None else _attribute(found, "val")


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
