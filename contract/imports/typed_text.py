"""Reads the text out of Apple's typedstream, in which Messages keeps attributed strings.

It never builds an object of the stream: the first string is all it looks for.

Layout: as seen in databases, checked against a reader that is not ours (decision 22).
"""

from __future__ import annotations

_SIGNATURE = b"streamtyped"
_CLASSES = (b"NSString\x01", b"NSMutableString\x01")
_STRING = b"\x84\x01+"  # a new type encoding of one character: "+", bytes with a length
_NEAR = 40
_INT16, _INT32 = 0x81, 0x82


def text_of_typedstream(content: bytes) -> str | None:
    """Return the string an archived attributed string holds, None where none can be read."""
    if _SIGNATURE not in content[:16]:
        return None
    begins = [at + len(name) for name in _CLASSES if (at := content.find(name)) >= 0]
    if not begins:
        return None
    at = content.find(_STRING, min(begins), min(begins) + _NEAR)
    if at < 0:
        return None
    at += len(_STRING)
    told = _length(content, at)
    if told is None:
        return None
    first, size_bytes = told
    said = content[first : first + size_bytes]
    return said.decode("utf-8", "replace") if len(said) == size_bytes else None


def _length(content: bytes, at: int) -> tuple[int, int] | None:
    """Return where the bytes begin and how many there are."""
    if at >= len(content):
        return None
    mark = content[at]
    if mark < 0x80:
        return at + 1, mark
    width = {_INT16: 2, _INT32: 4}.get(mark)
    if width is None:
        return None
    return at + 1 + width, int.from_bytes(content[at + 1 : at + 1 + width], "little")
