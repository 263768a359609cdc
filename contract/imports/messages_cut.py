"""Owns the cutting of one chat out of a zipped folder of Messages, with that chat's files alone.

It never unpacks to a disk, and takes along no file that the chat does not name.
"""

from __future__ import annotations

import zipfile
from contextlib import closing
from typing import IO

from contract.imports.database import opened
from contract.imports.imessage import cut_imessage, imessage_chats
from contract.imports.messages_zip import DATABASE, FOLDER, attachments_in, database_in
from contract.imports.model import ImportRefused
from contract.imports.whatsapp_zip import ARCHIVE_FAULTS

_PIECE_BYTES = 1024 * 1024
_DAMAGED = "This archive is damaged. Zip chat.db and its folder Attachments once more."


def cut_messages_zip(file: IO[bytes], key: str, to: IO[bytes]) -> None:
    """Write an archive of the one chat `key`: the same chat and files give the same bytes.

    `to` must be seekable. Raises ImportRefused.
    """
    zipped = database_in(file)
    with closing(opened(zipped.database, _DAMAGED)) as connection:
        named = {
            name
            for chat in imessage_chats(connection, zipped.names)
            if chat.key == key
            for message in chat.messages
            for name in message.files
        }
        database = cut_imessage(connection, key)
    try:
        with zipfile.ZipFile(file) as archive, zipfile.ZipFile(to, "w") as made:
            made.writestr(zipfile.ZipInfo(DATABASE), database)
            beside = attachments_in(archive)
            for name in sorted(named & beside.keys()):
                _copy(archive, beside[name], made)
    except ARCHIVE_FAULTS as error:
        raise ImportRefused(_DAMAGED) from error


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, made: zipfile.ZipFile) -> None:
    """Copy a file in pieces, as it is named below the folder of attachments."""
    within = entry.filename.replace("\\", "/").rpartition(FOLDER)[2]
    place = zipfile.ZipInfo(FOLDER + within)
    place.file_size = entry.file_size
    with archive.open(entry) as source, made.open(place, "w") as sink:
        while piece := source.read(_PIECE_BYTES):
            sink.write(piece)
