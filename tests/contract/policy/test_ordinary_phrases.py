"""Ordinary phrases of a lexicon rule: what overlaps them says nothing, and nothing beyond.

It does not test the shipped word lists.
"""

from __future__ import annotations

import pytest

from contract.policy.bundle import CompiledBundle, compile_bundle
from contract.policy.evaluate import evaluate
from contract.policy.model import Draft, Facts
from tests.contract.policy.conftest import NOW_UTC_MS

FILES = {
    "bundle.yaml": b"name: Own\nversion: 1.0.0\n",
    "rules.yaml": (
        b"rules:\n"
        b"  - {id: words.promise, kind: lexicon, terms: [terms.csv], ordinary: [ordinary.csv],"
        b" action: warn, message: promise, category: Words}\n"
        b"  - {id: words.other, kind: lexicon, terms: [terms.csv], action: warn,"
        b" message: promise, category: Words}\n"
    ),
    "messages.csv": b"key,language,title\npromise,en,A promise\n",
    "terms.csv": "term,language\nguarantee,en\nguaranteed return,en\n保証,ja\n".encode(),
    "ordinary.csv": "term,language\nbank guarantee,en\nnot guaranteed,en\n保証人,ja\n".encode(),
}


@pytest.fixture(scope="module")
def own() -> CompiledBundle:
    """Return a bundle with one rule that knows ordinary phrases and one that does not."""
    return compile_bundle(FILES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We guarantee it", ["guarantee"]),
        ("The bank guarantee expires", []),
        ("It is not guaranteed returns anything", []),
        ("A guaranteed return", ["guaranteed return"]),
        ("It is not guaranteed return talk", []),
        ("A bank guarantee, and I guarantee it", ["guarantee"]),
        ("The bank\u200b  GUARANTEE", []),
        ("保証人が必要です。保証します", ["保証"]),
    ],
)
def test_a_term_that_overlaps_an_ordinary_phrase_is_no_finding(
    own: CompiledBundle, text: str, found: list[str]
) -> None:
    draft = Draft(text=text, conversation_id="c", channel="sms")
    decision = evaluate(own, Facts(now_utc_ms=NOW_UTC_MS), draft)
    spans = [
        text[one.start : one.end] for one in decision.findings if one.rule_id == "words.promise"
    ]
    assert spans == found


def test_ordinary_phrases_hold_for_their_own_rule_alone(own: CompiledBundle) -> None:
    draft = Draft(text="The bank guarantee", conversation_id="c", channel="sms")
    decision = evaluate(own, Facts(now_utc_ms=NOW_UTC_MS), draft)
    assert [one.rule_id for one in decision.findings] == ["words.other"]
