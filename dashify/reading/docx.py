"""DOCX: the archive and its parts. What the archive claims is checked first, and only parts with text are expanded."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers.expat import errors

from dashify.domain.files import unreadable
from dashify.reading.word import Styles, local, text_of

_MOST_ENTRIES = 5_000
_MOST_BYTES = 256 * 1024 * 1024
_MOST_PART_BYTES = 64 * 1024 * 1024
_MOST_RATIO = 200  # XML packs well, but not like a bomb
_SMALL = 1024 * 1024
_ENCRYPTED = 0x1
_OLE = b"\xd0\xcf\x11\xe0"
_BROKEN = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError)


def read(data: bytes) -> tuple[str, str]:
    """Give the document's title and its text.

    Raises:
        Unreadable: `file_broken`, `file_encrypted`, `file_kind`, `file_too_large`.
    """
    if data.startswith(_OLE):
        raise unreadable("file_encrypted")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive.infolist())
            return _read(_Package(archive, {entry.filename: entry for entry in archive.infolist()}))
    except _BROKEN as error:
        raise unreadable("file_broken") from error


def _read(package: _Package) -> tuple[str, str]:
    package_links = package.links("")
    main = package.part(package_links.get("officeDocument", "word/document.xml"))
    if main is None or local(main) != "document":
        raise unreadable("file_kind")  # a workbook, or any other archive
    links = package.links(package_links.get("officeDocument", "word/document.xml"))
    notes = {f"{kind}:{note}": element for kind in ("footnote", "endnote")
             for note, element in _notes(package.part(links.get(f"{kind}s", "")))}
    properties = package.part(package_links.get("core-properties", ""))
    title = "" if properties is None else next((one.text or "" for one in properties if local(one) == "title"), "")
    return title.strip(), text_of(main, Styles(package.part(links.get("styles", ""))), notes)


def _check(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that would grow out of all proportion, by what its directory says of it.

    A directory that lies is caught by zipfile itself, which reads no more of a part than it was told.
    """
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise unreadable("file_encrypted")
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise unreadable("file_too_large")


def _notes(part: Element | None) -> list[tuple[str, Element]]:
    if part is None:
        return []
    return [(value, note) for note in part for name, value in note.attrib.items() if name.endswith("}id")]


@dataclass
class _Package:
    archive: zipfile.ZipFile
    entries: Mapping[str, zipfile.ZipInfo]
    _expanded: int = field(default=0)

    def part(self, name: str) -> Element | None:
        """Parse a part; None where there is none of that name."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        bomb = entry.file_size > _SMALL and entry.file_size > _MOST_RATIO * max(1, entry.compress_size)
        self._expanded += entry.file_size
        if bomb or self._expanded > _MOST_PART_BYTES:
            raise unreadable("file_too_large")
        return _parsed(self.archive.read(entry))

    def links(self, name: str) -> dict[str, str]:
        """Tell where the parts are that a part names (the package itself: ""), by the last word of their type."""
        folder, file = posixpath.split(name)
        part = self.part(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, str] = {}
        for link in part if part is not None else ():
            if link.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, link.get("Target", "")))
                found.setdefault(link.get("Type", "").rpartition("/")[2], target.lstrip("/"))
        return found


class _NoDeclarations(ElementTree.TreeBuilder):
    """Builds trees of parts that declare nothing: Word writes no DOCTYPE; whoever does has entities in mind."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse the part, before anything that it declares is read."""
        raise unreadable("file_broken")


def _parsed(data: bytes) -> Element:
    parser = ElementTree.XMLParser(target=_NoDeclarations())  # noqa: S314 - see there; and this process is in a jail
    try:
        return ElementTree.fromstring(data, parser)  # noqa: S314
    except ElementTree.ParseError as error:
        if error.code == errors.codes[errors.XML_ERROR_NO_MEMORY]:
            raise MemoryError from error
        raise unreadable("file_broken") from error
