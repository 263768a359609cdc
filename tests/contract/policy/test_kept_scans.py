"""A draft judged at every edit with kept scans: the decision of reading everything anew.

It does not measure time; the benchmarks do.
"""

from __future__ import annotations

import itertools
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.policy.bundle import Side
from contract.policy.context import ScanMemo
from contract.policy.evaluate import evaluate
from contract.policy.model import Attachment
from tests.contract.policy.kinds import compiled
from tests.support.disguised_texts import disguised
from tests.support.drafts import GLUE, PIECES, drafts

edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from((*PIECES, *GLUE))),
    min_size=1,
    max_size=10,
)


@given(st.integers(0, 2**32), edits)
def test_every_edit_gets_the_decision_of_a_fresh_reading(
    seed: int, changes: list[tuple[float, int, str]]
) -> None:
    bundle, memo = compiled(Side.CLIENT), ScanMemo()
    facts, draft = next(drafts(seed))
    text = draft.text
    for where, removed, added in changes:
        place = int(where * len(text))
        text = text[:place] + added + text[place + removed :]
        draft = msgspec.structs.replace(draft, text=text)
        assert evaluate(bundle, facts, draft, memo) == evaluate(bundle, facts, draft)


def test_one_memo_serves_any_drafts_under_either_bundle() -> None:
    memo = ScanMemo()
    sides = itertools.cycle((Side.CLIENT, Side.SERVER, Side.SERVER))
    for side, (facts, draft) in zip(sides, itertools.islice(drafts(11), 400), strict=False):
        bundle = compiled(side)
        assert evaluate(bundle, facts, draft, memo) == evaluate(bundle, facts, draft)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 2**32), min_size=2, max_size=6))
def test_what_changes_around_a_text_is_seen(seed: int, others: list[int]) -> None:
    """Each step takes one part of the draft or the facts from another case."""
    bundle, memo = compiled(Side.SERVER), ScanMemo()
    facts, draft = next(drafts(seed))
    for number in others:
        other_facts, other_draft = next(drafts(number))
        names = (*msgspec.structs.asdict(draft), *msgspec.structs.asdict(facts))
        name = names[number % len(names)]
        if hasattr(draft, name):
            change = {name: getattr(other_draft, name)}
            draft = msgspec.structs.replace(draft, **change)
        else:
            change = {name: getattr(other_facts, name)}
            facts = msgspec.structs.replace(facts, **change)
        assert evaluate(bundle, facts, draft, memo) == evaluate(bundle, facts, draft)


@given(st.integers(0, 2**32), st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_disguised_numbers_are_found_while_they_are_typed(seed: int, places: list[float]) -> None:
    bundle, memo = compiled(Side.SERVER), ScanMemo()
    facts, draft = next(drafts(seed))
    whole = disguised(random.Random(seed))
    for place in (*sorted(places), 1.0, *places):
        text = whole[: round(place * len(whole))]
        draft = msgspec.structs.replace(draft, text=text)
        assert evaluate(bundle, facts, draft, memo) == evaluate(bundle, facts, draft)


def test_nothing_is_kept_after_forgetting() -> None:
    memo = ScanMemo()
    facts, draft = next(drafts(3))
    file = Attachment(name="a", media_type="a/b", size_bytes=1, sha256="a", text="zq7 canary 4111")
    draft = msgspec.structs.replace(draft, text="zq7 secret 5555", attachments=(file,))
    evaluate(compiled(Side.CLIENT), facts, draft, memo)
    memo.forget()
    kept = repr([vars(memo), vars(memo._drafts), vars(memo.findings)])
    assert "zq7" not in kept
