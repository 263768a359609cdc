"""Reads a zipped folder of Apple's Messages: its chat.db, and the attachments that lie beside.

It never unpacks to a disk, and takes no archive that holds more than one such database.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import IO, NamedTuple

from contract.imports.database import MOST_BYTES
from contract.imports.model import ImportRefused
from contract.imports.whatsapp_zip import (
    ARCHIVE_FAULTS,
    MOST_ENTRIES,
    MOST_UNPACKED_BYTES,
    check_directory,
)

DATABASE = "chat.db"
FOLDER = "Attachments/"
_ZIP = b"PK\x03\x04"
_DAMAGED = (
    "This archive is damaged or locked with a password. Zip chat.db and Attachments once more."
)
_TOO_LARGE = (
    "This archive is larger than what can be imported. Choose chat.db alone: then the names of the "
    "files come in, without the files."
)
_NEWER = (
    "The newest messages may lie in the file chat.db-wal of this archive, which is not read. Quit "
    'Messages, or copy both into one with `sqlite3 chat.db ".backup copy.db"`, and zip that as '
    "chat.db with the folder Attachments."
)
_ONE_ONLY = "This archive holds several databases of Messages. Zip one with its Attachments alone."


def is_zipped(file: IO[bytes]) -> bool:
    """Tell whether a file begins as an archive does."""
    file.seek(0)
    head = file.read(len(_ZIP))
    file.seek(0)
    return head == _ZIP


def holds_messages(file: IO[bytes]) -> bool:
    """Tell whether a file is an archive with a chat.db; reads its directory alone."""
    try:
        if not is_zipped(file):
            return False
        check_directory(file)
        with zipfile.ZipFile(file) as archive:
            return any(_is_database(entry) for entry in archive.infolist())
    except (ImportRefused, *ARCHIVE_FAULTS):
        return False  # whoever reads it says what is wrong
    finally:
        file.seek(0)


class ZippedMessages(NamedTuple):
    """An archive's chat.db, in memory, the names of the files beside it, and what is to be told."""

    database: IO[bytes]
    names: frozenset[str]
    notes: tuple[str, ...]


def database_in(file: IO[bytes]) -> ZippedMessages:
    """Return what an archive holds of Messages; raises ImportRefused."""
    check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            entry = _database_entry(archive)
            with archive.open(entry) as opened:
                content = opened.read(MOST_BYTES + 1)
            has_log = any(_is_log(each, entry) for each in archive.infolist())
            names = frozenset(attachments_in(archive))
            return ZippedMessages(io.BytesIO(content), names, (_NEWER,) * has_log)
    except ARCHIVE_FAULTS as error:
        raise ImportRefused(_DAMAGED) from error


def attachments_in(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return an archive's attachments by the names that `name_beside` gives them.

    Raises ImportRefused.
    """
    folder = _slashed(_database_entry(archive)).removesuffix(DATABASE) + FOLDER
    found = {}
    for entry in archive.infolist():
        path = _slashed(entry)
        if path.startswith(folder) and not entry.is_dir():
            found[name_beside(path)] = entry
    return found


def name_beside(path: str) -> str:
    """Return the one name of an attachment by its path on the Mac or in the archive.

    Many attachments are called IMG_0001.jpeg: the folder each lies in tells them apart. Empty for
    a path that leads nowhere below Attachments.
    """
    _, found, within = path.replace("\\", "/").rpartition(FOLDER)
    if not found or not within.rsplit("/", 1)[-1]:
        return ""
    digest = hashlib.sha256(within.encode("utf-8", "replace")).hexdigest()
    return f"{digest[:8]}-{within.rsplit('/', 1)[-1]}"


def _database_entry(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    entries = archive.infolist()
    unpacked_bytes = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked_bytes > MOST_UNPACKED_BYTES:
        raise ImportRefused(_TOO_LARGE)
    found = [entry for entry in entries if _is_database(entry)]
    if len(found) != 1:
        raise ImportRefused(_ONE_ONLY)
    if found[0].file_size > MOST_BYTES:
        raise ImportRefused(_TOO_LARGE)
    return found[0]


def _is_database(entry: zipfile.ZipInfo) -> bool:
    path = _slashed(entry)
    return path.rsplit("/", 1)[-1] == DATABASE and not path.startswith("__MACOSX/")


def _is_log(entry: zipfile.ZipInfo, database: zipfile.ZipInfo) -> bool:
    return entry.filename == f"{database.filename}-wal" and entry.file_size > 0


def _slashed(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/")
