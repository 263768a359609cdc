"""Reads the chat.db of Apple's Messages: its chats, tapbacks, edits and messages taken back.

It never reads attachments' bytes, which lie beside the database, on the Mac or in an archive.

Schema: as seen in databases of macOS 13 to 15; columns that are missing count as empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from typing import IO

import msgspec

from contract.imports.database import (
    DatabaseFault,
    Readable,
    Row,
    columns_of,
    opened,
    rows_of,
    written,
)
from contract.imports.messages_zip import database_in, is_zipped, name_beside
from contract.imports.model import (
    ImportedChat,
    ImportedKind,
    ImportedMessage,
    ImportedReaction,
    ImportRefused,
    Source,
    participants_of,
)
from contract.imports.typed_text import text_of_typedstream

_REFUSED = (
    "This is not the database of Messages. On the Mac quit Messages, then choose a copy of "
    "chat.db in the folder Library/Messages of your home."
)
_EPOCH_2001_S = 978_307_200
_LATEST_IN_SECONDS = 10**11
_GROUP_STYLE = 43
_TAPBACKS = {2000: "❤️", 2001: "👍", 2002: "👎", 2003: "😂", 2004: "‼️", 2005: "❓"}
_EMOJI_TAPBACK, _STICKER_TAPBACK = 2006, 2007
_TAKEN_BACK = 1000  # what a tapback's number grows by when it is removed
_ATTACHMENT_PLACE = "\ufffc"
_CHATS = ("ROWID", "guid", "chat_identifier", "display_name", "style")
_HANDLES = ("ROWID", "id")
_MESSAGES = (
    "ROWID",
    "guid",
    "text",
    "attributedBody",
    "subject",
    "handle_id",
    "is_from_me",
    "date",
    "date_edited",
    "date_retracted",
    "item_type",
    "group_title",
    "associated_message_guid",
    "associated_message_type",
    "associated_message_emoji",
    "thread_originator_guid",
)
_ATTACHMENTS = ("ROWID", "transfer_name", "filename")
_CHAT_MESSAGES = ("chat_id", "message_id")
_CHAT_HANDLES = ("chat_id", "handle_id")
_FILES_OF = ("message_id", "attachment_id")


def read_imessage(file: IO[bytes]) -> tuple[ImportedChat, ...]:
    """Return the chats of a chat.db, alone, cut, or zipped with its files; raises ImportRefused."""
    if not is_zipped(file):
        with closing(opened(file, _REFUSED)) as connection:
            return imessage_chats(connection)
    zipped = database_in(file)
    with closing(opened(zipped.database, _REFUSED)) as connection:
        chats = imessage_chats(connection, zipped.names)
    return tuple(msgspec.structs.replace(chat, notes=zipped.notes) for chat in chats)


def imessage_chats(
    connection: Readable, beside: frozenset[str] = frozenset()
) -> tuple[ImportedChat, ...]:
    """Return the chats of an open database; raises ImportRefused.

    `beside` are the files that came along, as `name_beside` names them; they are named so.
    """
    try:
        if not {"guid", "date"} <= columns_of(connection, "message"):
            raise ImportRefused(_REFUSED)
        handles = {
            row["ROWID"]: _plain(row["id"]) for row in _table(connection, "handle", _HANDLES)
        }
        found = (
            _chat(connection, row, handles, beside)
            for row in list(rows_of(connection, "chat", _CHATS, "ORDER BY ROWID"))
        )
        return tuple(chat for chat in found if chat.messages)
    except DatabaseFault as error:
        raise ImportRefused(_REFUSED) from error


def cut_imessage(connection: Readable, key: str) -> bytes:
    """Return a database of the one chat `key` alone: the same chat gives the same bytes."""
    chat = [row for row in rows_of(connection, "chat", _CHATS) if _plain(row["guid"]) == key]
    if len(chat) != 1:
        raise ImportRefused("The chat that was chosen is not in this file.")
    number = chat[0]["ROWID"]
    mine = "WHERE chat_id = ? ORDER BY 2"
    said = "WHERE ROWID IN (SELECT message_id FROM chat_message_join WHERE chat_id = ?)"
    files = "WHERE message_id IN (SELECT message_id FROM chat_message_join WHERE chat_id = ?)"
    messages = list(rows_of(connection, "message", _MESSAGES, f"{said} ORDER BY ROWID", number))
    joins = list(rows_of(connection, "message_attachment_join", _FILES_OF, files, number))
    joined = list(rows_of(connection, "chat_handle_join", _CHAT_HANDLES, mine, number))
    people = {row["handle_id"] for row in (*messages, *joined)}
    named = {row["attachment_id"] for row in joins}
    every = [row for row in _table(connection, "handle", _HANDLES) if row["ROWID"] in people]
    held = [r for r in _table(connection, "attachment", _ATTACHMENTS) if r["ROWID"] in named]
    spoken = list(rows_of(connection, "chat_message_join", _CHAT_MESSAGES, mine, number))
    return written(
        {
            "chat": (_CHATS, chat),
            "handle": (_HANDLES, every),
            "message": (_MESSAGES, messages),
            "attachment": (_ATTACHMENTS, held),
            "chat_message_join": (_CHAT_MESSAGES, spoken),
            "chat_handle_join": (_CHAT_HANDLES, joined),
            "message_attachment_join": (_FILES_OF, sorted(joins, key=lambda r: tuple(r.values()))),
        }
    )


def _chat(
    connection: Readable, chat: Row, handles: dict[int, str], beside: frozenset[str]
) -> ImportedChat:
    number = chat["ROWID"]
    said = "WHERE ROWID IN (SELECT message_id FROM chat_message_join WHERE chat_id = ?)"
    rows = list(rows_of(connection, "message", _MESSAGES, f"{said} ORDER BY date, ROWID", number))
    files = _files(connection, number, beside)
    reactions = _reactions(rows, handles)
    messages = tuple(
        _message(row, handles, files, reactions.get(_plain(row["guid"]), ()))
        for row in rows
        if not _is_tapback(row)
    )
    members = [
        handles.get(row["handle_id"], "")
        for row in rows_of(
            connection, "chat_handle_join", _CHAT_HANDLES, "WHERE chat_id = ?", number
        )
    ]
    people = tuple(dict.fromkeys((*participants_of(messages), *filter(None, members))))
    return ImportedChat(
        source=Source.IMESSAGE,
        key=_plain(chat["guid"]) or str(number),
        title=_plain(chat["display_name"]) or _plain(chat["chat_identifier"]),
        messages=messages,
        participants=people,
        is_group=chat["style"] == _GROUP_STYLE or len(people) > 1,
    )


def _message(
    row: Row, handles: dict[int, str], files: dict[int, tuple[str, ...]], reactions: object
) -> ImportedMessage:
    outgoing = bool(row["is_from_me"])
    text = _text(row)
    named = files.get(row["ROWID"], ())
    edited_at = _utc_ms(row["date_edited"])
    kind = ImportedKind.MESSAGE
    if row["item_type"]:
        kind, text = ImportedKind.SYSTEM, text or _group_words(row)
    elif _utc_ms(row["date_retracted"]) or (edited_at and not text and not named):
        kind = ImportedKind.DELETED
    return ImportedMessage(
        at_utc_ms=_utc_ms(row["date"]) or 0,
        sender="" if outgoing or row["item_type"] else handles.get(row["handle_id"], "unknown"),
        text=text,
        kind=kind,
        outgoing=outgoing,
        files=named,
        edited=bool(edited_at) and kind is ImportedKind.MESSAGE,
        edited_at_utc_ms=edited_at,
        native_id=_plain(row["guid"]),
        quoted_native_id=_plain(row["thread_originator_guid"]),
        reactions=reactions if isinstance(reactions, tuple) else (),
    )


def _text(row: Row) -> str:
    text = row["text"] if isinstance(row["text"], str) else None
    if not text and isinstance(row["attributedBody"], bytes):
        text = text_of_typedstream(row["attributedBody"])
    said = (text or "").replace(_ATTACHMENT_PLACE, "").strip()
    return "\n".join(each for each in (_plain(row["subject"]), said) if each)


def _reactions(rows: list[Row], handles: dict[int, str]) -> dict[str, tuple[ImportedReaction, ...]]:
    """Return the tapbacks that stand, by message: each person's newest one."""
    newest: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if not _is_tapback(row):
            continue
        target = _plain(row["associated_message_guid"]).rsplit("/", 1)[-1].removeprefix("bp:")
        sender = "" if row["is_from_me"] else handles.get(row["handle_id"], "unknown")
        kind = int(row["associated_message_type"])
        if kind >= 2000 + _TAKEN_BACK:
            newest[target].pop(sender, None)
        else:
            emoji = _TAPBACKS.get(kind) or _plain(row["associated_message_emoji"]) or "🏷️"
            newest[target][sender] = emoji
    return {
        target: tuple(ImportedReaction(sender=who, emoji=emoji) for who, emoji in by.items())
        for target, by in newest.items()
    }


