"""Owns keeping what was found in a draft between keystrokes, so that only the edit is read again.

It never finds anything that reading the whole text would not find, nor misses what it would.

Text is folded by stretches and identifiers are sought by islands of figures, whether or not
there is something to keep: both depend on the stretch alone, so equal stretches have equal finds.
"""

from __future__ import annotations

import bisect
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

_CUT_REACH = 2
"""How many characters before and after a place tell whether it is cut there."""

_MAX_SPARE_STRETCHES = 64

_Finds = dict[IdentifierKind, list[Identifier]]


class DraftScanner:
    """Scans one draft again and again; belongs to one composer and is used on one thread.

    It keeps little more than the last text's stretches, in memory only.
    """

    def __init__(self) -> None:
        self._last = _NOTHING_READ
        self._stretches: dict[str, _Stretch] = {}
        self._islands: dict[ScannedText, _Finds] = {}
        self._older_islands: dict[ScannedText, _Finds] = {}

    def scan(self, typed: str, *, regions: Sequence[str] = ()) -> IdentifierScan:
        """Return the scan of a text; equal to `IdentifierScan(typed, regions=regions)`."""
        self._older_islands, self._islands = self._islands, {}
        read = self._last = self._read(typed)
        scanned = read.scanned
        if regions:
            scanned = scanned._replace(regions=tuple(regions))
        return IdentifierScan(
            typed, read.normalised, regions=regions, scanned=scanned, memo=self._finds_of_island
        )

    def forget(self) -> None:
        """Drop everything kept: when the draft is sent, or the session locks."""
        self._last = _NOTHING_READ
        self._stretches, self._islands, self._older_islands = {}, {}, {}

    def _finds_of_island(self, text: ScannedText) -> _Finds:
        finds = self._islands.get(text)
        if finds is None:
            finds = self._islands[text] = self._older_islands.get(text, {})
        return finds

    def _read(self, typed: str) -> _Read:
        """Read a text; what stands before the first changed stretch is taken over as it is."""
        last = self._last
        kept = bisect.bisect_right(last.cuts, same_start(last.typed, typed) - _CUT_REACH)
        first = max(kept - 1, 0)
        begin = last.cuts[first] if kept else 0
        cuts = [begin, *(cut.start() for cut in _SAFE_CUT.finditer(typed, begin + 1))]
        parts = [typed[start:end] for start, end in itertools.pairwise((*cuts, len(typed)))]
        return last.followed_by(typed, first, cuts, [self._stretch(part) for part in parts])

    def _stretch(self, part: str) -> _Stretch:
        known = self._stretches.get(part)
        if known is None:
            if len(self._stretches) > _MAX_SPARE_STRETCHES + 2 * len(self._last.cuts):
                self._stretches.clear()
            known = self._stretches[part] = _stretch(part)
        return known


class _Stretch(NamedTuple):
    """One stretch of the draft, folded, and as identifiers are sought in it."""

    normalised: Normalised
    scanned: ScannedText


def _stretch(typed: str) -> _Stretch:
    normalised = normalise(typed)
    return _Stretch(normalised, scanned_text(typed, normalised))


class _Read(NamedTuple):
    """A text as read: where its stretches begin, as typed and folded, and all of it folded.

    `first_moved` is the first stretch whose folding has other places than its text, or the
    number of stretches.
    """

    typed: str
    cuts: list[int]
    folded_cuts: list[int]
    first_moved: int
    normalised: Normalised
    scanned: ScannedText

    def followed_by(
        self, typed: str, first: int, cuts: list[int], stretches: list[_Stretch]
    ) -> _Read:
        """Return a text that begins with the stretches before `first` and goes on with others."""
        folded_to = self.folded_cuts[first] if first else 0
        folded_cuts = self.folded_cuts[:first]
        first_moved = min(self.first_moved, first)
        moved = first_moved < first
        place = folded_to
        for number, (normalised, _) in enumerate(stretches, first):
            folded_cuts.append(place)
            place += len(normalised.text)
            if not moved and normalised.starts is None:
                first_moved = number + 1
            else:
                moved = True
        return _Read(
            typed,
            self.cuts[:first] + cuts,
            folded_cuts,
            first_moved,
            self._normalised(folded_to, cuts, stretches, moved=moved),
            self._scanned(folded_to, [one.scanned for one in stretches]),
        )

    def _scanned(self, folded_to: int, more: list[ScannedText]) -> ScannedText:
        own = self.scanned
        return ScannedText(
            "".join([own.folded[:folded_to], *[one.folded for one in more]]),
            "".join([own.cased[:folded_to], *[one.cased for one in more]]),
            "".join([own.lines[:folded_to], *[one.lines for one in more]]),
        )

    def _normalised(
        self, folded_to: int, cuts: list[int], stretches: list[_Stretch], *, moved: bool
    ) -> Normalised:
        own = self.normalised
        parts = [one.normalised for one in stretches]
        text = "".join([own.text[:folded_to], *[part.text for part in parts]])
        if not moved:
            return Normalised(text, None, None)
        if own.starts is None or own.ends is None:
            starts, ends = [*range(folded_to)], [*range(1, folded_to + 1)]
        else:
            starts, ends = own.starts[:folded_to], own.ends[:folded_to]
        for offset, part in zip(cuts, parts, strict=True):
            if part.starts is None or part.ends is None:
                starts.extend(range(offset, offset + len(part.text)))
                ends.extend(range(offset + 1, offset + len(part.text) + 1))
            else:
                starts.extend([start + offset for start in part.starts])
                ends.extend([end + offset for end in part.ends])
        return Normalised(text, starts, ends)


_NOTHING_READ = _Read("", [], [], 0, Normalised("", None, None), ScannedText("", "", ""))


def same_start(one: str, two: str) -> int:
    """Return how many characters two texts have in common from their beginning."""
    low, high = 0, min(len(one), len(two))
    if one[:high] == two[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle
    return low
