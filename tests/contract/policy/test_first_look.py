"""The first look never says no where a search would find something, however it is disguised.

It does not measure how often it says yes for nothing; the benchmarks show what that costs.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy.disguised_words import second_readings
from contract.policy.first_look import Clue, clues_in
from contract.policy.identifiers import find_cards, find_ibans, find_spelt_cards
from contract.policy.lexicon import Lexicon, Term
from contract.policy.national_ids import find_uk_ninos, find_us_ssns
from contract.policy.normalise import normalise
from contract.policy.passports import find_passports
from contract.policy.scanned_text import ScannedText, scanned_text
from contract.policy.secret_keys import find_secrets
from tests.support.disguised_texts import disguised
from tests.support.drafts import text_of

TEXTS = 6_000
TERMS = ("guaranteed", "whatsapp", "gmail", "risk free", "off the record", "保本保息", "gift")
LEXICON = Lexicon([Term(0, term, "") for term in TERMS])
SEARCHES: dict[Clue, Callable[[ScannedText], object]] = {
    Clue.CARD: lambda text: find_cards(text.folded),
    Clue.SPELT_CARD: lambda text: find_spelt_cards(text.folded),
    Clue.IBAN: lambda text: find_ibans(text.folded),
    Clue.US_SSN: find_us_ssns,
    Clue.UK_NINO: find_uk_ninos,
    Clue.PASSPORT: lambda text: [one for one in find_passports(text) if _counts(one.value)],
    Clue.SECRET: find_secrets,
}


def _counts(value: str) -> bool:
    return any(char.isdigit() for char in value)


def found_without_a_clue(typed: str, found: Counter[Clue]) -> list[str]:
    """Return what a search finds in a text though the first look says no; count what is found."""
    normalised = normalise(typed)
    scanned = scanned_text(typed, normalised)
    clues = clues_in(scanned.folded)
    missed: list[str] = []
    for clue, search in SEARCHES.items():
        if search(scanned):
            found[clue] += 1
            missed += [] if clue in clues else [clue.name]
    plain = LEXICON.find(normalised.text, spaced=False, disguised=False)
    for clue, spaced, masked in (
        (Clue.SPACED_LETTERS, True, False),
        (Clue.DISGUISED_WORD, False, True),
    ):
        if LEXICON.find(normalised.text, spaced=spaced, disguised=masked) != plain:
            found[clue] += 1
            missed += [] if clue in clues else [clue.name]
    return missed


def test_whatever_is_found_in_disguise_had_its_clue() -> None:
    chance = random.Random(20261122)
    found: Counter[Clue] = Counter()
    for _ in range(TEXTS):
        typed = disguised(chance) if chance.random() < 0.8 else text_of(chance)
        missed = found_without_a_clue(typed, found)
        assert not missed, f"{missed} in {typed!a}"
    # Else this would prove little of some clue.
    assert all(found[clue] > 40 for clue in Clue), found


@given(
    st.text(max_size=80) | st.integers(0, 2**32).map(lambda seed: disguised(random.Random(seed)))
)
def test_any_text_keeps_what_searches_find(typed: str) -> None:
    assert not found_without_a_clue(typed, Counter())


@given(st.text(alphabet="aoilsz4@- .·é", max_size=40))
def test_words_are_read_again_wherever_signs_hide_them(text: str) -> None:
    folded = normalise(text).text
    if list(second_readings(folded, frozenset({"a", "oil", "soil", "zoo", "il", "lo", "los"}))):
        assert Clue.DISGUISED_WORD in clues_in(folded)


def test_what_is_folded_has_no_capitals() -> None:
    """The first look's patterns hold small letters alone."""
    for low in range(0, 0x20000, 256):
        text = "".join(f"{chr(code)} x{chr(code)}x " for code in range(low, low + 256))
        folded = scanned_text(text, normalise(text)).folded
        assert not any("A" <= one <= "Z" for one in folded), hex(low)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you, could we move the review to Tuesday at 14:30?",
        "3.5 % of CHF 1,250.00 into bonds, please",
        "来週の会議について教えてください",
        "Grüße aus Zürich, bis Montag.",
    ],
)
def test_ordinary_words_ask_for_no_search(text: str) -> None:
    assert not clues_in(scanned_text(text, normalise(text)).folded)
