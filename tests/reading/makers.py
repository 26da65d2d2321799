"""Files as people and attackers send them, made for the tests."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path

import docx

_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")  # the standard's


def make_docx(path: Path) -> Path:
    """A document with a title, headings, a list and a table."""
    made = docx.Document()
    made.core_properties.title = "Reisekosten"
    made.add_heading("Reisekosten", 1)
    made.add_paragraph("Belege bis zum 5. eines Monats. \u202e日本語 العربية 🚂")
    made.add_heading("Hotels", 2)
    made.add_paragraph("Bis 120 Euro", style="List Bullet")
    table = made.add_table(rows=2, cols=2)
    for row, texts in zip(table.rows, (("Stadt", "Euro"), ("Bonn", "90")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    made.save(str(path))
    return path


def repacked(path: Path, name: str, data: bytes) -> Path:
    """The same archive with one part replaced."""
    with zipfile.ZipFile(path) as old:
        parts = {one: old.read(one) for one in old.namelist()}
    parts[name] = data
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for one, content in parts.items():
            new.writestr(one, content)
    return path


def make_pdf(path: Path, pages: Sequence[str], *, text: bool = True, password: str | None = None) -> Path:
    """A PDF of plain pages, each line of text on one of its own; without `text` only empty pages.

    With a password, its texts are encrypted by it (the first and simplest of the ways that PDF has).
    """
    shown = [" ".join(f"({line}) Tj T*" for line in page.split("\n")) if text else "" for page in pages]
    return _pdf(path, [f"BT /F1 12 Tf 14 TL 50 750 Td {page} ET" for page in shown], password)


def _pdf(path: Path, pages: Sequence[str], password: str | None = None) -> Path:
    padded = ((password or "").encode() + _PADDING)[:32]
    owner = _rc4(md5(padded).digest()[:5], padded)
    key = md5(padded + owner + struct.pack("<i", -4) + b"\0").digest()[:5]
    objects: list[bytes] = []
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for index, page in enumerate(pages):
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {5 + 2 * index} 0 R "
                       "/Resources << /Font << /F1 3 0 R >> >> >>".encode())
        stream = page.encode("latin-1")
        if password is not None:
            number = struct.pack("<I", 5 + 2 * index)[:3] + b"\0\0"
            stream = _rc4(md5(key + number).digest()[:10], stream)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    lock = b"" if password is None else (
        b"/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>"
        % (owner.hex().encode(), _rc4(key, _PADDING).hex().encode()))
    out.write(b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, lock, start))
    path.write_bytes(out.getvalue())
    return path


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def make_word(path: Path, body: str, **parts: str) -> Path:
    """A document of this body in Word's XML, beside other parts of it by their names."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", f'<r><Relationship Type="{kinds}/officeDocument" Target="word/d.xml"/></r>')
        links = "".join(f'<Relationship Type="{kinds}/{name}" Target="{name}.xml"/>' for name in parts)
        archive.writestr("word/_rels/d.xml.rels", f"<r>{links}</r>")
        archive.writestr("word/d.xml", f"<w:document {space}><w:body>{body}</w:body></w:document>")
        for name, content in parts.items():
            archive.writestr(f"word/{name}.xml", f"<w:{name} {space}>{content}</w:{name}>")
    return path


def make_printed(path: Path, pages: Sequence[Sequence[tuple[float, float, float, str]]]) -> Path:
    """A PDF of lines, each a size, where it begins from the left and from the bottom, and a text."""
    return _pdf(path, ["BT " + " ".join(f"/F1 {size} Tf 1 0 0 1 {left} {bottom} Tm ({text}) Tj"
                                        for size, left, bottom, text in page) + " ET" for page in pages])
