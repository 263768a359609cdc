"""Owns finding national numbers of persons: US social security and UK national insurance.

It never takes a number the issuing office does not issue.

Sources: Social Security Administration, POMS RM 10201.030 (area not 000, 666 or 900-999, group
not 00, serial not 0000) and its list of numbers used in advertising; HMRC, NIM39110 (prefixes).
"""

from __future__ import annotations

import re

from contract.policy.disguised_figures import with_figures
from contract.policy.fixed_forms import FIGURE, FixedForm, Reading, find_fixed
from contract.policy.scanned_text import Identifier, ScannedText, first_of_each_place

_GAP = r"[^a-z0-9,@]{1,3}"
_SSN = re.compile(
    rf"(?<![a-z0-9])(?<![a-z0-9][\-./])([0-9]{{3}})({_GAP})([0-9]{{2}})({_GAP})([0-9]{{4}})"
    r"(?![a-z0-9]|[\-./,][0-9])"
)
_SSN_BARE = FixedForm([FIGURE] * 9)
_ADVERTISED = frozenset(("078051120", "219099999", "457555462"))
_DASHES = "-"
_NINO = FixedForm(
    ["[a-ceghj-prstw-z]", "[a-ceghj-npr-tw-z]"] + [FIGURE] * 6 + ["[a-d]"],
    [(2, 2, 2, 2, 1), (2, 6, 1), (4, 4, 1), (4, 2, 2, 1), (8, 1), (2, 3, 3, 1), (2, 7), (3, 3, 3)],
)
_NINO_SMALL = re.compile(
    r"(?<![a-z0-9])([a-ceghj-prstw-z][a-ceghj-npr-tw-z])"
    r"((?:[ \-./]{1,3}[0-9]{2}){3})[ \-./]{0,3}([a-d])(?![a-z0-9])"
)
_NOT_ISSUED = frozenset(("bg", "gb", "kn", "nk", "nt", "tn", "zz"))


def find_us_ssns(text: ScannedText) -> list[Identifier]:
    """Find US social security numbers; without separators they ask for evidence words."""
    found = find_fixed(_SSN_BARE, text, _judge_bare_ssn)
    for match in _SSN.finditer(with_figures(text.folded)):
        value = match[1] + match[3] + match[5]
        if ssn_is_issued(value):
            same = match[2].strip(" ") == match[4].strip(" ")
            customary = match[2] == match[4] == _DASHES
            found.append(Identifier(*match.span(), value, customary, same))
    return first_of_each_place(found)


def find_uk_ninos(text: ScannedText) -> list[Identifier]:
    """Find UK national insurance numbers, their suffix letter included."""
    found = find_fixed(_NINO, text, _judge_nino)
    for match in _NINO_SMALL.finditer(text.folded):
        digits = "".join(char for char in match[2] if char.isdigit())
        if match[1] not in _NOT_ISSUED:
            value = (match[1] + digits + match[3]).upper()
            found.append(Identifier(*match.span(), value, True, True))
    return first_of_each_place(found)


def ssn_is_issued(digits: str) -> bool:
    """Tell whether nine digits lie in what the Social Security Administration issues."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return False
    return digits not in _ADVERTISED


def _judge_bare_ssn(reading: Reading) -> bool | None:
    if not ssn_is_issued(reading.value):
        return None
    return False


def _judge_nino(reading: Reading) -> bool | None:
    return None if reading.value[:2] in _NOT_ISSUED else True
