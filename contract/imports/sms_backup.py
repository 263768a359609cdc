"""Reads the XML of the Android program SMS Backup & Restore, as a stream.

It never resolves an entity or reads a second file: a document that defines any is refused.

Format: https://www.synctech.com.au/sms-backup-restore/fields-in-xml-backup-files/
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import IO
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from contract.imports.model import (
    ImportedChat,
    ImportedMessage,
    ImportRefused,
    Source,
    is_placeable,
    participants_of,
)

MOST_BYTES = 8 * 1024**3
_CHUNK_BYTES = 1024 * 1024
_MOST_DIGITS = 15
_SENT_BOXES = frozenset({"2", "4", "5", "6"})  # sent, outbox, failed, queued
_RECEIVED_BOX = "1"
_MMS_FROM, _MMS_TO = "137", "151"
_OWN = "insert-address-token"
_REFUSED = (
    "This is not a backup of SMS Backup & Restore, or it is damaged. Choose the .xml file the "
    "program made of messages."
)


def read_sms_backup(file: IO[bytes]) -> tuple[ImportedChat, ...]:
    """Return one chat for each number, or set of numbers of a group; raises ImportRefused."""
    found: dict[str, list[ImportedMessage]] = defaultdict(list)
    timeless: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for element in _elements(file):
        message = _sms(element) if element.tag == "sms" else _mms(element)
        key = _chat_key(element)
        if message is None:
            timeless[key] += 1
            continue
        found[key].append(message)
        name = _value(element, "contact_name")
        titles.setdefault(key, name if name and name != "(Unknown)" else key)
    if not found:
        raise ImportRefused(_REFUSED)
    return tuple(
        _chat(key, titles[key], messages, timeless[key]) for key, messages in found.items()
    )


def _elements(file: IO[bytes]) -> Iterator[Element]:
    builder = _Messages()
    parser = XMLParser(target=builder)  # noqa: S314 -- a document type is refused, so no entities
    read_bytes = 0
    try:
        while chunk := file.read(_CHUNK_BYTES):
            read_bytes += len(chunk)
            if read_bytes > MOST_BYTES:
                raise ImportRefused("This backup is larger than 8 GB: make one of a shorter time.")
            parser.feed(chunk)
            yield from builder.take()
        parser.close()
        yield from builder.take()
    except ParseError as error:
        raise ImportRefused(_REFUSED) from error


class _Messages(TreeBuilder):
    """Hands out each message as soon as it ended, and keeps nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self._ended: list[Element] = []
        self._root: Element | None = None
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse a document that could define entities."""
        raise ImportRefused(_REFUSED)

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        """Begin an element; the outermost one names the format."""
        if self._depth == 0 and tag != "smses":
            raise ImportRefused(_REFUSED)
        self._depth += 1
        element = super().start(tag, attrs)
        if self._root is None:
            self._root = element
        return element

    def end(self, tag: str) -> Element:
        """End an element; a message is set aside for `take`."""
        element = super().end(tag)
        self._depth -= 1
        if self._depth == 1 and tag in {"sms", "mms"}:
            self._ended.append(element)
        return element

    def take(self) -> list[Element]:
        """Return the messages that ended since the last call."""
        taken, self._ended = self._ended, []
        if self._root is not None:
            del self._root[:]  # whatever else it holds; what has begun stays on the builder's stack
        return taken


def _sms(element: Element) -> ImportedMessage | None:
    at_utc_ms = _time(element)
    if at_utc_ms is None:
        return None
    outgoing = _value(element, "type") in _SENT_BOXES
    return ImportedMessage(
        at_utc_ms=at_utc_ms,
        sender="" if outgoing else _value(element, "address"),
        text=_value(element, "body"),
        outgoing=outgoing,
    )


def _mms(element: Element) -> ImportedMessage | None:
    at_utc_ms = _time(element)
    if at_utc_ms is None:
        return None
    outgoing = _value(element, "msg_box") in _SENT_BOXES
    texts, files = [], []
    for part in element.iter("part"):
        media_type = _value(part, "ct")
        if media_type == "text/plain":
            texts.append(_value(part, "text"))
        elif media_type != "application/smil":
            files.append(part_name(part.attrib))
    subject = _value(element, "sub")
    return ImportedMessage(
        at_utc_ms=at_utc_ms,
        sender="" if outgoing else _mms_sender(element),
        text="\n".join(each for each in (subject, *texts) if each),
        outgoing=outgoing,
        files=tuple(files),
        native_id=_value(element, "m_id"),
    )


def _chat(key: str, title: str, messages: list[ImportedMessage], timeless: int) -> ImportedChat:
    said = tuple(sorted(messages, key=lambda message: message.at_utc_ms))
    return ImportedChat(
        source=Source.SMS_BACKUP,
        key=key,
        title=title,
        messages=said,
        participants=participants_of(said),
        is_group="~" in key,
        notes=(f"{timeless} messages tell no time and could not be placed.",) * bool(timeless),
    )


def _chat_key(element: Element) -> str:
    numbers = {number.strip() for number in _value(element, "address").split("~")}
    return "~".join(sorted(numbers - {"", _OWN}))


def _mms_sender(element: Element) -> str:
    for address in element.iter("addr"):
        if _value(address, "type") == _MMS_FROM and _value(address, "address") != _OWN:
            return _value(address, "address")
    return _value(element, "address").split("~")[0]


def part_name(attributes: Mapping[str, str]) -> str:
    """Return the name of a part of an MMS, which its content's hash makes one of a kind."""
    content = attributes.get("data", "").encode()
    named = next(
        (name for key in ("cl", "name", "fn") if (name := _told(attributes, key))),
        _told(attributes, "ct"),
    )
    digest = hashlib.sha256(b"" if content == b"null" else content).hexdigest()
    return f"{digest[:16]}-{named.replace('/', '-')}"


def _time(element: Element) -> int | None:
    told = _value(element, "date")
    if not told.isdecimal() or len(told) > _MOST_DIGITS:
        return None
    return int(told) if is_placeable(int(told)) else None


def _value(element: Element, name: str) -> str:
    return _told(element.attrib, name)


def _told(attributes: Mapping[str, str], name: str) -> str:
    """Return an attribute; the program writes "null" where there is nothing."""
    told = attributes.get(name, "")
    return "" if told == "null" else told
