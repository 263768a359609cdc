"""Owns how a text becomes the bytes of one or several short messages, and how bytes become text.

It never drops a character: what the small alphabet lacks makes the whole text UCS-2.

Sources: 3GPP TS 23.038 (alphabets), TS 23.040 section 9.2.3.24 (user data header), SMPP 5.2.19.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from backend.channels.smpp import wire

GSM, UCS2 = 0x00, 0x08
_ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F,
    "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
_SEPTETS = {char: bytes([code]) for code, char in enumerate(_BASIC) if code != _ESCAPE} | {
    char: bytes([_ESCAPE, code]) for char, code in _EXTENSION.items()
}
_EXTENDED = {code: char for char, code in _EXTENSION.items()}
_ONE_GSM, _PART_GSM = 160, 153
_ONE_UCS2, _PART_UCS2 = 140, 134  # in bytes
_CODECS = {
    0x01: "ascii", 0x03: "latin-1", 0x05: "shift_jis", 0x06: "iso8859-5", 0x07: "iso8859-8",
    0x08: "utf-16-be", 0x0A: "iso2022-jp", 0x0E: "euc-kr",
}  # fmt: skip


class Part(NamedTuple):
    """Which part of how many a short message is; `reference` is the same for all of them."""

    reference: int
    total: int
    number: int


def encode_text(text: str, reference: int) -> tuple[int, list[bytes]]:
    """Return the data coding with the contents of the short messages that carry a text.

    More than one begin with a user data header that holds `reference` (0 to 255).
    """
    units = [_SEPTETS.get(char, b"") for char in text]
    if all(units):
        return GSM, _parts(units, reference, _ONE_GSM, _PART_GSM)
    units = [char.encode("utf-16-be", "surrogatepass") for char in text]
    return UCS2, _parts(units, reference, _ONE_UCS2, _PART_UCS2)


def decode_text(content: bytes, data_coding: int) -> str | None:
    """Return the text of bytes in a data coding; None for binary ones.

    A byte that means nothing there becomes a replacement character.
    """
    if data_coding == GSM or (data_coding >= 0x10 and data_coding & 0x0C == 0):
        return _from_gsm(content)
    if data_coding >= 0x10 and data_coding & 0x0C == 0x08 and data_coding < 0xF0:
        return content.decode("utf-16-be", "replace")
    codec = _CODECS.get(data_coding)
    return None if codec is None else content.decode(codec, "replace")


def part_of(message: wire.ShortMessage) -> tuple[Part | None, bytes]:
    """Return which part a short message is (None: a whole one) with its content alone.

    Raises ValueError for a header that does not fit, or one that speaks to a program.
    """
    content, part = message.content, None
    if message.esm_class & wire.HAS_HEADER:
        if not content or content[0] >= len(content):
            raise ValueError("the user data header is cut off")
        part = _from_header(content[1 : 1 + content[0]])
        content = content[1 + content[0] :]
    told = message.parameters
    if part is None and wire.SAR_TOTAL in told and wire.SAR_NUMBER in told:
        part = Part(
            int.from_bytes(told.get(wire.SAR_REFERENCE, b"")),
            int.from_bytes(told[wire.SAR_TOTAL]),
            int.from_bytes(told[wire.SAR_NUMBER]),
        )
    if part is None or part.total <= 1:
        return None, content
    if not 1 <= part.number <= part.total:
        raise ValueError("a part has a number that can't be")
    return part, content


def _parts(units: Sequence[bytes], reference: int, one: int, most: int) -> list[bytes]:
    whole = b"".join(units)
    if len(whole) <= one:
        return [whole]
    pieces, piece = [], b""
    for unit in units:
        if len(piece) + len(unit) > most:
            pieces.append(piece)
            piece = b""
        piece += unit
    pieces.append(piece)
    total = len(pieces)
    return [
        bytes([5, 0, 3, reference & 0xFF, total & 0xFF, number & 0xFF]) + piece
        for number, piece in enumerate(pieces, start=1)
    ]


def _from_header(header: bytes) -> Part | None:
    at, part = 0, None
    while at + 2 <= len(header):
        kind, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if len(value) < size:
            raise ValueError("an element of the header is cut off")
        if kind == 0x00 and size == 3:
            part = Part(*struct.unpack(">BBB", value))
        elif kind == 0x08 and size == 4:
            part = Part(*struct.unpack(">HBB", value))
        elif kind in {0x04, 0x05}:
            raise ValueError("the content is for a program")
        at += 2 + size
    return part


def _from_gsm(content: bytes) -> str:
    text, escaped = [], False
    for code in content:
        if escaped:
            # An unknown pair is shown as its second half, as TS 23.038 asks.
            text.append(_EXTENDED.get(code) or (_BASIC[code] if code < 128 else "\ufffd"))
            escaped = False
        elif code == _ESCAPE:
            escaped = True
        else:
            text.append(_BASIC[code] if code < 128 else "\ufffd")
    return "".join(text)
