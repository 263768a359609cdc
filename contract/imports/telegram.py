"""Reads Telegram Desktop's export in JSON: one chat, or all of an account.

It never reads the HTML export, which leaves out what the JSON holds.

Format: the `result.json` of Telegram Desktop's "Export chat history" (machine-readable JSON).
"""

from __future__ import annotations

import re
import sys
import zipfile
from typing import IO, Annotated

import msgspec

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
from contract.imports.telegram_zip import result_in

MOST_BYTES = 1024**3
_NOT_INCLUDED = "(File "
_BAD_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})")
_DELETED_ACCOUNT = "Deleted Account"
_GROUPS = frozenset(
    {
        "private_group",
        "private_supergroup",
        "public_supergroup",
        "private_channel",
        "public_channel",
    }
)
_Number = Annotated[str | int, msgspec.Meta(description="Written as a number or in quotes.")]


class _Piece(msgspec.Struct):
    text: str = ""


class _Recent(msgspec.Struct):
    sender: str | None = msgspec.field(default=None, name="from")
    from_id: str = ""


class _Reaction(msgspec.Struct):
    emoji: str = ""
    recent: list[_Recent] = []


class _Answer(msgspec.Struct):
    text: str = ""


class _Poll(msgspec.Struct):
    question: str = ""
    answers: list[_Answer] = []


class _Message(msgspec.Struct):
    id: int
    type: str = "message"
    date_unixtime: _Number = ""
    edited_unixtime: _Number = ""
    sender: str | None = msgspec.field(default=None, name="from")
    from_id: str | None = None
    actor: str | None = None
    action: str = ""
    text: str | list[str | _Piece] = ""
    photo: str = ""
    file: str = ""
    thumbnail: str = ""
    sticker_emoji: str = ""
    media_type: str = ""
    contact_information: msgspec.Raw | None = None
    location_information: msgspec.Raw | None = None
    poll: _Poll | None = None
    reply_to_message_id: int | None = None
    forwarded_from: str | None = None
    reactions: list[_Reaction] = []


class _Bare(msgspec.Struct):
    id: int
    type: str = "message"
    date_unixtime: _Number = ""
    sender: str | None = msgspec.field(default=None, name="from")
    from_id: str | None = None


class _Chat(msgspec.Struct):
    id: int
    messages: list[msgspec.Raw]
    name: str | None = None
    type: str = ""


class _Chats(msgspec.Struct):
    every: list[_Chat] = msgspec.field(default_factory=list, name="list")


class _Person(msgspec.Struct):
    user_id: int | None = None
    first_name: str = ""
    last_name: str = ""


class _Account(msgspec.Struct):
    chats: _Chats
    personal_information: _Person = msgspec.field(default_factory=_Person)


