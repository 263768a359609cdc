"""Owns finding secrets in text: keys and tokens by their makers' forms, and passwords by name.

It never keeps or prints what it found beyond the find itself.

Sources: the issuers' published token formats; RFC 7468 (PEM), RFC 7519 (JWT).
"""

from __future__ import annotations

import re

from contract.policy.scanned_text import Identifier, ScannedText

_FORMS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{36,255}"
    r"|github_pat_[A-Za-z0-9_]{36,255}"
    r"|xox[abposre]-[A-Za-z0-9-]{10,250}"
    r"|eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,4000}\.?[A-Za-z0-9_-]{0,4000}"
    r")(?![A-Za-z0-9])"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def find_secrets(text: ScannedText) -> list[Identifier]:
    """Find secrets; a private key's block counts from its first line on."""
    found = [
        Identifier(*match.span(), match.group(), True, True)
        for form in (_FORMS, _PEM)
        for match in form.finditer(text.cased)
    ]
    return sorted(found)
