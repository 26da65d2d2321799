"""Fonts: which one has a character, how text becomes glyphs of it, and the part of it that a document must carry."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import uharfbuzz as hb

MISSING = "\ufffd"
"""What is shown in place of a character that no font has."""

_NOTO = "manimgx_fonts"
_SCRIPTS = (
    "Arabic", "Hebrew", "Armenian", "Georgian", "Devanagari", "Bengali", "Gujarati", "Gurmukhi", "Kannada", "Malayalam",
    "Oriya", "Sinhala", "Tamil", "Telugu", "Thai", "Lao", "Khmer", "Myanmar", "Ethiopic", "Symbols")
# The first one that has a character shows it, so what several have looks like the Latin text around it.
FILES: tuple[tuple[str, str], ...] = (
    (_NOTO, "NotoSans[wght].ttf"), *((_NOTO, f"NotoSans{script}[wght].ttf") for script in _SCRIPTS),
    ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"), (_NOTO, "NotoEmoji[wght].ttf"))
_WEIGHTS = {False: 400, True: 700}
_DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "DSIG", "OS/2", "cmap", "name", "post", "vhea", "vmtx", "VORG")
_MOST_CACHED = 20_000
_LONGEST_CACHED = 64
_LONGEST_TEXT = 32  # characters that one glyph stands for, which readers bound too
_MOST_RISE = 400  # 1/1000 em; a tower of marks must not reach into the lines above


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: its `size` in points, and whether it is bold."""

    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one face, ready for a page: what stands between the brackets of `TJ`, and its width in 1/1000 em."""

    face: str
    shown: str
    width: int


class Face:
    """One font file at one weight, and the glyphs of it that were used, each with the text it stands for."""

    def __init__(self, name: str, package: str, file: str, *, bold: bool) -> None:
        self.name = name
        self.label = f"{file.split('[')[0].removesuffix('.otf')}{'-Bold' if bold else ''}"
        self.used: dict[int, str] = {}
        self._weight = _WEIGHTS[bold]
        self._widths: dict[int, int] = {}
        self._face = hb.Face(hb.Blob.from_file_path(str(files(package).joinpath(file))))
        self._variable = self._face.has_var_data
        self._font = hb.Font(self._face)
        self._font.scale = (1000, 1000)
        if self._variable:
            self._font.set_variations({"wght": self._weight})

    @property
    def extents(self) -> tuple[int, int]:
        """The height above and the (negative) depth below the line, in 1/1000 em."""
        found = self._font.get_font_extents("ltr")
        return found.ascender, found.descender

    def has(self, char: str) -> bool:
        """Tell whether the font has a glyph for `char`."""
        return self._font.get_nominal_glyph(ord(char)) is not None

    def width(self, glyph: int) -> int:
        """Give a glyph's own width in 1/1000 em."""
        if glyph not in self._widths:
            self._widths[glyph] = self._font.get_glyph_h_advance(glyph)
        return self._widths[glyph]

    def shaped(self, text: str) -> hb.Buffer:
        """Give `text`, all of one direction, as placed glyphs."""
        buffer = hb.Buffer()
        buffer.add_codepoints([ord(char) for char in text])
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer)
        return buffer

    def piece(self, text: str, size: float) -> Piece:
        """Give `text` as a piece of a page at `size` points, noting the glyphs that it takes."""
        buffer = self.shaped(text)
        starts = sorted({info.cluster for info in buffer.glyph_infos})
        ends = [*starts[1:], len(text)]
        text_of = {start: text[start:end][:_LONGEST_TEXT] for start, end in zip(starts, ends, strict=True)}
        shown, width = _Shown(size), 0
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            glyph = info.codepoint
            if not self.used.get(glyph):
                # Of several glyphs that make one character, the first gives the text and the others give none.
                self.used[glyph] = text_of.pop(info.cluster, "")
            shown.add(glyph, place, self.width(glyph))
            width += place.x_advance
        return Piece(self.name, shown.end(), width)

    def subset(self) -> tuple[bytes, bool]:
        """Give the used part of the font under the same glyph numbers, and whether its outlines are PostScript's."""
        wanted = hb.SubsetInput()
        wanted.flags = (hb.SubsetFlags.RETAIN_GIDS | hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NOTDEF_OUTLINE
                        | hb.SubsetFlags.NO_LAYOUT_CLOSURE | hb.SubsetFlags.CFF_IDENTITY_CHARSET)
        wanted.glyph_set.update(self.used)
        wanted.drop_table_tag_set.update(int.from_bytes(tag.encode(), "big") for tag in _DROPPED)
        if self._variable:
            wanted.pin_all_axes_to_default(self._face)
            wanted.pin_axis_location(self._face, "wght", self._weight)
        made = hb.subset(self._face, wanted)
        if "CFF " in made.table_tags:
            return made.reference_table("CFF ").data, True
        return made.blob.data, False


