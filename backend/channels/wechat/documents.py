"""Owns reading the XML that WeChat and WeCom send: one flat element with words in it.

It never expands an entity, reads no document type and follows no reference.
"""

from __future__ import annotations

from xml.parsers import expat

MOST_BYTES = 256 * 1024
_MOST_FIELDS = 200
_MOST_DEPTH = 6


class NotReadable(ValueError):
    """The bytes are no such document, or one that declares what a vendor never declares."""


def read_document(raw: bytes) -> dict[str, str]:
    """Return the words of the outermost element's children by name; the first of a name counts.

    What lies deeper is passed over. Raises NotReadable for anything but well-formed UTF-8 XML
    without a document type, up to 256 KB.
    """
    if len(raw) > MOST_BYTES:
        raise NotReadable("the document is too large")
    reading = _Reading()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.words
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, LookupError) as error:
        raise NotReadable("the document is not well-formed") from error
    return reading.found


class _Reading:
    """One pass over one document."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._open: list[str] = []
        self._pieces: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        self._open.append(name)
        if len(self._open) > _MOST_DEPTH or len(self.found) > _MOST_FIELDS:
            raise NotReadable("the document is not one of WeChat's")
        self._pieces = []

    def words(self, words: str) -> None:
        """Keep the words of an outermost child."""
        if len(self._open) == 2:
            self._pieces.append(words)

    def end(self, name: str) -> None:
        """Leave an element."""
        if len(self._open) == 2:
            self.found.setdefault(name, "".join(self._pieces))
        self._open.pop()


def _refuse(*_: object) -> int:
    raise NotReadable("the document declares a type or an entity")
