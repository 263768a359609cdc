"""Rules that can't hold are refused with the file, the line and the reason.

It does not test faults of a single file's form.
"""

from __future__ import annotations

import pytest

from contract.policy.bundle import compile_bundle
from contract.policy.problems import BundleError
from tests.support.policy_bundle import bundle_files


def with_rule(rule: str) -> dict[str, bytes]:
    """Return the bundle with one rule more, on lines of its own."""
    files = bundle_files()
    return files | {"rules.yaml": files["rules.yaml"] + rule.encode()}


def fault_of(files: dict[str, bytes]) -> tuple[int, str]:
    """Return the line and the reason of the one fault in rules.yaml."""
    with pytest.raises(BundleError) as caught:
        compile_bundle(files)
    (problem,) = caught.value.problems
    assert problem.file == "rules.yaml"
    return problem.line, problem.reason


FIRST_LINE = len(bundle_files()["rules.yaml"].splitlines()) + 1
COMMON = "    action: warn\n    message: plain\n    category: Own\n"


@pytest.mark.parametrize(
    ("own", "offset", "reason"),
    [
        ("kind: identifier\n    detect: shoe_size\n", 2, "Invalid enum value 'shoe_size'"),
        ("kind: identifier\n", 0, "missing required field `detect`"),
        ("kind: identifier\n    detect: isin\n    colour: red\n", 3, "unknown field `colour`"),
        ("kind: wrong_client\n    terms: [words/stop.csv]\n", 2, "unknown field `terms`"),
        ("kind: opt_in\n    states: []\n", 2, "length >= 1"),
        ("kind: opt_in\n    states: [maybe]\n", 2, "Invalid enum value 'maybe'"),
        ("kind: attachment\n", 1, "needs one of max_bytes"),
        ("kind: attachment\n    max_bytes: 0\n", 2, ">= 1"),
        ("kind: attachment\n    block_types: [video]\n", 2, "matching regex"),
        ("kind: attachment\n    encrypted: perhaps\n", 2, "Expected `bool`"),
        ("kind: quiet_hours\n    from: '20:00'\n    to: '20:00'\n", 3, "start when they end"),
        ("kind: quiet_hours\n    from: '25:00'\n    to: '20:00'\n", 2, "matching regex"),
        ("kind: quiet_hours\n    from: '20:00'\n", 0, "missing required field `to`"),
        ("kind: retail_reach\n    limit: few\n", 2, "Expected `int`"),
        (
            "kind: gift\n    terms: [words/gift.csv]\n    limit_minor: 100\n    currency: usd\n",
            4,
            "matching regex",
        ),
        (
            "kind: gift\n    terms: [words/none.csv]\n    limit_minor: 100\n    currency: USD\n",
            2,
            "words/none.csv is missing",
        ),
        ("kind: disclaimer\n    text: nothing\n", -1, "no words for 'nothing'"),
        (
            "kind: disclaimer\n    text: risk\n    disclaimer: risk\n",
            3,
            "leave out 'disclaimer'",
        ),
        ("kind: wall\n    fixes: [mask]\n", 2, "can't offer the fix mask"),
        ("kind: lexicon\n    terms: [words/gift.csv]\n    fixes: [move]\n", 3, "the fix move"),
        ("kind: regex\n    pattern: '(?<!a)b'\n", 2, "no look-around"),
        ("kind: regex\n    pattern: '(a)\\1'\n", 2, "not an RE2 pattern"),
        ("kind: regex\n    pattern: ''\n", 2, "length >= 1"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(own: str, offset: int, reason: str) -> None:
    line, why = fault_of(with_rule(f"  - id: own.rule\n    {own}{COMMON}"))
    assert reason in why
    message_line = len(own.splitlines()) + 2
    assert line - FIRST_LINE == (message_line if offset < 0 else offset)


@pytest.mark.parametrize(
    ("action", "override"),
    [
        ("justify", "notAllowed"),
        ("justify", "allowWithoutJustification"),
        ("justify", "allowWithAcknowledgement"),
        ("warn", "notAllowed"),
        ("hint", "allowWithJustification"),
        ("approve", "allowWithJustification"),
        ("block", "allowWithoutJustification"),
    ],
)
def test_an_override_that_contradicts_its_action_is_refused(action: str, override: str) -> None:
    rule = f"  - id: own.rule\n    kind: wall\n    override: {override}\n{COMMON}"
    line, why = fault_of(with_rule(rule.replace("action: warn", f"action: {action}")))
    assert (line - FIRST_LINE, "contradict each other" in why) == (2, True)


@pytest.mark.parametrize("action", ["warn", "justify", "approve", "block"])
def test_every_action_that_stops_may_take_reports_of_false_finds(action: str) -> None:
    rule = f"  - id: own.rule\n    kind: wall\n    override: allowFalsePositiveOverride\n{COMMON}"
    compile_bundle(with_rule(rule.replace("action: warn", f"action: {action}")))


@pytest.mark.parametrize("kind", ["wall", "wrong_client", "account_number"])
def test_words_that_repeat_what_was_found_are_refused_where_they_would_name_somebody(
    kind: str,
) -> None:
    rule = f"  - id: own.rule\n    kind: {kind}\n    action: block\n    message: named\n"
    _, why = fault_of(with_rule(rule + "    category: Own\n"))
    assert "must not repeat what was found" in why


def test_all_faults_are_told_at_once() -> None:
    files = bundle_files()
    rules = (
        files["rules.yaml"]
        .replace(b"limit: 25", b"limit: 26")
        .replace(b"fixes: [mask]", b"fixes: [replace]")
    )
    rules = rules.replace(b"message: wall", b"message: hill")
    with pytest.raises(BundleError) as caught:
        compile_bundle(files | {"rules.yaml": rules})
    assert len(caught.value.problems) == 2
