"""Owns who looks for which identifier among figures that stand together.

It never looks itself, and it is read when the first text with figures is: its searches cost start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from contract.policy.first_look import prepare
from contract.policy.identifier_kinds import IdentifierKind
from contract.policy.identifiers import find_cards, find_ibans
from contract.policy.national_ids import find_uk_ninos, find_us_ssns
from contract.policy.network import find_ip_addresses
from contract.policy.passports import find_passports
from contract.policy.rules import IdentifierRule, Rule
from contract.policy.scanned_text import Identifier, ScannedText
from contract.policy.securities import find_cusips, find_isins, find_leis, find_sedols

Finder = Callable[[ScannedText], list[Identifier]]


def prepare_searches(rules: Iterable[Rule]) -> None:
    """Read what the searches of a bundle's rules need, so that nobody waits for it later."""
    prepare()
    if any(isinstance(one, IdentifierRule) and one.detect is IdentifierKind.PHONE for one in rules):
        from contract.policy.phones import read_plans

        read_plans()


def _find_phones(text: ScannedText) -> list[Identifier]:
    from contract.policy.phones import find_phones  # its numbering plans are large

    return find_phones(text)


BY_FIGURES: dict[IdentifierKind, tuple[int, Finder]] = {
    IdentifierKind.PAYMENT_CARD: (6, lambda text: find_cards(text.folded)),
    IdentifierKind.IBAN: (4, lambda text: find_ibans(text.folded)),
    IdentifierKind.US_SSN: (5, find_us_ssns),
    IdentifierKind.UK_NINO: (3, find_uk_ninos),
    IdentifierKind.PASSPORT: (2, find_passports),
    IdentifierKind.ISIN: (1, find_isins),
    IdentifierKind.CUSIP: (3, find_cusips),
    IdentifierKind.SEDOL: (1, find_sedols),
    IdentifierKind.LEI: (3, find_leis),
    IdentifierKind.PHONE: (7, _find_phones),
    IdentifierKind.IP_ADDRESS: (3, find_ip_addresses),
}
"""The least figures an island needs, and who looks; letters may stand in for half the others."""
