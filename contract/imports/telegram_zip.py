"""Reads a zipped folder of Telegram Desktop's export: its result.json, and which files lie beside.

It never unpacks to a disk, and takes no archive that holds more than one export.
"""

from __future__ import annotations

import zipfile
from typing import IO

from contract.imports.model import ImportRefused
from contract.imports.whatsapp_zip import (
    ARCHIVE_FAULTS,
    MOST_ENTRIES,
    MOST_TEXT_BYTES,
    MOST_UNPACKED_BYTES,
    check_directory,
)

RESULT = "result.json"
_DAMAGED = "This archive is damaged or locked with a password. Zip the export's folder once more."
_TOO_LARGE = "This archive is larger than any chat's export: it is not taken."
_ONE_ONLY = "This archive holds several exports. Zip the folder of one export alone."


def holds_telegram(file: IO[bytes]) -> bool:
    """Tell whether a file is an archive with Telegram's result.json; reads its directory alone."""
    try:
        if not zipfile.is_zipfile(file):
            return False
        check_directory(file)
        with zipfile.ZipFile(file) as archive:
            return any(_is_result(name) for name in archive.namelist())
    except (ImportRefused, *ARCHIVE_FAULTS):
        return False  # whoever reads it says what is wrong
    finally:
        file.seek(0)


def result_in(file: IO[bytes]) -> bytes:
    """Return the bytes of an archive's result.json; raises ImportRefused."""
    check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            unpacked_bytes = sum(entry.file_size for entry in entries)
            if len(entries) > MOST_ENTRIES or unpacked_bytes > MOST_UNPACKED_BYTES:
                raise ImportRefused(_TOO_LARGE)
            with archive.open(_result_entry(entries)) as opened:
                content = opened.read(MOST_TEXT_BYTES + 1)
    except ARCHIVE_FAULTS as error:
        raise ImportRefused(_DAMAGED) from error
    if len(content) > MOST_TEXT_BYTES:
        raise ImportRefused(_TOO_LARGE)
    return content


def files_beside(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return an archive's files by their path from its result.json on, as its messages name them.

    Raises ImportRefused.
    """
    entries = archive.infolist()
    folder = _slashed(_result_entry(entries)).removesuffix(RESULT)
    return {
        _slashed(entry).removeprefix(folder): entry
        for entry in entries
        if not entry.is_dir() and _slashed(entry).startswith(folder)
    }


def _result_entry(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    found = [entry for entry in entries if _is_result(entry.filename)]
    if len(found) != 1:
        raise ImportRefused(_ONE_ONLY)
    if found[0].file_size > MOST_TEXT_BYTES:
        raise ImportRefused(_TOO_LARGE)
    return found[0]


def _is_result(name: str) -> bool:
    slashed = name.replace("\\", "/")
    return slashed.rsplit("/", 1)[-1] == RESULT and not slashed.startswith("__MACOSX/")


def _slashed(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/")
