"""Owns what is read of zip files and of the formats that are zip files.

It never unpacks more than the budget lets, whatever the file says of its sizes.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import BinaryIO

from contract.inspection.model import Reason
from contract.inspection.office import is_cells_part, is_xml_part, read_part, read_workbook
from contract.inspection.reading import PIECE_BYTES, Reading, Stopped
from contract.inspection.signatures import PROGRAMS, ZIP

_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER_BYTES = 30
_SLACK_BYTES = 64 * 1024
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# Bits 0 and 6: encrypted; bit 13: the directory is masked (APPNOTE.TXT 4.4.4).
_SECRET_BITS = 0x1 | 0x40 | 0x2000
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MACRO_TYPES = {
    "wordprocessingml.document": "application/vnd.ms-word.document.macroEnabled.12",
    "spreadsheetml.sheet": "application/vnd.ms-excel.sheet.macroEnabled.12",
    "presentationml.presentation": "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
}
_ROOTS = {
    "word/": "wordprocessingml.document",
    "xl/": "spreadsheetml.sheet",
    "ppt/": "presentationml.presentation",
}
_PICTURES: tuple[str, ...] = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".emf",
    ".wmf",
    ".svg",
)
_PICTURES += (".wdp", ".ico", ".webp")
# Parts that hold no words: fonts, printers' settings.
_WORDLESS = (".odttf", ".fntdata", ".ttf")


def read_package(source: BinaryIO, reading: Reading, depth: int) -> str:
    """Read a zip file and return its media type; raises Stopped for too many entries.

    What a limit or damage keeps from being read is noted.
    """
    _count_entries(source, reading)
    media_type = ZIP
    try:
        with zipfile.ZipFile(source) as package:
            entries = [entry for entry in package.infolist() if not entry.is_dir()]
            media_type = _type_of(package, entries, reading)
            if media_type in PROGRAMS:
                raise Stopped(Reason.EXECUTABLE)
            _check_covered(package, entries, reading)
            _read(package, entries, media_type, reading, depth)
    except Stopped as stop:
        reading.note(stop.reason)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError):
        reading.note(Reason.DAMAGED)
    return media_type


def _count_entries(source: BinaryIO, reading: Reading) -> None:
    """Refuse a directory of too many entries before anything is made of it."""
    source.seek(0)
    entries, rest = 0, b""
    while piece := source.read(PIECE_BYTES):
        entries += (rest + piece).count(_ENTRY)
        rest = piece[-(len(_ENTRY) - 1) :]
    if entries > reading.limits.members:
        raise Stopped(Reason.TOO_LARGE)


def _read(
    package: zipfile.ZipFile,
    entries: list[zipfile.ZipInfo],
    media_type: str,
    reading: Reading,
    depth: int,
) -> None:
    locked = any(entry.flag_bits & _SECRET_BITS for entry in entries)
    workbook = not locked and ("spreadsheetml" in media_type or "ms-excel" in media_type)
    if workbook:
        read_workbook({entry.filename: entry for entry in entries}, package, reading)
    office = media_type != ZIP
    for entry in entries:
        if workbook and is_cells_part(entry.filename.lower()):
            continue
        reading.count_member()
        if entry.flag_bits & _SECRET_BITS:
            reading.note(Reason.ENCRYPTED)
        elif entry.compress_type not in _METHODS:
            reading.note(Reason.UNSUPPORTED)
        elif office:
            _read_office_part(package, entry, reading, depth)
        else:
            _read_member(package, entry, reading, depth)


def _read_member(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, reading: Reading, depth: int
) -> None:
    reading.add_text(f"{entry.filename}\n")
    reading.descend(entry.filename, io.BytesIO(_content(package, entry, reading)), depth + 1)
    reading.add_text("\n")


def _read_office_part(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, reading: Reading, depth: int
) -> None:
    name = entry.filename.lower()
    if name.endswith(_WORDLESS) or "/printersettings" in name or entry.file_size == 0:
        return
    if name.endswith(_PICTURES):
        if entry.file_size > reading.limits.decoration_bytes:
            reading.note(Reason.IMAGE)
        return
    if name.endswith("vbaproject.bin") or name.startswith(("basic/", "scripts/")):
        reading.note(Reason.MACROS)
        if name.endswith(".bin"):
            return
    content = _content(package, entry, reading)
    if is_xml_part(name):
        read_part(name, content, reading)
    elif name != "mimetype":
        reading.descend(entry.filename, io.BytesIO(content), depth + 1)
        reading.add_text("\n")


def _content(package: zipfile.ZipFile, entry: zipfile.ZipInfo, reading: Reading) -> bytes:
    with package.open(entry) as member:
        return reading.inflate(member)  # type: ignore[arg-type] # IO[bytes] that reads as BinaryIO


def _type_of(package: zipfile.ZipFile, entries: list[zipfile.ZipInfo], reading: Reading) -> str:
    """Return the media type that a zip file's members tell."""
    names = frozenset(entry.filename for entry in entries)
    if "[Content_Types].xml" in names:
        for root, kind in _ROOTS.items():
            if any(name.startswith(root) for name in names):
                macros = any(name.lower().endswith("vbaproject.bin") for name in names)
                return _MACRO_TYPES[kind] if macros else _OFFICE + kind
    if "AndroidManifest.xml" in names:
        return "application/vnd.android.package-archive"
    if "META-INF/MANIFEST.MF" in names and any(name.endswith(".class") for name in names):
        return "application/java-archive"
    if "mimetype" in names and package.getinfo("mimetype").file_size < 128:
        entry = package.getinfo("mimetype")
        if _is_readable(entry):
            told = _content(package, entry, reading).decode("ascii", "replace").strip()
            if told.startswith(("application/vnd.oasis.opendocument.", "application/epub+zip")):
                _refuse_secret_parts(package, names, reading)
                return told
    return ZIP


def _is_readable(entry: zipfile.ZipInfo) -> bool:
    return not entry.flag_bits & _SECRET_BITS and entry.compress_type in _METHODS


def _refuse_secret_parts(package: zipfile.ZipFile, names: frozenset[str], reading: Reading) -> None:
    """Stop at an OpenDocument file whose manifest tells of encrypted parts (ODF 1.3, part 2)."""
    if "META-INF/manifest.xml" in names:
        entry = package.getinfo("META-INF/manifest.xml")
        if _is_readable(entry) and b"encryption-data" in _content(package, entry, reading):
            reading.note(Reason.ENCRYPTED)


def _check_covered(
    package: zipfile.ZipFile, entries: list[zipfile.ZipInfo], reading: Reading
) -> None:
    """Note a file of which a good part belongs to no entry of the directory."""
    listed = package.infolist()
    told = sum(one.compress_size + len(one.filename) + _LOCAL_HEADER_BYTES for one in listed)
    slack = _SLACK_BYTES + 256 * len(entries)
    if package.start_dir - told > slack:
        reading.note(Reason.ENCODED_DATA)
