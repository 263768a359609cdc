"""A draft scanned at every edit: the same finds as reading it anew, whatever was typed before.

It does not measure time; the benchmarks do.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contract.policy.identifier_kinds import IdentifierKind, IdentifierScan
from contract.policy.incremental import DraftScanner
from contract.policy.normalise import normalise

PIECES = (
    "4111 1111 1111 1111",
    "4111 1111",
    " 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "US0378331005",
    "call me at +41 44 668 18 00",
    "078-05-1125",
    "Ａ１２３ ４５６",
    "AKIAIOSFODNN7EXAMPLF",
    " ",
    "\n",
    "\n\n",
    ". ",
    ", then ",
    "\u0301",
    "\u200b",
    "Grüße aus Zürich",
    "会议在 3 点",
    "guaranteed",
    "12.5 %",
    "a",
    "9",
    " the ",
    " Any 4111",
    "。",
    "！ガ",
    "ﾞ",
    "，二",
    "\\n",
    "ΗN",
    "password: hunter2x",
)
edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 12),
        st.one_of(st.sampled_from(PIECES), st.text(max_size=6)),
    ),
    min_size=1,
    max_size=12,
)


def finds(scan: IdentifierScan) -> object:
    """Return all of a scan's finds, by kind, with the folding they stand in."""
    return scan.normalised, {kind: scan.find(kind) for kind in IdentifierKind}


@given(st.lists(st.sampled_from(PIECES), max_size=20), edits)
def test_an_edited_draft_has_the_finds_of_a_fresh_one(
    start: list[str], changes: list[tuple[float, int, str]]
) -> None:
    scanner = DraftScanner()
    text = "".join(start)
    for where, removed, added in changes:
        place = int(where * len(text))
        text = text[:place] + added + text[place + removed :]
        assert finds(scanner.scan(text)) == finds(IdentifierScan(text))


@given(st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_folding_by_stretches_is_folding(text: str) -> None:
    assert DraftScanner().scan(text).normalised == normalise(text)


def test_what_was_kept_is_forgotten_on_demand() -> None:
    scanner = DraftScanner()
    first = finds(scanner.scan("card 4111 1111 1111 1111."))
    scanner.forget()
    assert vars(scanner) == vars(DraftScanner())
    assert finds(scanner.scan("card 4111 1111 1111 1111.")) == first
