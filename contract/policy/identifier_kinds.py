"""Owns the list of identifiers that rules can name, and finding any of them in a text.

It never judges what a find means for a draft, and it never needs a word list to find one.

`IdentifierScan(typed).find(kind)` serves one text; its spans are places of the folded text,
which `Normalised.span` leads back to the user's own characters, as `find_identifiers` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from contract.policy.first_look import Clue, clues_in
from contract.policy.normalise import Normalised, normalise
from contract.policy.scanned_text import (
    Identifier,
    Island,
    ScannedText,
    islands,
    scanned_text,
)

IslandMemo = Callable[[ScannedText], dict["IdentifierKind", list[Identifier]]]


class IdentifierKind(Enum):
    """The kinds of identifiers that a rule of kind `identifier` names in `detect`."""

    __hash__ = object.__hash__  # many a look-up at every keystroke

    PAYMENT_CARD = "payment_card"
    IBAN = "iban"
    US_SSN = "us_ssn"
    UK_NINO = "uk_nino"
    PASSPORT = "passport"
    ISIN = "isin"
    CUSIP = "cusip"
    SEDOL = "sedol"
    LEI = "lei"
    PHONE = "phone"
    IP_ADDRESS = "ip_address"
    SECRET = "secret"  # noqa: S105 # a kind's name


_CLUES: dict[IdentifierKind, Clue] = {
    IdentifierKind.PAYMENT_CARD: Clue.CARD,
    IdentifierKind.IBAN: Clue.IBAN,
    IdentifierKind.US_SSN: Clue.US_SSN,
    IdentifierKind.UK_NINO: Clue.UK_NINO,
    IdentifierKind.PASSPORT: Clue.PASSPORT,
    IdentifierKind.SECRET: Clue.SECRET,
}
"""Without its clue a text holds no such identifier; the other kinds have none."""

_STRONGER: dict[IdentifierKind, tuple[IdentifierKind, ...]] = {
    IdentifierKind.PAYMENT_CARD: (IdentifierKind.IBAN, IdentifierKind.LEI),
    IdentifierKind.CUSIP: (IdentifierKind.ISIN, IdentifierKind.US_SSN),
    IdentifierKind.SEDOL: (IdentifierKind.ISIN,),
    IdentifierKind.PHONE: (
        IdentifierKind.PAYMENT_CARD,
        IdentifierKind.IBAN,
        IdentifierKind.US_SSN,
        IdentifierKind.ISIN,
        IdentifierKind.LEI,
        IdentifierKind.IP_ADDRESS,
    ),
    IdentifierKind.PASSPORT: (IdentifierKind.PAYMENT_CARD, IdentifierKind.UK_NINO),
}
"""A find that overlaps a certain find of one of these kinds is left out."""


class IdentifierScan:
    """The identifiers of one text, each kind sought at most once, behind the gate of digits.

    `regions` are ISO 3166 codes of countries whose national phone numbers are expected, in
    upper case; empty means the usual ones. `scanned` is the text's views where they are known
    already, and `memo` gives the dictionary that keeps an island's finds between scans.
    """

    def __init__(
        self,
        typed: str,
        normalised: Normalised | None = None,
        *,
        regions: Sequence[str] = (),
        scanned: ScannedText | None = None,
        memo: IslandMemo | None = None,
    ) -> None:
        self.normalised = normalised or normalise(typed)
        self._text = scanned or scanned_text(typed, self.normalised, tuple(regions))
        self._islands: list[Island] | None = None
        self._memo = memo
        self._found: dict[IdentifierKind, list[Identifier]] = {}
        self._clues: Sequence[int] | None = None

    @property
    def clues(self) -> Sequence[int]:
        """Return what the text may hold, by the values of `Clue`."""
        if self._clues is None:
            self._clues = clues_in(self._text.folded)
        return self._clues

    def find(self, kind: IdentifierKind) -> list[Identifier]:
        """Return the finds of one kind, left to right; spans are places of the folded text."""
        found = self._all(kind)
        for stronger in _STRONGER.get(kind, ()) if found else ():
            found = _without_overlaps(found, self._all(stronger))
        return found

    def _all(self, kind: IdentifierKind) -> list[Identifier]:
        """Return the finds of one kind, those that are rather of a stronger one among them."""
        if kind not in self._found:
            self._found[kind] = self._look_for(kind)
        return self._found[kind]

    def _look_for(self, kind: IdentifierKind) -> list[Identifier]:
        clues = self.clues
        found: list[Identifier] = []
        if kind not in _CLUES or _CLUES[kind] in clues:
            found = self._in_islands(kind) if kind is not IdentifierKind.SECRET else self._secrets()
        if kind is IdentifierKind.PAYMENT_CARD and Clue.SPELT_CARD in clues:
            from contract.policy.identifiers import find_spelt_cards

            found += find_spelt_cards(self._text.folded)
        return found

    def _secrets(self) -> list[Identifier]:
        from contract.policy.secret_keys import find_secrets

        return find_secrets(self._text)

    def _in_islands(self, kind: IdentifierKind) -> list[Identifier]:
        if self._islands is None:
            self._islands = islands(self._text)
        return [
            one._replace(start=one.start + island.start, end=one.end + island.start)
            for island in self._islands
            for one in self._in_island(kind, island)
        ]

    def _in_island(self, kind: IdentifierKind, island: Island) -> list[Identifier]:
        from contract.policy.finders import BY_FIGURES  # costs start-up, for many no first text

        least, find = BY_FIGURES[kind]
        if island.figure_count < least:
            return []
        by_kind = self._memo(island.text) if self._memo is not None else {}
        found = by_kind.get(kind)
        if found is None:
            found = by_kind[kind] = find(island.text)
        return [one for one in found if one.end > island.core_start and one.start < island.core_end]


def clues_of(kind: IdentifierKind) -> frozenset[Clue]:
    """Return the clues of which a text that holds such an identifier has one; empty for any text.

    It spares asking a text for identifiers that it can't hold.
    """
    clue = _CLUES.get(kind)
    if clue is None:
        return frozenset()
    return frozenset({clue, Clue.SPELT_CARD} if clue is Clue.CARD else {clue})


def find_identifiers(
    kind: IdentifierKind, text: str, *, regions: Sequence[str] = ()
) -> list[Identifier]:
    """Return the identifiers of one kind in a text as typed; spans count its own code points."""
    scan = IdentifierScan(text, regions=regions)
    return [_as_typed(one, scan.normalised) for one in scan.find(kind)]


def _as_typed(one: Identifier, normalised: Normalised) -> Identifier:
    start, end = normalised.span(one.start, one.end)
    return one._replace(start=start, end=end)


def _without_overlaps(found: list[Identifier], stronger: list[Identifier]) -> list[Identifier]:
    certain = [one for one in stronger if one.certain]
    return [
        one
        for one in found
        if not any(one.start < other.end and other.start < one.end for other in certain)
    ]