def _is_tapback(row: Row) -> bool:
    kind = row["associated_message_type"]
    return isinstance(kind, int) and (
        2000 <= kind <= _STICKER_TAPBACK or 3000 <= kind <= _STICKER_TAPBACK + _TAKEN_BACK
    )


def _files(
    connection: Readable, chat_id: int, beside: frozenset[str]
) -> dict[int, tuple[str, ...]]:
    names = {
        row["ROWID"]: _file_name(row, beside)
        for row in _table(connection, "attachment", _ATTACHMENTS)
    }
    found: dict[int, tuple[str, ...]] = {}
    where = "WHERE message_id IN (SELECT message_id FROM chat_message_join WHERE chat_id = ?)"
    for row in rows_of(connection, "message_attachment_join", _FILES_OF, where, chat_id):
        name = names.get(row["attachment_id"]) or "file"
        found[row["message_id"]] = (*found.get(row["message_id"], ()), name)
    return found


def _file_name(row: Row, beside: frozenset[str]) -> str:
    path = _plain(row["filename"])
    held = name_beside(path)
    if held in beside:
        return held
    return (_plain(row["transfer_name"]) or path).rsplit("/", 1)[-1]


def _group_words(row: Row) -> str:
    title = _plain(row["group_title"])
    return f"The group was named “{title}”." if title else "The group's members changed."


def _utc_ms(told: object) -> int | None:
    """Return a time since 2001 (seconds before macOS 10.13, then nanoseconds) in Unix ms."""
    if not isinstance(told, int) or told <= 0:
        return None
    since_ms = told * 1000 if told < _LATEST_IN_SECONDS else told // 1_000_000
    return since_ms + _EPOCH_2001_S * 1000


def _table(connection: Readable, table: str, names: tuple[str, ...]) -> Iterator[Row]:
    return rows_of(connection, table, names, "ORDER BY ROWID")


def _plain(told: object) -> str:
    return told if isinstance(told, str) else ""