class _Shown:
    """Glyphs on their way into a `TJ`: the pen moves by their own widths, and is set right where that is not enough."""

    def __init__(self, size: float) -> None:
        self._size = size
        self._parts: list[str] = []
        self._open = False
        self._rise = 0

    def add(self, glyph: int, place: hb.GlyphPosition, width: int) -> None:
        """Show a glyph and leave the pen where the next one begins."""
        rise = max(-_MOST_RISE, min(_MOST_RISE, place.y_offset))
        if rise != self._rise:
            self._close()
            self._rise = rise
            self._parts.append(f"] TJ {self._rise * self._size / 1000:.2f} Ts [")
        self._move(place.x_offset)
        if not self._open:
            self._parts.append("<")
            self._open = True
        self._parts.append(f"{glyph:04x}")
        self._move(place.x_advance - width - place.x_offset)

    def end(self) -> str:
        """Give what was shown, with the pen back on the line."""
        self._close()
        if self._rise:
            self._parts.append("] TJ 0 Ts [")
        return "".join(self._parts)

    def _move(self, right: int) -> None:
        if right:
            self._close()
            self._parts.append(f"{-right} ")

    def _close(self) -> None:
        if self._open:
            self._parts.append(">")
            self._open = False


class Fonts:
    """The fonts of one document; each file is opened when the first character needs it."""

    def __init__(self) -> None:
        self._faces: dict[tuple[int, bool], Face] = {}
        self._homes: dict[str, int] = {}
        self._pieces: dict[tuple[str, Style], tuple[Piece, ...]] = {}

    @property
    def used(self) -> list[Face]:
        """The faces of which some glyph was used."""
        return [face for face in self._faces.values() if face.used]

    def pieces(self, text: str, style: Style) -> tuple[Piece, ...]:
        """Give `text`, all of one direction, as pieces; words are remembered, since most come again."""
        known = self._pieces.get((text, style))
        if known is not None:
            return known
        made = tuple(face.piece(run, style.size) for face, run in self._runs(text, style.bold))
        if len(text) <= _LONGEST_CACHED:
            if len(self._pieces) >= _MOST_CACHED:
                self._pieces.clear()
            self._pieces[text, style] = made
        return made

    def width(self, text: str, style: Style) -> float:
        """Give the width of `text` in points."""
        return sum(piece.width for piece in self.pieces(text, style)) * style.size / 1000

    def clusters(self, text: str, style: Style) -> Iterator[tuple[str, float]]:
        """Give what of `text` must stay together, such as a letter and its marks, each with its width in points."""
        for face, run in self._runs(text, style.bold):
            buffer = face.shaped(run)
            widths: dict[int, int] = {}
            for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                widths[info.cluster] = widths.get(info.cluster, 0) + place.x_advance
            starts = sorted(widths)
            for start, end in zip(starts, [*starts[1:], len(run)], strict=True):
                yield run[start:end], widths[start] * style.size / 1000

    def _runs(self, text: str, bold: bool) -> Iterator[tuple[Face, str]]:
        """Cut `text` where the face changes. Marks, joiners and spaces stay with what they follow if it has them."""
        face: Face | None = None
        run: list[str] = []
        for char in text:
            if face is None or not _follows(char, face):
                char, home = self._home(char, bold)
                if home is not face:
                    if face is not None and run:
                        yield face, "".join(run)
                    face, run = home, []
            run.append(char)
        if face is not None:
            yield face, "".join(run)

    def _home(self, char: str, bold: bool) -> tuple[str, Face]:
        """Give the character to show for `char` and the face that has it."""
        if char not in self._homes:
            having = (index for index in range(len(FILES)) if self._face(index, bold=False).has(char))
            self._homes[char] = next(having, -1)
        index = self._homes[char]
        return (char, self._face(index, bold)) if index >= 0 else (MISSING, self._face(0, bold))

    def _face(self, index: int, bold: bool) -> Face:
        if (index, bold) not in self._faces:
            name = f"F{index}{'b' if bold else ''}"
            self._faces[index, bold] = Face(name, *FILES[index], bold=bold)
        return self._faces[index, bold]


def _follows(char: str, face: Face) -> bool:
    category = unicodedata.category(char)
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f":
        return True  # joiners and variation selectors have no shape of their own
    return category in ("Mn", "Me", "Mc", "Zs") and face.has(char)
