"""Names of the own book: what is found, what is not, and what stands for them in hashes.

It does not test whose chat is open.
"""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy.book import BookFacts, BookName, compile_book
from contract.policy.model import Facts, facts_hash
from contract.policy.normalise import normalise


def name(text: str, number: int = 1) -> BookName:
    """Return a name with its client and chat."""
    return BookName(name=text, contact_id=f"c-{number}", conversation_id=f"v-{number}")


@pytest.mark.parametrize(
    ("known", "text", "found"),
    [
        ("Ana Li", "dear ANA  LI, hello", ["ana li"]),
        ("Ana Li", "banana lime", []),
        ("Müller & Co", "an Müller & Co heute", ["müller & co"]),
        ("渡辺", "渡辺様、こんにちは", ["渡辺"]),
        ("Li", "I li", []),
        ("李", "李先生", []),
        ("\u200b", "x", []),
    ],
)
def test_names_are_found_as_whole_words(known: str, text: str, found: list[str]) -> None:
    folded = normalise(text).text
    matches = compile_book(1, [name(known)]).find(folded)
    assert [folded[one.start : one.end] for one in matches] == found


def test_the_longest_name_counts_and_all_who_bear_it() -> None:
    book = compile_book(1, [name("Brandt"), name("Brandt Holding", 2), name("brandt holding", 3)])
    (match,) = book.find("for brandt holding")
    assert {one.contact_id for one in match.bearers} == {"c-2", "c-3"}


def test_equal_books_are_equal_in_any_order() -> None:
    one = compile_book(1, [name("Anna"), name("Berta", 2)])
    two = compile_book(1, [name("Berta", 2), name("Anna"), name("Anna")])
    assert (one, hash(one)) == (two, hash(two))
    assert one != compile_book(1, [name("Anna")])
    assert one != compile_book(2, one.names)
    assert facts_hash(Facts(now_utc_ms=1, book=one)) == facts_hash(Facts(now_utc_ms=2, book=two))
    assert facts_hash(Facts(now_utc_ms=1, book=one)) != facts_hash(Facts(now_utc_ms=1))


def test_facts_with_a_book_survive_json() -> None:
    facts = Facts(now_utc_ms=1, book=compile_book(1, [name("Anna Berta")]))
    again = msgspec.json.decode(msgspec.json.encode(facts), type=Facts)
    assert (again, facts_hash(again)) == (facts, facts_hash(facts))
    assert again.book.find("anna berta")
    assert BookFacts(names=(name("Anna Berta"),)).digest == facts.book.digest


@given(st.lists(st.text(max_size=8), max_size=6), st.text(max_size=40))
def test_any_names_and_text_are_taken(names: list[str], text: str) -> None:
    encodable = [one for one in names if one.isprintable()]
    book = compile_book(1, [name(one, number) for number, one in enumerate(encodable)])
    folded = normalise(text).text
    for match in book.find(folded):
        assert 0 <= match.start < match.end <= len(folded)
