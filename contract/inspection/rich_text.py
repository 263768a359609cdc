"""Owns the words of rich text (RTF 1.9.1).

It never draws: pictures and objects within the text are noted as unread.
"""

from __future__ import annotations

import codecs
import re

from contract.inspection.model import Reason
from contract.inspection.reading import Reading

_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})"
    rb"|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?"
    rb"|\\([^a-zA-Z0-9])"
    rb"|([{}])"
    rb"|([^\\{}\r\n]+)"
    rb"|[\r\n]+|\\"
)
_SILENT = frozenset(
    b"fonttbl colortbl stylesheet listtable listoverridetable rsidtbl generator themedata "
    b"colorschememapping latentstyles datastore xmlnstbl mmathPr wgrffmtfilter filetbl".split()
)
_BREAKS = {b"par": "\n", b"line": "\n", b"row": "\n", b"cell": "\t", b"tab": "\t", b"page": "\n"}
_SIGNS = {
    b"emdash": "—",
    b"endash": "–",
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"bullet": "•",
}
_PLAIN_SIGNS = {b"~": "\xa0", b"_": "\u2011", b"{": "{", b"}": "}", b"\\": "\\"}
_MOST_GROUPS = 10_000


class _Words:
    """The state of one reading: open groups, code page, bytes that wait for their decoding."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._codec = "cp1252"
        self._waiting = bytearray()
        self._groups: list[tuple[bool, int]] = []
        self._silent = False
        self._skip_each = 1
        self._skip = 0

    def group(self, brace: bytes) -> None:
        self.flush()
        if brace == b"{" and len(self._groups) < _MOST_GROUPS:
            self._groups.append((self._silent, self._skip_each))
        elif brace == b"}" and self._groups:
            self._silent, self._skip_each = self._groups.pop()
        else:
            self._reading.note(Reason.DAMAGED)

    def raw(self, content: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(content))
            self._skip -= skipped
            content = content[skipped:]
        if not self._silent:
            self._waiting += content

    def word(self, word: bytes, figure: int) -> None:
        if word == b"u":
            self.flush()
            self.put(chr(figure % 65_536))
            self._skip = self._skip_each
        elif word == b"uc":
            self._skip_each = max(0, min(figure, 8))
        elif word == b"ansicpg":
            self._codec = _codec(figure)
        elif word in _SILENT:
            self._silent = True
        elif word in (b"pict", b"objdata", b"bin"):
            self._reading.note(Reason.IMAGE if word == b"pict" else Reason.ENCODED_DATA)
            self._silent = True
        else:
            self.put(_BREAKS.get(word) or _SIGNS.get(word, ""))

    def put(self, text: str) -> None:
        if text and not self._silent:
            self.flush()
            self._reading.add_text(text)

    def flush(self) -> None:
        if self._waiting:
            text = bytes(self._waiting).decode(self._codec, "replace")
            self._waiting.clear()
            self._reading.add_text(text)


def rich_text(content: bytes, reading: Reading) -> None:
    """Keep the words of an RTF file; pictures, objects and odd braces are noted."""
    words = _Words(reading)
    for token in _TOKEN.finditer(content):
        byte, word, figure, sign, brace, raw = token.groups()
        if byte is not None:
            words.raw(bytes.fromhex(byte.decode("ascii")))
        elif word is not None:
            words.word(word, int(figure or 0))
        elif brace is not None:
            words.group(brace)
        elif raw is not None:
            words.raw(raw)
        elif sign is not None:
            words.put(_PLAIN_SIGNS.get(sign, ""))
        if reading.truncated:
            return
    words.flush()


def _codec(page: int) -> str:
    """Return the name of a Windows code page, the Western one where it is unknown."""
    try:
        return codecs.lookup(f"cp{page}").name
    except LookupError:
        return "cp1252"
