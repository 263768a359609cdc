"""Owns how the import command opens a file on this computer, and takes one chat out of a database.

It never changes the file, and leaves no copy of it.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import IO

from backend.imports.signal_key import HOW, SignalDatabase, signal_key
from contract.import_wire import MOST_FILE_BYTES
from contract.imports.database import opened
from contract.imports.day_order import DayOrder
from contract.imports.imessage import cut_imessage
from contract.imports.messages_cut import cut_messages_zip
from contract.imports.messages_zip import holds_messages, is_zipped
from contract.imports.model import ImportedChat, ImportRefused, Source
from contract.imports.opening import guessed_source, read_chats
from contract.imports.signal_desktop import cut_signal
from contract.imports.telegram_zip import holds_telegram

_PLAIN = b"SQLite format 3\x00"
_CUTS = {Source.IMESSAGE: cut_imessage, Source.SIGNAL_DESKTOP: cut_signal}
_HEAD_BYTES = 4_096
_UNSURE = (
    "It does not show in the file which app made it: say so with --format, such as "
    "--format imessage_chat_db."
)
_SEVERAL = (
    "This file holds several chats, and all of it would be kept: export the chat with the client "
    "alone, or import it in the app, which takes that chat out of the file."
)
_NEWER = (
    "Messages holds newer messages in a second file beside this one. Quit Messages, or copy both "
    'files into one with `sqlite3 chat.db ".backup copy.db"`, and import the copy.'
)


@dataclass(frozen=True, slots=True)
class Export:
    """An opened export; `of` returns the file that is kept of one chat."""

    name: str
    chats: tuple[ImportedChat, ...]
    of: Callable[[ImportedChat], IO[bytes]]
    close: Callable[[], None]


def open_export(arguments: argparse.Namespace, zone: tzinfo, order: DayOrder | None) -> Export:
    """Read the file that a command names; raises ImportRefused or OSError."""
    path: Path = arguments.file
    if path.stat().st_size > MOST_FILE_BYTES:
        raise ImportRefused("This file is larger than 4 GB: export the chat without its media.")
    if arguments.format == Source.SIGNAL_DESKTOP.value and not _is_plain(path):
        return _signal(arguments, path)
    file = io.BufferedReader(io.FileIO(path, "rb"))
    try:
        source = _source(arguments.format, file)
        if source is Source.IMESSAGE:
            _check_no_log(path)
        file.seek(0)
        chats = read_chats(file, source, path.name, zone, order)
    except BaseException:
        file.close()
        raise
    until_closed = ExitStack()
    until_closed.callback(file.close)
    return Export(
        path.name,
        chats,
        lambda chat: _kept(file, chat, len(chats), until_closed),
        until_closed.close,
    )


def _signal(arguments: argparse.Namespace, path: Path) -> Export:
    if arguments.signal_key_file is None:
        raise ImportRefused("Give Signal's config.json with --signal-key-file. " + HOW)
    secret = arguments.signal_password_file
    password = "" if secret is None else secret.read_text("utf-8").strip()
    database = SignalDatabase(path, signal_key(arguments.signal_key_file.read_bytes(), password))
    try:
        chats = database.chats()
    except BaseException:
        database.close()
        raise
    return Export(path.name, chats, lambda chat: database.cut(chat.key), database.close)


def _kept(file: IO[bytes], chat: ImportedChat, count: int, until_closed: ExitStack) -> IO[bytes]:
    file.seek(0)
    if chat.source is Source.IMESSAGE and is_zipped(file):
        kept = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the export
        until_closed.callback(kept.close)
        cut_messages_zip(file, chat.key, kept)
        return kept
    if count == 1:
        return file
    cut = _CUTS.get(chat.source)
    if cut is None:
        raise ImportRefused(_SEVERAL)
    with closing(opened(file, "This database is damaged.")) as connection:
        return io.BytesIO(cut(connection, chat.key))


def _is_plain(path: Path) -> bool:
    """Tell whether somebody decrypted the database already."""
    with path.open("rb") as file:
        return file.read(len(_PLAIN)) == _PLAIN


def _source(told: str | None, file: IO[bytes]) -> Source:
    if told:
        return Source(told)
    if holds_telegram(file):
        return Source.TELEGRAM_JSON
    if holds_messages(file):
        return Source.IMESSAGE
    found = guessed_source(file.read(_HEAD_BYTES))
    if found is None:
        raise ImportRefused(_UNSURE)
    return found


def _check_no_log(path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise ImportRefused(_NEWER)
