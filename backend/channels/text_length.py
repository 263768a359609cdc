"""The length of a text as a channel counts it.

It never shortens or splits a text.
"""

from __future__ import annotations

from backend.channels.contract import TextUnit

# GSM 03.38 basic set; characters of the extension table take two septets.
_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("^{}\\[~]|€")
_SEPTETS_PER_PART = 153
_UCS2_PER_PART = 67


def text_length(text: str, unit: TextUnit) -> int:
    """Return the length of `text` in the channel's unit.

    For SMS the result is scaled to septets, so that ten parts of either alphabet compare
    with the same limit (GSM 03.38, 153 septets or 67 UCS-2 units a part).
    """
    if unit is TextUnit.BYTES:
        return len(text.encode("utf-8", "surrogatepass"))
    if unit is TextUnit.UTF16:
        return _utf16(text)
    if unit is TextUnit.GSM_PARTS:
        return _septets(text)
    return len(text)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _septets(text: str) -> int:
    if all(char in _GSM_BASIC or char in _GSM_EXTENSION for char in text):
        return len(text) + sum(char in _GSM_EXTENSION for char in text)
    parts = -(-_utf16(text) // _UCS2_PER_PART)
    return parts * _SEPTETS_PER_PART
