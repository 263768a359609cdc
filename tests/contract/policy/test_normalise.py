"""Folding of text: what it folds and that every place leads back to the original.

It does not test rules.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy.normalise import at_word_bounds, fold_term, normalise

any_text = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cf", "Mn", "Nd", "Zs", "Cc"]),
        st.sampled_from("aZ 09ßﬁé①４٤４️⃣ｶﾞ한각\u200b\u202e\u0301\u0640"),
    ),
    max_size=80,
)


@given(any_text)
def test_every_folded_place_maps_into_the_original(text: str) -> None:
    folded = normalise(text)
    last = (0, 0)
    for index in range(len(folded.text)):
        start, end = folded.span(index, index + 1)
        assert 0 <= start < end <= len(text)
        assert (start, end) >= last
        last = (start, end)


@given(any_text)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@given(any_text)
def test_folded_text_can_be_encoded(text: str) -> None:
    normalise(text).text.encode("utf-8")


@given(any_text)
def test_runs_of_plain_signs_fold_as_single_ones_do(text: str) -> None:
    whole = normalise("\u200b" + text)
    joined = "".join(normalise("\u200b" + char).text for char in text if char.isascii())
    if text.isascii():
        assert re.sub(" +", " ", whole.text) == re.sub(" +", " ", joined)
    assert whole.starts is not None
    assert len(whole.text) == len(whole.starts)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Guaranteed", "guaranteed"),
        ("ＧＵＡＲＡＮＴＥＥＤ　ｎｏｗ", "guaranteed now"),
        ("gua\u200bran\u2060teed\u202e", "guaranteed"),
        ("guаrаntееd", "guaranteed"),  # Cyrillic a and e
        ("𝐠𝐮𝐚𝐫𝐚𝐧𝐭𝐞𝐞𝐝", "guaranteed"),
        ("🅖🅤🅐🅡", "guar"),
        ("4️⃣1️⃣", "41"),
        ("٤١ ४१ ④①", "41 41 41"),
        ("let’s – go", "let's - go"),
        ("a\t\n  b", "a b"),
        ("außer", "ausser"),
        ("cafe\u0301", "café"),
        ("ｶﾞｽ", "ガス"),
        ("مَرْحَبـا", "مرحبا"),
        ("g\u0336u\u0336a\u0336r", "guar"),
        ("GUARΑΝTEED", "guaranteed"),  # Greek capital Alpha and Nu
        ("⓿❶⑵", "01(2)"),
    ],
)
def test_disguises_fold_to_one_form(typed: str, folded: str) -> None:
    assert fold_term(typed) == folded


def test_word_bounds_hold_for_alphabets_only() -> None:
    assert not at_word_bounds("discard", 3, 7)
    assert at_word_bounds("dis card", 4, 8)
    assert at_word_bounds("请加我微信吧", 1, 5)
    assert at_word_bounds("微信card吧", 2, 6)


def test_a_flood_of_marks_stays_linear() -> None:
    text = "a" + "\u0301\u0323" * 20_000
    assert len(normalise(text).text) <= len(text)


def test_terms_fold_as_texts_do_in_every_script() -> None:
    for code in range(0x20, 0xFFFF):
        if not 0xD800 <= code <= 0xDFFF:
            term = f"x{chr(code)}y"
            assert fold_term(term) == normalise(term).text.strip()
