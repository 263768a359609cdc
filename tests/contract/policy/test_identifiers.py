"""Payment cards and IBANs: published vectors, and numbers that only look like them.

It does not test what a rule makes of a find.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from contract.policy.identifiers import Identifier, find_cards, find_ibans
from contract.policy.normalise import normalise
from tests.support.vectors import require_vectors

Finder = Callable[[str], list[Identifier]]
FINDERS: dict[str, Finder] = {"isCreditCard": find_cards, "isIBAN": find_ibans}
SPANS: dict[str, Finder] = {"CREDIT_CARD": find_cards, "IBAN_CODE": find_ibans}


def found_in(finder: Finder, text: str) -> list[str]:
    """Return the finds that stand without evidence, as typed."""
    folded = normalise(text)
    certain = [one for one in finder(folded.text) if one.certain]
    return [text[slice(*folded.span(one.start, one.end))] for one in certain]


def registry_examples() -> list[str]:
    """Return the electronic and the print example of each country."""
    path = require_vectors("policy/iban_registry_v99.txt")
    lines = path.read_bytes().decode("latin-1").splitlines()
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    kinds = ("IBAN electronic format example", "IBAN print format example")
    return [example.strip(' "') for kind in kinds for example in rows[kind]]


def validator_cases(name: str) -> tuple[list[str], list[str]]:
    """Return the valid and invalid examples of one validator without options."""
    cases = json.loads(require_vectors("policy/validatorjs.json").read_text("utf-8"))
    case = next(one for one in cases if one["validator"] == name and one["args"] == [])
    return case["valid"], case["invalid"]


def test_all_registry_examples_are_found_whole() -> None:
    examples = registry_examples()
    assert len(examples) == 178
    missed = [
        example
        for example in examples
        if found_in(find_ibans, f"Please pay to {example} today.") != [example]
    ]
    assert missed == []


@pytest.mark.parametrize("name", ["isCreditCard", "isIBAN"])
def test_validator_examples_agree(name: str) -> None:
    valid, invalid = validator_cases(name)
    assert [one for one in valid if found_in(FINDERS[name], one) != [one]] == []
    # Examples that hold a whole valid IBAN before a foreign sign are finds in running text.
    wrong = [one for one in invalid if found_in(FINDERS[name], one)]
    assert [one for one in wrong if not one.startswith("FR7630006000011234567890189")] == []


@pytest.mark.parametrize("entity", ["CREDIT_CARD", "IBAN_CODE"])
def test_synthetic_corpus_precision_and_recall(entity: str) -> None:
    corpus = json.loads(require_vectors("policy/presidio_synth_v2.json").read_text("utf-8"))
    hits = misses = false = 0
    for item in corpus:
        wanted = [one["entity_value"] for one in item["spans"] if one["entity_type"] == entity]
        found = found_in(SPANS[entity], item["full_text"])
        hits += sum(one in found for one in wanted)
        misses += sum(one not in found for one in wanted)
        false += sum(one not in wanted for one in found)
    assert hits >= 20
    assert hits / (hits + misses) >= 0.99
    assert hits / (hits + false) >= 0.99


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "41 11 11 11 11 11 11 11",
        "4111111111111111",
        "４１１１　１１１１　１１１１　１１１１",
        "4111\u200b1111\u20601111\u00ad1111",
        "4️⃣1️⃣1️⃣1️⃣ 1111 1111 1111",
        "٤١١١ ١١١١ ١١١١ ١١١١",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111  1111 \n1111 1111",
        "3782 822463 10005",
        "5555555555554444",
    ],
)
def test_cards_are_found_in_any_dress(text: str) -> None:
    assert found_in(find_cards, f"It is {text}, thanks") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "5555555555554444/1127/123",
        "5555-5555-5555-4444/11-27",
        "5555555555554444-12-2028",
        "card5555555555554444",
        "my visa5555555555554444",
    ],
)
def test_an_expiry_or_a_word_for_a_card_joined_to_it_hides_no_card(text: str) -> None:
    (found,) = find_cards(text)
    assert (found.value, found.certain) == ("5555555555554444", True)
    for other in (text.replace("4444/", "4444/9"), text.replace("card", "cardx")):
        assert other == text or not find_cards(other)[0].certain


def test_a_card_is_found_among_other_figures() -> None:
    assert found_in(find_cards, "pay 12 4111 1111 1111 1111 05/27 123") == ["4111 1111 1111 1111"]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "30.09.2026 - 31.10.2026",
        "4,812,000,000,000 JPY",
        "+34 612 345 678 901 23",
        "2026-11-21 10:42:07.123",
        "id a4111111111111111f",
        "51.94 / 19.54 / 78.45 / 34.45",
        "1234567890123456",
    ],
)
def test_other_numbers_are_no_cards(text: str) -> None:
    assert found_in(find_cards, f"see {text} please") == []


@pytest.mark.parametrize(
    "text",
    [
        "DE89 3704 0044 0532 0130 00",
        "de89370400440532013000",
        "DE89-3704-0044-0532-0130-00",
        "D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0",
        "ＤＥ８９３７０４００４４０５３２０１３０００",
        "DE89\u200b3704\u20600044 0532 0130 00",
        "DЕ89 3704 0044 0532 0130 00",  # Cyrillic Е
    ],
)
def test_ibans_are_found_in_any_dress(text: str) -> None:
    assert found_in(find_ibans, f"to IBAN {text}.") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "DE88 3704 0044 0532 0130 00",
        "DE89 3704 0044 0532 0130",
        "XX89 3704 0044 0532 0130 00",
        "BE 12 MAY 2026 AT 10",
        "no 15 to 18",
    ],
)
def test_other_text_is_no_iban(text: str) -> None:
    assert found_in(find_ibans, f"see {text}") == []


def test_a_long_row_of_digits_stays_linear() -> None:
    assert isinstance(find_cards("4 " * 8_000), list)
    assert isinstance(find_ibans("de" * 4_000 + " de89" * 1_500), list)
