"""Tests of comparing versions. They never know which version this is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.versions import is_older, parse_version

IN_ORDER = (
    "0.1.0",
    "0.9.3",
    "0.10",
    "1.4.0.dev1",
    "1.4.0-alpha.1",
    "1.4.0b2",
    "1.4.0-beta.10",
    "1.4.0rc1",
    "1.4.0-rc.2",
    "1.4",
    "1.4.0.1",
    "1.10.0",
    "2",
)


def test_each_comes_after_the_ones_before_it() -> None:
    for place, later in enumerate(IN_ORDER):
        for earlier in IN_ORDER[:place]:
            assert is_older(earlier, later) and not is_older(later, earlier), (earlier, later)


@pytest.mark.parametrize(
    ("one", "same"),
    [("1.4", "1.4.0"), ("v1.4.0", "parley/1.4"), ("1.4.0+build7", "1.4.0"), (" 1.4 ", "1.4")],
)
def test_written_otherwise_it_is_the_same(one: str, same: str) -> None:
    assert parse_version(one) == parse_version(same) is not None


@pytest.mark.parametrize(
    "text", ["", "new", "a tool of IT", "1.", ".1", "1..2", "-1", "1.2.3.4.5", "١.٢", "1234567"]
)
def test_what_is_no_version_is_neither_older_nor_newer(text: str) -> None:
    assert parse_version(text) is None
    assert not is_older(text, "9") and not is_older("0", text)


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_text_breaks_the_comparison(one: str, other: str) -> None:
    assert not (is_older(one, other) and is_older(other, one))
