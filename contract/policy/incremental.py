"""Owns keeping what was found in a draft between keystrokes, so that only the edit is read again.

It never finds anything that reading the whole text would not find, nor misses what it would.

Text is folded by stretches and identifiers are sought by islands of figures, whether or not
there is something to keep: both depend on the stretch alone, so equal stretches have equal finds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan
from contract.policy.normalise import Normalised, normalise
from contract.policy.scanned_text import Identifier, ScannedText, scanned_text

_SAFE_CUT = re.compile(
    r"(?:(?<=[.!?;:,] )|(?<=[!-~]\n))(?=[!-~])|(?<=[!-~] )(?=[tTwWaAdDnN][!-~])"
    r"|(?<=[。！？、，；：])(?=[\u4e00-\u9fff\u3041-\u3096\u30a1-\u30fa])"
)
"""Where neither marks nor white space join across: after marks, and before some of the words."""

_Finds = dict[IdentifierKind, list[Identifier]]


class DraftScanner:
    """Scans one draft again and again; belongs to one composer and is used on one thread.

    It keeps no more than the last two texts' stretches, in memory only.
    """

    def __init__(self) -> None:
        self._stretches: dict[str, _Stretch] = {}
        self._islands: dict[ScannedText, _Finds] = {}
        self._older_islands: dict[ScannedText, _Finds] = {}

    def scan(self, typed: str, *, regions: Sequence[str] = ()) -> IdentifierScan:
        """Return the scan of a text; equal to `IdentifierScan(typed, regions=regions)`."""
        self._older_islands, self._islands = self._islands, {}
        normalised, scanned = self._read(typed, tuple(regions))
        return IdentifierScan(
            typed, normalised, regions=regions, scanned=scanned, memo=self._finds_of_island
        )

    def forget(self) -> None:
        """Drop everything kept: when the draft is sent, or the session locks."""
        self._stretches, self._islands, self._older_islands = {}, {}, {}

    def _finds_of_island(self, text: ScannedText) -> _Finds:
        finds = self._islands.get(text)
        if finds is None:
            finds = self._islands[text] = self._older_islands.get(text, {})
        return finds

    def _read(self, typed: str, regions: tuple[str, ...]) -> tuple[Normalised, ScannedText]:
        cuts = [0, *(match.start() for match in _SAFE_CUT.finditer(typed)), len(typed)]
        parts = [typed[start:end] for start, end in itertools.pairwise(cuts)]
        known = self._stretches
        self._stretches = {part: known.get(part) or _stretch(part) for part in parts}
        stretches = [self._stretches[part] for part in parts]
        scanned = ScannedText(
            "".join([one.scanned.folded for one in stretches]),
            "".join([one.scanned.cased for one in stretches]),
            "".join([one.scanned.lines for one in stretches]),
            regions,
        )
        return _joined(parts, [one.normalised for one in stretches]), scanned


class _Stretch(NamedTuple):
    """One stretch of the draft, folded, and as identifiers are sought in it."""

    normalised: Normalised
    scanned: ScannedText


def _stretch(typed: str) -> _Stretch:
    normalised = normalise(typed)
    return _Stretch(normalised, scanned_text(typed, normalised))


def _joined(typed: list[str], parts: list[Normalised]) -> Normalised:
    """Return the folding of the whole from that of its stretches."""
    text = "".join(part.text for part in parts)
    if all(part.starts is None for part in parts):
        return Normalised(text, None, None)
    starts: list[int] = []
    ends: list[int] = []
    offset = 0
    for stretch, part in zip(typed, parts, strict=True):
        if part.starts is None or part.ends is None:
            starts.extend(range(offset, offset + len(stretch)))
            ends.extend(range(offset + 1, offset + len(stretch) + 1))
        else:
            starts.extend([start + offset for start in part.starts])
            ends.extend([end + offset for end in part.ends])
        offset += len(stretch)
    return Normalised(text, starts, ends)
