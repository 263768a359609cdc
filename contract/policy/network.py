"""Owns finding network addresses: IPv4 and IPv6.

It never takes a version number, a time or a hardware address for one.

Sources: RFC 791, RFC 4291 section 2.2, RFC 5952.
"""

from __future__ import annotations

import ipaddress
import re

from contract.policy.scanned_text import Identifier, ScannedText

_DOT = r"(?: ?[.·•] ?|\[\.\]|\(\.\)| ?\(dot\) ?| ?\[dot\] ?| dot )"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(
    rf"(?<![a-z0-9])(?<![0-9][.,:\-/+])({_OCTET})({_DOT})({_OCTET})({_DOT})({_OCTET})({_DOT})({_OCTET})"
    r"(?![a-z0-9]|[.,\-+][0-9])"
)
_V6 = re.compile(
    r"(?<![a-z0-9:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?:\.[0-9]{1,3}){3})?(?![a-z0-9:])"
)
_VERSION_BEFORE = re.compile(
    r"(?:\bv|version|release|build|firmware|section|chapter|clause|article|rev|§)[ .:#]*$"
)
_REACH = 24


def find_ip_addresses(text: ScannedText) -> list[Identifier]:
    """Find IPv4 and IPv6 addresses; v4 values are dotted, v6 values shortened."""
    found = [*_v4(text.folded), *_v6(text.folded)]
    return sorted(found)


def _v4(text: str) -> list[Identifier]:
    found: list[Identifier] = []
    for match in _V4.finditer(text):
        if _VERSION_BEFORE.search(text, max(match.start() - _REACH, 0), match.start()):
            continue
        octets = (match[1], match[3], match[5], match[7])
        plain = match[2] == match[4] == match[6] == "."
        certain = plain or match[2] == match[4] == match[6]
        found.append(Identifier(*match.span(), ".".join(octets), plain, certain))
    return found


def _v6(text: str) -> list[Identifier]:
    found: list[Identifier] = []
    for match in _V6.finditer(text):
        typed = match.group()
        try:
            address = ipaddress.IPv6Address(typed)
        except ValueError:
            continue
        if sum(char.isdigit() for char in typed) == 0 or len(typed) < 6:
            continue
        found.append(Identifier(*match.span(), address.compressed, True, True))
    return found
