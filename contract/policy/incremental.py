"""Owns keeping what was found in a draft between keystrokes, so that only the edit is read again.

It never finds anything that reading the whole text would not find, nor misses what it would.

Text is folded by sentences and identifiers are sought by islands of figures, whether or not
there is something to keep: both depend on the stretch alone, so equal stretches have equal finds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan
from contract.policy.normalise import Normalised, normalise
from contract.policy.scanned_text import Identifier, ScannedText

_SAFE_CUT = re.compile(r"(?:(?<=[.!?;:,] )|(?<=[!-~]\n))(?=[!-~])")
"""Between plain characters, where neither marks nor white space join across."""

_Finds = dict[IdentifierKind, list[Identifier]]


class DraftScanner:
    """Scans one draft again and again; belongs to one composer and is used on one thread.

    It keeps no more than the last two texts' stretches, in memory only.
    """

    def __init__(self) -> None:
        self._sentences: dict[str, Normalised] = {}
        self._islands: dict[ScannedText, _Finds] = {}
        self._older_islands: dict[ScannedText, _Finds] = {}

    def scan(self, typed: str, *, regions: Sequence[str] = ()) -> IdentifierScan:
        """Return the scan of a text; equal to `IdentifierScan(typed, regions=regions)`."""
        self._older_islands, self._islands = self._islands, {}
        return IdentifierScan(
            typed, self._normalise(typed), regions=regions, memo=self._finds_of_island
        )

    def forget(self) -> None:
        """Drop everything kept: when the draft is sent, or the session locks."""
        self._sentences, self._islands, self._older_islands = {}, {}, {}

    def _finds_of_island(self, text: ScannedText) -> _Finds:
        finds = self._islands.get(text)
        if finds is None:
            finds = self._islands[text] = self._older_islands.get(text, {})
        return finds

    def _normalise(self, typed: str) -> Normalised:
        cuts = [0, *(match.start() for match in _SAFE_CUT.finditer(typed)), len(typed)]
        sentences = [typed[start:end] for start, end in itertools.pairwise(cuts)]
        known = self._sentences
        self._sentences = {one: known.get(one) or normalise(one) for one in sentences}
        return _joined(sentences, [self._sentences[one] for one in sentences])


def _joined(sentences: list[str], parts: list[Normalised]) -> Normalised:
    """Return the folding of the whole from that of its sentences."""
    text = "".join(part.text for part in parts)
    if all(part.starts is None for part in parts):
        return Normalised(text, None, None)
    starts: list[int] = []
    ends: list[int] = []
    offset = 0
    for sentence, part in zip(sentences, parts, strict=True):
        if part.starts is None or part.ends is None:
            starts.extend(range(offset, offset + len(sentence)))
            ends.extend(range(offset + 1, offset + len(sentence) + 1))
        else:
            starts.extend([start + offset for start in part.starts])
            ends.extend([end + offset for end in part.ends])
        offset += len(sentence)
    return Normalised(text, starts, ends)