def read_telegram(file: IO[bytes]) -> tuple[ImportedChat, ...]:
    """Return the chats of an export with at least one message; raises ImportRefused.

    `file` is a result.json, or the zipped folder that holds one with its files.
    """
    packed = zipfile.is_zipfile(file)
    file.seek(0)
    content = result_in(file) if packed else file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ImportRefused("This export is larger than 1 GB: export a shorter time of it.")
    content = _BAD_ESCAPE.sub(rb"\1\\u00\2", content)
    try:
        chats, owner = _decoded(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ImportRefused(
            "This is not the JSON that Telegram Desktop exports. In Telegram Desktop choose "
            "“Export chat history”, format “Machine-readable JSON”, and take its result.json."
        ) from error
    return tuple(_chat(each, owner) for each in chats if each.messages)


def _decoded(content: bytes) -> tuple[list[_Chat], int | None]:
    try:
        return [msgspec.json.decode(content, type=_Chat)], None
    except msgspec.ValidationError:
        account = msgspec.json.decode(content, type=_Account)
        return account.chats.every, account.personal_information.user_id


def _chat(chat: _Chat, owner: int | None) -> ImportedChat:
    own_id = "" if owner is None else f"user{owner}"
    messages, unread = [], 0
    told, chat.messages = chat.messages, []
    told.reverse()
    while told:  # each is let go once it is read
        message = _read(told.pop(), own_id)
        if message is None:
            unread += 1
        else:
            messages.append(message)
    said = tuple(messages)
    left_out = sum(message.missing_files for message in said)
    notes = []
    if left_out:
        notes.append(f"{left_out} files were left out when the chat was exported.")
    if unread:
        notes.append(f"{unread} messages tell no time or no number and could not be placed.")
    return ImportedChat(
        source=Source.TELEGRAM_JSON,
        key=str(chat.id),
        title=chat.name or _DELETED_ACCOUNT,
        messages=said,
        participants=participants_of(said),
        owner=next((message.sender for message in said if message.outgoing), ""),
        is_group=chat.type in _GROUPS,
        notes=tuple(notes),
    )


def _read(raw: msgspec.Raw, own_id: str) -> ImportedMessage | None:
    """Return a message, without words if it has an unknown shape: one such hides no other."""
    try:
        return _message(msgspec.json.decode(raw, type=_Message), own_id)
    except msgspec.ValidationError:
        pass
    try:
        bare = msgspec.json.decode(raw, type=_Bare)
    except msgspec.ValidationError:
        return None
    known = _Message(id=bare.id, type=bare.type, date_unixtime=bare.date_unixtime)
    known.sender, known.from_id = bare.sender, bare.from_id
    return _message(known, own_id)


def _message(message: _Message, own_id: str) -> ImportedMessage | None:
    at_utc_ms = _utc_ms(message.date_unixtime)
    if at_utc_ms is None:
        return None
    named = [path for path in (message.photo, message.file) if path]
    files = tuple(path for path in named if not path.startswith(_NOT_INCLUDED))
    by_app = message.type != "message"
    return ImportedMessage(
        at_utc_ms=at_utc_ms,
        sender=sys.intern("" if by_app else message.sender or message.from_id or _DELETED_ACCOUNT),
        text=_service_text(message) if by_app else _text(message),
        kind=_kind(message),
        outgoing=message.from_id == own_id if own_id and not by_app else None,
        files=files,
        missing_files=len(named) - len(files),
        # A first reaction sets this time, too: it says when, never that the text changed.
        edited_at_utc_ms=_utc_ms(message.edited_unixtime),
        native_id=str(message.id),
        quoted_native_id=str(message.reply_to_message_id or ""),
        reactions=tuple(
            ImportedReaction(sender=one.sender or one.from_id, emoji=reaction.emoji)
            for reaction in message.reactions
            for one in reaction.recent
            if reaction.emoji
        ),
    )


def _utc_ms(told: _Number) -> int | None:
    try:
        at_utc_ms = int(told) * 1000
    except ValueError:
        return None
    return at_utc_ms if is_placeable(at_utc_ms) else None


def _kind(message: _Message) -> ImportedKind:
    if message.type == "message":
        return ImportedKind.MESSAGE
    return ImportedKind.CALL if message.action == "phone_call" else ImportedKind.SYSTEM


def _text(message: _Message) -> str:
    pieces = [message.text] if isinstance(message.text, str) else message.text
    text = "".join(piece if isinstance(piece, str) else piece.text for piece in pieces)
    said = text or message.sticker_emoji
    if not said and message.location_information is not None:
        said = f"Location: {_plain(message.location_information)}"
    if not said and message.contact_information is not None:
        said = f"Contact: {_plain(message.contact_information)}"
    if not said and message.poll is not None:
        answers = (f"· {answer.text}" for answer in message.poll.answers)
        said = "\n".join((f"Poll: {message.poll.question}", *answers))
    return f"Forwarded from {message.forwarded_from}:\n{said}" if message.forwarded_from else said


def _service_text(message: _Message) -> str:
    words = message.action.replace("_", " ")
    text = _text(message)
    return " ".join(part for part in (message.actor or "", words, text) if part)


def _plain(raw: msgspec.Raw) -> str:
    fields = msgspec.json.decode(raw)
    if not isinstance(fields, dict):
        return str(fields)
    return ", ".join(str(value) for value in fields.values())
