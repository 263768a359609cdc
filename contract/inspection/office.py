"""Owns the words in the XML parts of Office Open XML, OpenDocument and EPUB files.

It never resolves an entity and never follows a relationship: a document type is refused.

Sources: ECMA-376 parts 1 and 4, OpenDocument 1.3 part 3.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import Protocol
from xml.parsers import expat

from contract.inspection.model import Reason
from contract.inspection.reading import Reading, Stopped

_XML_PARTS = (".xml", ".rels", ".vml", ".xhtml", ".html", ".htm", ".opf", ".ncx", ".rdf", ".css")
_NEW_LINE = frozenset({"p", "h", "si", "row", "br", "cr", "div", "tr", "li", "comment", "lvl"})
_SPACES = dict.fromkeys(("tab", "tc", "c", "td", "table-cell", "v"), "\t")
_SPACES |= {"s": " ", "noBreakHyphen": "-"}
# Values of cells, words for screen readers, words shown over a link.
_WORDS_IN_ATTRIBUTES = ("office:value", "v", "descr", "w:tooltip", "tooltip", "xlink:href")
_CELL_ENDS = {"c": "\t", "row": "\n", "f": " "}
_SHARED = "xl/sharedstrings.xml"
_SHEETS = "xl/worksheets/"
_MOST_STRINGS = 1_000_000


def is_xml_part(name: str) -> bool:
    """Tell whether a part of this lower-case name is mark-up."""
    return name.endswith(_XML_PARTS)


def is_cells_part(name: str) -> bool:
    """Tell whether a workbook's part of this lower-case name is read by `read_workbook`."""
    return name == _SHARED or (name.startswith(_SHEETS) and name.endswith(".xml"))


def read_part(name: str, content: bytes, reading: Reading) -> None:
    """Keep the character data of one part, and where its links lead outside."""
    if name.endswith(".css") or name == "[content_types].xml":
        return
    if name.endswith((".html", ".htm", ".xhtml")):
        content = _without_doctype(content)
    _Words(reading).parse(content)


def read_workbook(
    entries: Mapping[str, zipfile.ZipInfo], package: zipfile.ZipFile, reading: Reading
) -> None:
    """Keep a workbook's cells row by row, so that a number stands beside its heading."""
    by_name = {name.lower(): entry for name, entry in entries.items()}
    if any(name.startswith("xl/") and name.endswith("workbook.bin") for name in by_name):
        raise Stopped(Reason.UNSUPPORTED)
    strings: list[str] = []
    if _SHARED in by_name:
        strings = _SharedStrings().parse(_inflated(package, by_name[_SHARED], reading))
    for name, entry in by_name.items():
        if name != _SHARED and is_cells_part(name):
            _Cells(reading, strings).parse(_inflated(package, entry, reading))
            if reading.truncated:
                return


def _inflated(package: zipfile.ZipFile, entry: zipfile.ZipInfo, reading: Reading) -> bytes:
    with package.open(entry) as member:
        return reading.inflate(member)  # type: ignore[arg-type] # IO[bytes] that reads as BinaryIO


def _without_doctype(content: bytes) -> bytes:
    """Take off a web page's plain document type, which declares nothing."""
    start = content.find(b"<!DOCTYPE html")
    end = content.find(b">", start)
    if start < 0 or end < 0 or b"[" in content[start:end]:
        return content
    return content[:start] + content[end + 1 :]


class _Handlers(Protocol):
    """What is told of one part, tag by tag."""

    def on_start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def on_end(self, tag: str) -> None: ...

    def on_data(self, data: str) -> None: ...


def _parse(content: bytes, handlers: _Handlers) -> None:
    """Pass over one part once; refuses what no office program writes."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = handlers.on_start
    parser.EndElementHandler = handlers.on_end
    parser.CharacterDataHandler = handlers.on_data
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as fault:
        raise Stopped(Reason.DAMAGED) from fault


def _refuse(*_: object) -> None:
    raise Stopped(Reason.DAMAGED)


class _Words:
    """Character data with line ends where paragraphs and rows end."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def parse(self, content: bytes) -> None:
        _parse(content, self)
        self._reading.add_text("\n")

    def on_start(self, tag: str, attributes: dict[str, str]) -> None:
        self._expect_room()
        if attributes.get("TargetMode") == "External":
            self._reading.add_text(f"{attributes.get('Target', '')}\n")
        for name in _WORDS_IN_ATTRIBUTES:
            if name in attributes:
                self._reading.add_text(f" {attributes[name]} ")
        if tag == "sheet":
            self._reading.add_text(f"{attributes.get('name', '')}\n")

    def on_end(self, tag: str) -> None:
        local = tag.rpartition(":")[2]
        if local in _NEW_LINE:
            self._reading.add_text("\n")
        elif local in _SPACES:
            self._reading.add_text(_SPACES[local])

    def on_data(self, data: str) -> None:
        self._reading.add_text(data)

    def _expect_room(self) -> None:
        if self._reading.truncated:
            raise Stopped(Reason.TOO_LONG)


class _SharedStrings:
    """The table of a workbook's strings, without their phonetic marks."""

    def __init__(self) -> None:
        self._strings: list[str] = []
        self._pieces: list[str] = []
        self._inside = False
        self._phonetic = False

    def parse(self, content: bytes) -> list[str]:
        _parse(content, self)
        return self._strings

    def on_start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(":")[2]
        self._inside = self._inside or local == "t"
        self._phonetic = self._phonetic or local == "rPh"

    def on_end(self, tag: str) -> None:
        local = tag.rpartition(":")[2]
        if local == "t":
            self._inside = False
        elif local == "rPh":
            self._phonetic = False
        elif local == "si":
            self._strings.append("".join(self._pieces))
            self._pieces.clear()
            if len(self._strings) > _MOST_STRINGS:
                raise Stopped(Reason.TOO_LARGE)

    def on_data(self, data: str) -> None:
        if self._inside and not self._phonetic:
            self._pieces.append(data)


class _Cells(_Words):
    """The cells of one sheet, values behind their formulas, shared strings in their places."""

    def __init__(self, reading: Reading, strings: list[str]) -> None:
        super().__init__(reading)
        self._strings = strings
        self._shared = False
        self._value: list[str] | None = None

    def on_start(self, tag: str, attributes: dict[str, str]) -> None:
        self._expect_room()
        local = tag.rpartition(":")[2]
        if local == "c":
            self._shared = attributes.get("t") == "s"
        elif local == "v":
            self._value = []

    def on_end(self, tag: str) -> None:
        local = tag.rpartition(":")[2]
        if local == "v" and self._value is not None:
            self._reading.add_text(self._shown("".join(self._value)))
            self._value = None
        elif local in _CELL_ENDS:
            self._reading.add_text(_CELL_ENDS[local])

    def on_data(self, data: str) -> None:
        if self._value is not None:
            self._value.append(data)
        else:
            self._reading.add_text(data)

    def _shown(self, value: str) -> str:
        if self._shared and value.isascii() and value.isdigit() and len(value) < 8:
            return self._strings[int(value)] if int(value) < len(self._strings) else ""
        # A long account number is kept as a float.
        return _whole_figure(value) if "E" in value or "." in value else value


def _whole_figure(value: str) -> str:
    try:
        figure = float(value)
    except ValueError:
        return value
    return str(int(figure)) if abs(figure) < 1e18 and figure.is_integer() else value
