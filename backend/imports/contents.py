"""Owns the files inside an export: which there are, and their bytes.

It never unpacks to a disk, never follows a path, and never holds more than one file.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from typing import IO

from backend.imports.mms_files import MmsFiles
from contract.imports.messages_zip import attachments_in, is_zipped
from contract.imports.model import ImportedChat, ImportRefused, Source
from contract.imports.telegram_zip import files_beside
from contract.imports.whatsapp_zip import ARCHIVE_FAULTS, MOST_UNPACKED_BYTES

_BESIDE = {Source.TELEGRAM_JSON: files_beside, Source.IMESSAGE: attachments_in}
_ZIPPED = frozenset({Source.WHATSAPP_TEXT, *_BESIDE})
MOST_FILE_BYTES = 100 * 1024 * 1024
_NAMED_TOO_OFTEN = (
    "The messages of this chat name the files beside it so often that they would take more than "
    "any phone holds: it is not taken."
)


class ExportFiles:
    """The files beside a chat's text; formats that hold none have none."""

    def __init__(self, file: IO[bytes], chat: ImportedChat) -> None:
        """`file` is the original; it must stay open as long as this is used.

        Raises ImportRefused where keeping a file for each message that names it takes too much.
        """
        self._archive: zipfile.ZipFile | None = None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._parts: MmsFiles | None = None
        if chat.source is Source.SMS_BACKUP:
            self._parts = MmsFiles(file, _named(chat), MOST_FILE_BYTES)
        if chat.source not in _ZIPPED or not zipfile.is_zipfile(file):
            return
        if chat.source is Source.IMESSAGE and not is_zipped(file):
            return  # a database may end as an archive does
        self._archive, named = zipfile.ZipFile(file), _named(chat)
        if chat.source in _BESIDE:
            beside = _BESIDE[chat.source](self._archive)
            self._entries = {name: beside[name] for name in named if name in beside}
        else:
            for entry in self._archive.infolist():
                base = entry.filename.replace("\\", "/").rsplit("/", 1)[-1]
                if base in named and not entry.is_dir():
                    self._entries.setdefault(base, entry)
        if self._kept_bytes(chat) > MOST_UNPACKED_BYTES:
            raise ImportRefused(_NAMED_TOO_OFTEN)

    def __len__(self) -> int:
        """Return how many files the chat's messages name that are here and not too large."""
        if self._parts is not None:
            return len(self._parts)
        return sum(entry.file_size <= MOST_FILE_BYTES for entry in self._entries.values())

    def __contains__(self, name: object) -> bool:
        """Tell whether a file that the chat's messages name is here and not too large."""
        if self._parts is not None:
            return name in self._parts
        entry = self._entries.get(name) if isinstance(name, str) else None
        return entry is not None and entry.file_size <= MOST_FILE_BYTES

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, None for one that is not here, damaged, locked or too large."""
        if self._parts is not None:
            return self._parts.read(name)
        entry = self._entries.get(name)
        if self._archive is None or entry is None or entry.file_size > MOST_FILE_BYTES:
            return None
        try:
            with self._archive.open(entry) as opened:
                content = opened.read(MOST_FILE_BYTES + 1)
        except ARCHIVE_FAULTS:
            return None
        return content if 0 < len(content) <= MOST_FILE_BYTES else None

    def _kept_bytes(self, chat: ImportedChat) -> int:
        """Return how much is kept: a file as often as messages name it."""
        often = Counter(name for message in chat.messages for name in message.files)
        return sum(
            often[name] * entry.file_size
            for name, entry in self._entries.items()
            if entry.file_size <= MOST_FILE_BYTES
        )


def _named(chat: ImportedChat) -> frozenset[str]:
    return frozenset(name for message in chat.messages for name in message.files)
