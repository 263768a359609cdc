"""Reads the database of Signal Desktop, once it is decrypted: its chats, reactions and quotes.

It never sees a key, and never reads attachments' bytes, which lie beside the database.

Schema: as seen in databases of Signal Desktop 6 and 7; it is no interface of Signal's.
"""

from __future__ import annotations

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
from contract.imports.model import (
    ImportedChat,
    ImportedKind,
    ImportedMessage,
    ImportedReaction,
    ImportRefused,
    Source,
    is_placeable,
    participants_of,
)

_REFUSED = (
    "This is not the decrypted database of Signal Desktop, or one of a version that Parley does "
    "not know."
)
_CONVERSATIONS = (
    "id", "type", "name", "profileFullName", "profileName", "e164", "serviceId", "uuid",
)  # fmt: skip
_MESSAGES = (
    "id", "json", "conversationId", "sent_at", "type", "body", "sourceServiceId", "sourceUuid",
    "source", "isErased",
)  # fmt: skip
_SOURCES = ("sourceServiceId", "sourceUuid")
_SPOKEN = frozenset({"incoming", "outgoing"})
_SILENT = frozenset(
    {"profile-change", "verified-change", "keychange", "universal-timer-notification"}
)


class _File(msgspec.Struct):
    fileName: str | None = None
    contentType: str | None = None


class _Reaction(msgspec.Struct):
    emoji: str | None = None
    fromId: str | None = None


class _Quote(msgspec.Struct):
    id: int | float | None = None


class _Told(msgspec.Struct):
    body: str | None = None
    attachments: list[_File] = []
    reactions: list[_Reaction] = []
    quote: _Quote | None = None
    deletedForEveryone: bool | None = None
    editMessageTimestamp: int | float | None = None


def read_signal(file: IO[bytes]) -> tuple[ImportedChat, ...]:
    """Return the chats of what `cut_signal` made, or of a decrypted copy; raises ImportRefused."""
    with closing(opened(file, _REFUSED)) as connection:
        return signal_chats(connection)


def signal_chats(connection: Readable) -> tuple[ImportedChat, ...]:
    """Return the chats of an open, decrypted database; raises ImportRefused."""
    try:
        if not {"conversationId", "sent_at"} <= columns_of(connection, "messages"):
            raise ImportRefused(_REFUSED)
        people = list(rows_of(connection, "conversations", _CONVERSATIONS, "ORDER BY id"))
        names = _names(people) | dict.fromkeys(_own_ids(connection), "")
        found = (_chat(connection, row, names) for row in people)
        return tuple(chat for chat in found if chat.messages)
    except DatabaseFault as error:
        raise ImportRefused(_REFUSED) from error


def cut_signal(connection: Readable, key: str) -> bytes:
    """Return a plain database of the one chat `key`; of other people only those who wrote in it."""
    said = "WHERE conversationId = ? ORDER BY sent_at, id"
    messages = list(rows_of(connection, "messages", _MESSAGES, said, key))
    every = list(rows_of(connection, "conversations", _CONVERSATIONS, "ORDER BY id"))
    wrote = {
        value
        for row in messages
        for value in (row["sourceServiceId"], row["sourceUuid"], row["source"])
        if value
    }
    wrote |= {each.fromId for row in messages for each in _told(row).reactions if each.fromId}
    kept = [
        row
        for row in every
        if row["id"] == key or wrote & {row["id"], row["serviceId"], row["uuid"], row["e164"]}
    ]
    if not any(row["id"] == key for row in kept):
        raise ImportRefused("The chat that was chosen is not in this file.")
    return written({"conversations": (_CONVERSATIONS, kept), "messages": (_MESSAGES, messages)})


def _chat(connection: Readable, chat: Row, names: dict[str, str]) -> ImportedChat:
    said = "WHERE conversationId = ? ORDER BY sent_at, id"
    rows = list(rows_of(connection, "messages", _MESSAGES, said, chat["id"]))
    is_group = chat["type"] == "group"
    by_time = {row["sent_at"]: str(row["id"]) for row in rows}
    messages = tuple(
        _message(row, _told(row), chat, names, by_time)
        for row in rows
        if row["type"] not in _SILENT
    )
    title = names.get(str(chat["id"]), "")
    members = () if is_group else (title,)
    return ImportedChat(
        source=Source.SIGNAL_DESKTOP,
        key=str(chat["id"]),
        title=title,
        messages=messages,
        participants=tuple(dict.fromkeys((*participants_of(messages), *filter(None, members)))),
        is_group=is_group,
    )


def _message(
    row: Row, told: _Told, chat: Row, names: dict[str, str], by_time: dict[object, str]
) -> ImportedMessage:
    outgoing = row["type"] == "outgoing"
    spoken = row["type"] in _SPOKEN
    quoted = told.quote.id if told.quote is not None else None
    text = row["body"] if isinstance(row["body"], str) else told.body or ""
    kind = ImportedKind.MESSAGE if spoken else ImportedKind.SYSTEM
    if row["type"] == "call-history":
        kind = ImportedKind.CALL
    elif spoken and told.deletedForEveryone:
        kind = ImportedKind.DELETED
    return ImportedMessage(
        at_utc_ms=_utc_ms(row["sent_at"]),
        sender=_sender(row, chat, names) if spoken and not outgoing else "",
        text=text if spoken else text or str(row["type"] or "note").replace("-", " "),
        kind=kind,
        outgoing=outgoing,
        files=tuple(each.fileName or each.contentType or "file" for each in told.attachments),
        edited=told.editMessageTimestamp is not None,
        native_id=str(row["id"]),
        quoted_native_id=by_time.get(quoted, "") if quoted is not None else "",
        reactions=tuple(
            ImportedReaction(sender=names.get(each.fromId or "", "unknown"), emoji=each.emoji)
            for each in told.reactions
            if each.emoji
        ),
    )


def _utc_ms(told: object) -> int:
    """Return a time, 0 for one that is none: the message is kept."""
    return int(told) if isinstance(told, int | float) and is_placeable(told) else 0


def _sender(row: Row, chat: Row, names: dict[str, str]) -> str:
    for told in (row["sourceServiceId"], row["sourceUuid"], row["source"]):
        if told and str(told) in names:
            return names[str(told)]
    return names.get(str(chat["id"]), "") or "unknown" if chat["type"] != "group" else "unknown"


def _own_ids(connection: Readable) -> set[str]:
    """Return the ids under which Signal knows the owner: those of outgoing messages."""
    rows = rows_of(connection, "messages", _SOURCES, "WHERE type = 'outgoing'")
    return {str(told) for row in rows for told in row.values() if told}


def _names(people: list[Row]) -> dict[str, str]:
    """Return the name Signal shows, by every id it knows somebody by."""
    found: dict[str, str] = {}
    for row in people:
        parts = (row["name"], row["profileFullName"], row["profileName"], row["e164"], row["id"])
        name = next((str(each) for each in parts if each), "")
        for told in (row["id"], row["serviceId"], row["uuid"], row["e164"]):
            if told:
                found.setdefault(str(told), name)
    return found


def _told(row: Row) -> _Told:
    try:
        return msgspec.json.decode(row["json"] or "{}", type=_Told, strict=False)
    except (msgspec.DecodeError, TypeError, UnicodeError, RecursionError):
        return _Told()
