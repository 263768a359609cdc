"""The strict reading of the base64, decimal and text lines that logs are written in.

It accepts one spelling of each value only, so no bit of a document can change unseen.
"""

from __future__ import annotations

import binascii
import re

MAX_NUMBER = 2**63 - 1
_LONGEST_DECIMAL = len(str(MAX_NUMBER))
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


def encode_base64(data: bytes) -> str:
    """Return standard, padded base64 (RFC 4648, section 4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def encode_line(data: bytes) -> str:
    """Return base64 with a newline behind it; short data only, it is one line."""
    return binascii.b2a_base64(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Return what canonical base64 stands for.

    Raises ValueError for white space, other alphabets, missing padding and stray trailing bits.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise ValueError("this is not base64") from error
    if encode_base64(data) != text:
        raise ValueError("this base64 is not in its canonical form")
    return data


def decode_decimal(text: str) -> int:
    """Return a decimal number from 0 to 2**63 - 1; raises ValueError, also for leading zeros."""
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_DECIMAL:
        raise ValueError("this is not a decimal number")
    number = int(text)
    if str(number) != text or number > MAX_NUMBER:
        raise ValueError("this decimal number has leading zeros or is too large")
    return number


def decode_lines(data: bytes) -> str:
    """Return UTF-8 text without control characters other than the newline.

    Raises ValueError otherwise (C2SP signed-note, section Format).
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("this is not UTF-8") from error
    if _CONTROL.search(data):
        raise ValueError("there is a control character in it")
    return text
