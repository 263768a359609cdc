"""Owns finding phone numbers: international ones, and national ones of the regions asked for.

It never takes a date, a time, an amount or an order's number for one where it can tell.

Source: ITU-T E.164, and the numbering plans in the phonenumbers library.
"""

from __future__ import annotations

import re

import phonenumbers

from contract.policy.scanned_text import Identifier, ScannedText

DEFAULT_REGIONS = ("US", "GB", "DE", "FR", "CH", "CN", "JP", "BR")
_CANDIDATE = re.compile(
    r"(?<![a-z0-9])(?:\+|\()?[0-9]+(?:[ \-./()]{1,3}[0-9]+)*(?![a-z0-9])",
)


def find_phones(text: ScannedText) -> list[Identifier]:
    """Find phone numbers; values are in E.164 where the numbering plan is known."""
    found: list[Identifier] = []
    for match in _CANDIDATE.finditer(text.folded):
        typed = match.group()
        for region in text.regions or DEFAULT_REGIONS:
            try:
                number = phonenumbers.parse(typed, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                certain = typed.startswith("+") or " " in typed or "-" in typed
                found.append(Identifier(*match.span(), value, certain, certain))
                break
    return found
