"""Owns the list of identifiers that rules can name, and finding any of them in a text.

It never judges what a find means for a draft, and it never needs a word list to find one.

`IdentifierScan(typed).find(kind)` serves one text; its spans are places of the folded text,
which `Normalised.span` leads back to the user's own characters, as `find_identifiers` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from contract.policy.identifiers import find_cards, find_ibans
from contract.policy.national_ids import find_uk_ninos, find_us_ssns
from contract.policy.network import find_ip_addresses
from contract.policy.normalise import Normalised, normalise
from contract.policy.passports import find_passports
from contract.policy.phones import find_phones
from contract.policy.scanned_text import (
    Identifier,
    Island,
    ScannedText,
    islands,
    scanned_text,
)
from contract.policy.secret_keys import find_secrets
from contract.policy.securities import find_cusips, find_isins, find_leis, find_sedols

Finder = Callable[[ScannedText], list[Identifier]]
IslandMemo = Callable[[ScannedText], dict["IdentifierKind", list[Identifier]]]


class IdentifierKind(Enum):
    """The kinds of identifiers that a rule of kind `identifier` names in `detect`."""

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


_BY_FIGURES: dict[IdentifierKind, Finder] = {
    IdentifierKind.PAYMENT_CARD: lambda text: find_cards(text.folded),
    IdentifierKind.IBAN: lambda text: find_ibans(text.folded),
    IdentifierKind.US_SSN: find_us_ssns,
    IdentifierKind.UK_NINO: find_uk_ninos,
    IdentifierKind.PASSPORT: find_passports,
    IdentifierKind.ISIN: find_isins,
    IdentifierKind.CUSIP: find_cusips,
    IdentifierKind.SEDOL: find_sedols,
    IdentifierKind.LEI: find_leis,
    IdentifierKind.PHONE: find_phones,
    IdentifierKind.IP_ADDRESS: find_ip_addresses,
}
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
    upper case; empty means the usual ones. `memo` gives the dictionary that keeps an island's
    finds between scans of nearly the same text; they are the same with and without it.
    """

    def __init__(
        self,
        typed: str,
        normalised: Normalised | None = None,
        *,
        regions: Sequence[str] = (),
        memo: IslandMemo | None = None,
    ) -> None:
        self.normalised = normalised or normalise(typed)
        self._text = scanned_text(typed, self.normalised, tuple(regions))
        self._islands: list[Island] | None = None
        self._memo = memo
        self._found: dict[IdentifierKind, list[Identifier]] = {}

    def find(self, kind: IdentifierKind) -> list[Identifier]:
        """Return the finds of one kind, left to right; spans are places of the folded text."""
        if kind not in self._found:
            found = self._raw(kind)
            for stronger in _STRONGER.get(kind, ()) if found else ():
                found = _without_overlaps(found, self._raw(stronger))
            self._found[kind] = found
        return self._found[kind]

    def _raw(self, kind: IdentifierKind) -> list[Identifier]:
        if kind is IdentifierKind.SECRET:
            return find_secrets(self._text)
        if self._islands is None:
            self._islands = islands(self._text)
        return [
            one._replace(start=one.start + island.start, end=one.end + island.start)
            for island in self._islands
            for one in self._in_island(kind, island)
        ]

    def _in_island(self, kind: IdentifierKind, island: Island) -> list[Identifier]:
        by_kind = self._memo(island.text) if self._memo is not None else {}
        found = by_kind.get(kind)
        if found is None:
            found = by_kind[kind] = _BY_FIGURES[kind](island.text)
        return [one for one in found if one.end > island.core_start and one.start < island.core_end]


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
