"""Owns the files inside a backup of MMS: where in the XML each stands, and its bytes.

It never holds more than one file, and resolves no entity: the reader of the chat refuses any.
"""

from __future__ import annotations

import base64
import binascii
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate

from contract.imports.sms_backup import part_name

_CHUNK_BYTES = 256 * 1024
_MARKUP_BYTES = 64 * 1024  # what a part's element may hold beside its content


class MmsFiles:
    """The parts that messages name; the backup is looked through once, and read by place."""

    def __init__(self, file: IO[bytes], names: frozenset[str], most_bytes: int) -> None:
        """`file` is the seekable backup; parts of more than `most_bytes` are left out."""
        self._file = file
        self._most_encoded_bytes = most_bytes * 4 // 3 + 4
        self._places = self._found(names) if names else {}

    def __len__(self) -> int:
        """Return how many of the names are here."""
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        """Tell whether a named part is here."""
        return name in self._places

    def read(self, name: str) -> bytes | None:
        """Return a part's bytes, None for one that is not here or is no base64."""
        place = self._places.get(name)
        attributes = None if place is None else self._part_at(place)
        if attributes is None or part_name(attributes) != name:
            return None
        try:
            return base64.b64decode(attributes.get("data", "")) or None
        except (binascii.Error, ValueError):
            return None

    def _found(self, names: frozenset[str]) -> dict[str, int]:
        places: dict[str, int] = {}
        parser = ParserCreate()

        def on_start(tag: str, attributes: dict[str, str]) -> None:
            data = attributes.get("data", "null")  # "null" is how the program writes nothing
            if tag != "part" or data == "null" or not 0 < len(data) <= self._most_encoded_bytes:
                return
            name = part_name(attributes)
            if name in names:
                places.setdefault(name, parser.CurrentByteIndex)

        parser.StartElementHandler = on_start
        self._file.seek(0)
        try:
            while chunk := self._file.read(_CHUNK_BYTES):
                parser.Parse(chunk)
        except ExpatError:
            return places  # what was read up to here is as it stands
        return places

    def _part_at(self, place: int) -> dict[str, str] | None:
        """Return the attributes of the element that begins there."""
        found: list[dict[str, str]] = []
        parser = ParserCreate("utf-8")
        parser.StartElementHandler = lambda _, attributes: found.append(attributes)
        self._file.seek(place)
        left = self._most_encoded_bytes + _MARKUP_BYTES
        try:
            while not found and left > 0 and (chunk := self._file.read(_CHUNK_BYTES)):
                left -= len(chunk)
                parser.Parse(chunk)
        except ExpatError:
            pass  # a part alone is no document: what follows it ends the reading
        return found[0] if found else None
