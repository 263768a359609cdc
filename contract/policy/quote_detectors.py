"""Owns finding an identifier that is split between a draft and the message it answers.

It never marks the quoted message: its spans are places of the draft's own folded text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from contract.policy.hits import CUSTOMARY, WITH_EVIDENCE
from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan
from contract.policy.text_scan import TextScan

_MAX_QUOTE_CHARS = 4_000
_MAX_PART_CHARS = 48
_MIN_DIGITS, _MAX_DIGITS = 8, 40
_PART = re.compile(
    r"(?<![a-z0-9])(?:[a-z]{2}[0-9]{2}(?: ?[a-z]{4}(?![a-z]))?|[a-z0-9]{0,34}[0-9][a-z0-9]{0,34})"
    r"(?:[ \-./_·]{1,3}[a-z0-9]{0,34}[0-9][a-z0-9]{0,34})*"
)
_DIGIT = re.compile(r"[0-9]")
_WORD = re.compile(r"[^\W_]")


class SplitFind(NamedTuple):
    """An identifier's part in the draft: its span in the folded text, and the whole value."""

    start: int
    end: int
    value: str
    confidence: int


class _Part(NamedTuple):
    start: int
    end: int
    text: str


def find_split(
    rule_id: str, kind: IdentifierKind, quoted: TextScan, draft: TextScan
) -> Iterator[SplitFind]:
    """Yield identifiers of one kind that need both texts, surest first, none twice.

    The parts have to touch where the quote ends and the draft begins, or to have words of
    evidence beside them: two numbers that fit by chance are no find.
    """
    seen: set[tuple[int, int]] = set()
    for earlier in _parts(quoted.normalised.text[-_MAX_QUOTE_CHARS:]):
        for part in _parts(draft.normalised.text):
            found = _joined(kind, earlier.text, part)
            if found is None or found[:2] in seen:
                continue
            start, end, value = found
            confidence = _confidence(rule_id, quoted, draft, earlier, part)
            if confidence:
                seen.add((start, end))
                yield SplitFind(start, end, value, confidence)


def forget_parts() -> None:
    """Drop the figures kept from earlier drafts."""
    _finds.cache_clear()


def _parts(text: str) -> list[_Part]:
    """Return the first and the last chain of figures, where they could be part of a number."""
    chains = [
        _Part(match.start(), match.end(), match.group())
        for match in _PART.finditer(text)
        if match.end() - match.start() <= _MAX_PART_CHARS
    ]
    return list(dict.fromkeys([*chains[-1:], *chains[:1]]))


def _joined(kind: IdentifierKind, earlier: str, part: _Part) -> tuple[int, int, str] | None:
    """Return the own part's span, and the value, of an identifier that needs both parts."""
    digits = len(_DIGIT.findall(earlier)) + len(_DIGIT.findall(part.text))
    if not _MIN_DIGITS <= digits <= _MAX_DIGITS:
        return None
    for gap in ("", " "):
        for joined, own_start in (
            (earlier + gap + part.text, len(earlier + gap)),
            (part.text + gap + earlier, 0),
        ):
            own_end = own_start + len(part.text)
            for start, end, value in _finds(kind, joined):
                low, high = max(start, own_start), min(end, own_end)
                if low < high and (low, high) != (start, end):
                    shift = part.start - own_start
                    return low + shift, high + shift, value
    return None


@functools.lru_cache(maxsize=512)
def _finds(kind: IdentifierKind, text: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((one.start, one.end, one.value) for one in IdentifierScan(text).find(kind))


def _confidence(
    rule_id: str, quoted: TextScan, draft: TextScan, earlier: _Part, part: _Part
) -> int:
    shift = max(len(quoted.normalised.text) - _MAX_QUOTE_CHARS, 0)
    if draft.has_evidence(rule_id, part.start, part.end) or quoted.has_evidence(
        rule_id, earlier.start + shift, earlier.end + shift
    ):
        return WITH_EVIDENCE
    tail = quoted.normalised.text[earlier.end + shift :]
    touching = not _WORD.search(tail) and not _WORD.search(draft.normalised.text[: part.start])
    return CUSTOMARY if touching else 0
