"""A PDF as it is written: an object leaves once it is complete, and only its place is remembered (ISO 32000-1)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import pydyf

from dashify.paper.fonts import Face

_SLICE = 1_000
_CMAP_BLOCK = 100
_CMAP_BEGIN = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange"""
_CMAP_END = "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"


class PdfFile:
    """The objects of one file, numbered from 1. What gives bytes must have them written, in that order."""

    def __init__(self) -> None:
        self._places = array("Q", [0])
        self._written = 0

    def begin(self) -> bytes:
        """Give the first bytes of the file; those above 127 tell transports that it is not text."""
        return self._wrote(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self) -> int:
        """Give the number of an object that comes later."""
        self._places.append(0)
        return len(self._places) - 1

    def put(self, item: pydyf.Object, number: int | None = None) -> bytes:
        """Give the bytes of an object, under a number that was reserved or else the next one."""
        item.number = number or self.reserve()
        self._places[item.number] = self._written
        return self._wrote(item.indirect + b"\n")

    def end(self, catalog: int, info: int) -> Iterator[bytes]:
        """Give the table of places and the trailer, which end the file."""
        begun = self._written
        yield self._wrote(f"xref\n0 {len(self._places)}\n0000000000 65535 f \n".encode())
        for start in range(1, len(self._places), _SLICE):
            places = self._places[start:start + _SLICE]
            yield self._wrote("".join(f"{place:010d} 00000 n \n" for place in places).encode())
        trailer = pydyf.Dictionary({"Size": len(self._places), "Root": reference(catalog), "Info": reference(info)})
        yield self._wrote(b"trailer\n" + trailer.data + f"\nstartxref\n{begun}\n%%EOF\n".encode())

    def put_face(self, face: Face, number: int) -> Iterator[bytes]:
        """Give a font with the glyphs that were used of it, under a number that was reserved."""
        data, postscript = face.subset()
        extra = {"Subtype": "/CIDFontType0C"} if postscript else {"Length1": len(data)}
        program, descriptor, descendant, texts = (self.reserve() for _ in range(4))
        name = f"/{_tag(number)}+{face.label}"
        above, below = face.extents
        yield self.put(pydyf.Stream([data], extra, compress=True), program)
        yield self.put(pydyf.Dictionary({
            "Type": "/FontDescriptor", "FontName": name, "Flags": 4, "ItalicAngle": 0, "StemV": 80, "CapHeight": 714,
            "Ascent": above, "Descent": below, "FontBBox": pydyf.Array([-1000, below, 3000, above]),
            "FontFile3" if postscript else "FontFile2": reference(program)}), descriptor)
        font = pydyf.Dictionary({
            "Type": "/Font", "Subtype": "/CIDFontType0" if postscript else "/CIDFontType2", "BaseFont": name,
            "CIDSystemInfo": b"<</Registry (Adobe)/Ordering (Identity)/Supplement 0>>",
            "FontDescriptor": reference(descriptor), "W": _widths(face)})
        if not postscript:
            font["CIDToGIDMap"] = "/Identity"
        yield self.put(font, descendant)
        yield self.put(pydyf.Stream([_texts(face)], compress=True), texts)
        yield self.put(pydyf.Dictionary({
            "Type": "/Font", "Subtype": "/Type0", "BaseFont": name, "Encoding": "/Identity-H",
            "DescendantFonts": pydyf.Array([reference(descendant)]), "ToUnicode": reference(texts)}), number)

    def _wrote(self, data: bytes) -> bytes:
        self._written += len(data)
        return data


def reference(number: int) -> bytes:
    """Give what stands for the object `number` inside another."""
    return f"{number} 0 R".encode()


def text_string(text: str) -> bytes:
    """Give `text` as a string object, in hexadecimal, so that nothing in it can end the string."""
    return f"<feff{text.encode('utf-16-be', 'replace').hex()}>".encode()


def _tag(number: int) -> str:
    """Give the six letters that mark a font as incomplete (ISO 32000-1, 9.6.4), different for each in the file."""
    letters = []
    for _ in range(6):
        number, rest = divmod(number, 26)
        letters.append(chr(ord("A") + rest))
    return "".join(letters)


def _widths(face: Face) -> pydyf.Array:
    widths = pydyf.Array()
    for glyph in sorted(face.used):
        widths += [glyph, f"[{face.width(glyph)}]"]
    return widths


def _texts(face: Face) -> str:
    """Give the table that says what text each glyph stands for, so that the page can be searched and copied."""
    lines = [_CMAP_BEGIN]
    told = [(glyph, text.encode("utf-16-be", "replace").hex()) for glyph, text in sorted(face.used.items()) if text]
    for start in range(0, len(told), _CMAP_BLOCK):
        block = told[start:start + _CMAP_BLOCK]
        lines += [f"{len(block)} beginbfchar", *(f"<{glyph:04x}> <{text}>" for glyph, text in block), "endbfchar"]
    return "\n".join([*lines, _CMAP_END])
