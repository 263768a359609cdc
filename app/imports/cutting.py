"""Cuts one chat out of a file that holds several, so that no other one leaves this computer.

It never changes the file, blocks, and refuses a format that can't be cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.etree.ElementTree import Element, XMLPullParser, tostring

import msgspec

from app.domain.errors import Refused
from contract.imports.model import ImportRefused, Source

_BAD_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})")
_CHUNK_BYTES = 1024 * 1024
_OWN = "insert-address-token"
_SMALLER = (
    "This file holds several chats and can’t be divided here. Export the chat with your client "
    "alone and choose that file."
)


class _Account(msgspec.Struct):
    chats: dict[str, msgspec.Raw]
    personal_information: dict[str, msgspec.Raw] = {}


class _Chat(msgspec.Struct):
    id: int


def cut(path: Path, source: Source, chat_key: str, to: Path) -> None:
    """Write the file that holds nothing but the chat `chat_key` of the one at `path`.

    The same file and chat give the same bytes each time. Raises Refused.
    """
    try:
        if source is Source.TELEGRAM_JSON:
            to.write_bytes(_telegram(path.read_bytes(), chat_key))
        elif source is Source.SMS_BACKUP:
            _sms(path, chat_key, to)
        elif source is Source.IMESSAGE and _is_zip(path):
            _messages_zip(path, chat_key, to)
        elif source in {Source.IMESSAGE, Source.SIGNAL_DESKTOP}:
            to.write_bytes(_database(path, source, chat_key))
        else:
            raise Refused(_SMALLER)
    except OSError as fault:
        raise Refused(f"The file can’t be divided: {fault.strerror}.") from fault
    except (msgspec.DecodeError, KeyError, SyntaxError, ImportRefused) as fault:
        raise Refused(_SMALLER) from fault


def _telegram(content: bytes, chat_key: str) -> bytes:
    """Return an account's export with one chat; of the account only its number stays."""
    content = _BAD_ESCAPE.sub(rb"\1\\u00\2", content)
    whole = msgspec.json.decode(content, type=_Account)
    chats = msgspec.json.decode(whole.chats["list"], type=list[msgspec.Raw])
    kept = [raw for raw in chats if str(msgspec.json.decode(raw, type=_Chat).id) == chat_key]
    number = whole.personal_information.get("user_id", msgspec.Raw(b"null"))
    return msgspec.json.encode(
        {"personal_information": {"user_id": number}, "chats": {"list": kept}}
    )


def _database(path: Path, source: Source, chat_key: str) -> bytes:
    """Return the database of one chat; databases are rare, so their reader is loaded here."""
    from contract.imports.database import opened
    from contract.imports.imessage import cut_imessage
    from contract.imports.signal_desktop import cut_signal

    take = cut_imessage if source is Source.IMESSAGE else cut_signal
    with path.open("rb") as file, closing(opened(file, _SMALLER)) as connection:
        return take(connection, chat_key)


def _is_zip(path: Path) -> bool:
    from contract.imports.messages_zip import is_zipped

    with path.open("rb") as file:
        return is_zipped(file)


def _messages_zip(path: Path, chat_key: str, to: Path) -> None:
    """Write the chat's database with the chat's own files beside it."""
    from contract.imports.messages_cut import cut_messages_zip

    with path.open("rb") as file, to.open("wb") as sink:
        cut_messages_zip(file, chat_key, sink)


def _sms(path: Path, chat_key: str, to: Path) -> None:
    with to.open("wb") as sink:
        sink.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<smses>\n')
        for element in _elements(path):
            if _chat_key(element) == chat_key:
                element.tail = "\n"
                sink.write(tostring(element, encoding="utf-8"))
        sink.write(b"</smses>\n")


def _elements(path: Path) -> Iterator[Element]:
    """Yield each message as soon as it ended, and keep nothing of it."""
    parser: XMLPullParser[Element] = XMLPullParser(events=("start", "end"))
    root: Element | None = None
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            parser.feed(chunk)
            for told in parser.read_events():
                event, element = told[0], told[-1]
                if not isinstance(element, Element):
                    continue
                root = element if root is None else root
                if event == "end" and element.tag in {"sms", "mms"}:
                    yield element
                    root.clear()


def _chat_key(element: Element) -> str:
    numbers = {number.strip() for number in element.get("address", "").split("~")}
    return "~".join(sorted(numbers - {"", _OWN, "null"}))
