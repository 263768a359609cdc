"""Owns what is read of text files: plain text, mark-up, rich text, scripts, mail.

It never runs a script and never follows a link; mail's parts are inspected in their turn.
"""

from __future__ import annotations

import html
import io
import re

from contract.inspection.encodings import decode
from contract.inspection.model import Reason
from contract.inspection.reading import Reading
from contract.inspection.rich_text import rich_text
from contract.inspection.signatures import SCRIPT

PLAIN = "text/plain"
HTML = "text/html"
XML = "application/xml"
SVG = "image/svg+xml"
MAIL = "message/rfc822"
RTF = "application/rtf"

# A file of more bytes than this holds more text than an inspection keeps.
_BYTES_PER_CHAR = 8
_HTML = re.compile(r"\s*(?:<!--.{0,400}?-->\s*)?<(?:!doctype html|html|head|body)\b", re.I | re.S)
_XML = re.compile(r"\s*<\?xml\b")
_SVG = re.compile(r"<svg\b", re.I)
_MAIL_LINE = re.compile(r"[A-Za-z][A-Za-z-]{0,60}:[ \t]?[^\n]*(?:\n[ \t][^\n]*)*\r?\n")
_MAIL_FIELD = re.compile(r"^(?:mime-version|received|return-path|message-id):", re.I | re.M)
# An unbroken run, or eight lines, of base64: content that reading the letters does not read.
_ENCODED = re.compile(
    r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{512}"
    r"|(?:^[ \t]?[A-Za-z0-9+/]{60,76}\r?\n){8}|(?:^M[\x20-\x60]{60}\r?\n){8}",
    re.M,
)
_BREAKING_TAG = re.compile(
    r"</?(?:p|div|br|tr|td|th|li|ul|ol|h[1-6]|table|section|article|option|title)\b[^<>]*>", re.I
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SPOKEN = re.compile(
    r"\b(?:href|src|alt|title|value|content|placeholder)\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')", re.I
)
_SCRIPT_TAG = re.compile(r"<script\b", re.I)


def read_text_file(content: bytes, whole: bool, reading: Reading, depth: int) -> str:
    """Keep a text file's words; return its media type, "" when it is no text.

    `whole` is False when there is more than `content` in the file.
    """
    text = decode(content, whole=whole)
    if text is None:
        return ""
    if not whole:
        reading.note(Reason.TOO_LONG)
    if text.startswith("{\\rtf"):
        rich_text(content, reading)
        return RTF
    if _is_mail(text):
        _read_mail(content, reading, depth)
        return MAIL
    if _ENCODED.search(text):
        reading.note(Reason.ENCODED_DATA)
    bare = text.lstrip()
    reading.add_text(_without_tags(text) if bare.startswith("<") else text)
    if text.startswith("#!"):
        reading.note(Reason.SCRIPT)
        return SCRIPT
    return _mark_up_type(bare, reading)


def text_bytes(reading: Reading) -> int:
    """Return how many bytes of a text file are looked at."""
    return reading.limits.text_chars * _BYTES_PER_CHAR


def _mark_up_type(text: str, reading: Reading) -> str:
    if _HTML.match(text) or (_XML.match(text) and "<html" in text[:2048]):
        return HTML
    if text.startswith("<") and _SVG.search(text[:4096]):
        if _SCRIPT_TAG.search(text):
            reading.note(Reason.SCRIPT)
        return SVG
    return XML if _XML.match(text) else PLAIN


def _without_tags(text: str) -> str:
    """Return marked-up text as a reader sees it, then the links and labels in its tags."""
    seen = _TAG.sub("", _BREAKING_TAG.sub("\n", text))
    spoken = "\n".join(one or other for one, other in _SPOKEN.findall(text))
    return html.unescape(f"{seen}\n{spoken}")


def _is_mail(text: str) -> bool:
    place, fields = 0, 0
    while fields < 200 and (line := _MAIL_LINE.match(text, place)):
        place, fields = line.end(), fields + 1
    return fields > 1 and _MAIL_FIELD.search(text, 0, place) is not None


def _read_mail(content: bytes, reading: Reading, depth: int) -> None:
    """Keep a mail's header and inspect each of its parts (RFC 5322, RFC 2045)."""
    from email import message_from_bytes

    for part in message_from_bytes(content).walk():
        reading.count_member()
        for key, value in part.items():
            reading.add_text(f"{key}: {_header_words(str(value), reading)}\n")
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            reading.note(Reason.DAMAGED)
            continue
        reading.count_bytes(len(payload))
        reading.descend(part.get_filename() or "", io.BytesIO(payload), depth + 1)
        reading.add_text("\n")


def _header_words(value: str, reading: Reading) -> str:
    """Return a header field's words, decoded where they are encoded (RFC 2047)."""
    if "=?" not in value:
        return value
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        reading.note(Reason.ENCODED_DATA)
        return value
