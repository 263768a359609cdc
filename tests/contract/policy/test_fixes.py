"""Mending findings: the text afterwards, and that a mended finding is gone.

It does not test which rules offer which fix.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy.bundle import CompiledBundle, compile_bundle
from contract.policy.evaluate import evaluate
from contract.policy.fixes import apply_fix, masked
from contract.policy.model import Draft, Facts, Finding, Fix, FixKind
from tests.contract.policy.conftest import NOW_UTC_MS, Decide

CARDS = [
    "4111 1111 1111 1111",
    "4111111111111111",
    "3782 822463 10005",
    "４１１１1111\u200b11111111",
]
IBANS = ["DE89 3704 0044 0532 0130 00", "NL91ABNA0417164300", "NO93 8601 1117 947"]


def fix_of(finding: Finding, kind: FixKind) -> Fix:
    """Return the finding's fix of a kind."""
    return next(fix for fix in finding.fixes if fix.kind is kind)


def test_a_mask_keeps_the_last_four() -> None:
    assert masked("4111111111111111") == "•••• •••• •••• 1111"
    assert masked("378282246310005") == "•••• •••• ••• 0005"
    assert masked("123") == "123"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("my card 4111 1111 1111 1111 please", "my card please"),
        ("4111 1111 1111 1111 please", "please"),
        ("my card 4111 1111 1111 1111", "my card"),
        ("my card 4111 1111 1111 1111.", "my card ."),
    ],
)
def test_removing_leaves_no_doubled_space(decide: Decide, text: str, after: str) -> None:
    (finding,) = decide(text).findings
    assert apply_fix(text, finding, fix_of(finding, FixKind.REMOVE)) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("it is guaranteed now", "it is expected now"),
        ("Guaranteed!", "Expected!"),
        ("GUARANTEED", "EXPECTED"),
        ("元本保証です", "元本確保を目指すです"),
    ],
)
def test_a_suggestion_takes_the_words_case(decide: Decide, text: str, after: str) -> None:
    (finding,) = decide(text).findings
    fix = fix_of(finding, FixKind.REPLACE)
    assert apply_fix(text, finding, fix) == after
    assert decide(after).findings == ()


def test_the_label_names_the_suggestion(decide: Decide) -> None:
    (finding,) = decide("guaranteed").findings
    assert fix_of(finding, FixKind.REPLACE).label == "Say “expected”"


def test_a_disclaimer_is_added_at_the_end(files: dict[str, bytes]) -> None:
    changed = dict(files)
    changed["messages.csv"] += b"capital,en,Capital at risk.,\n"
    changed["rules.yaml"] += (
        b"\n  - {id: words.fund, kind: regex, pattern: '\\bfund\\b', action: warn,"
        b" message: promissory, category: Words, fixes: [add_disclaimer], disclaimer: capital}\n"
    )
    bundle = compile_bundle(changed)
    draft = Draft(text="The fund \n", conversation_id="c", channel="sms")
    (finding,) = evaluate(bundle, Facts(now_utc_ms=NOW_UTC_MS), draft).findings
    assert apply_fix(draft.text, finding, finding.fixes[0]) == "The fund\n\nCapital at risk."


@given(
    before=st.text(max_size=20),
    number=st.sampled_from(CARDS + IBANS),
    after=st.text(max_size=20),
    kind=st.sampled_from([FixKind.MASK, FixKind.REMOVE]),
)
def test_mending_ends_in_a_draft_without_findings(
    bundle: CompiledBundle, before: str, number: str, after: str, kind: FixKind
) -> None:
    text = f"{before} {number} {after}"
    for _ in range(8):
        draft = Draft(text=text, conversation_id="c", channel="sms")
        findings = [
            finding
            for finding in evaluate(bundle, Facts(now_utc_ms=NOW_UTC_MS), draft).findings
            if finding.fixes
        ]
        if not findings:
            return
        mended = apply_fix(text, findings[0], fix_of(findings[0], kind))
        assert len(mended.encode("utf-8", "surrogatepass")) != 0 or kind is FixKind.REMOVE
        assert mended != text
        text = mended
    pytest.fail("mending never ended")


def test_a_stale_finding_is_refused(decide: Decide) -> None:
    (finding,) = decide("a long text, guaranteed").findings
    with pytest.raises(ValueError, match="does not belong"):
        apply_fix("short", finding, finding.fixes[0])
