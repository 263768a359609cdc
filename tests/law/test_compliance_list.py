"""The list in docs/compliance.md: every test it names exists, and every law test is in it.

It does not test what a rule decides.
"""

from __future__ import annotations

import re

from contract.policy.bundle_source import RULES_FILE
from tests.support.surroundings import ROOT

LIST = (ROOT / "docs" / "compliance.md").read_text(encoding="utf-8")
RULES = range(1, 15)


def test_the_list_and_the_tests_name_each_other() -> None:
    named = set(re.findall(r"`(tests/law/\w+\.py::test_rule_\w+)`", LIST))
    there = {
        f"tests/law/{path.name}::{name}"
        for path in (ROOT / "tests" / "law").glob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_rule_\w+)", path.read_text("utf-8"), re.M)
    }
    assert named == there


def test_every_rule_is_decided_or_named_as_missing() -> None:
    decided = {int(number) for number in re.findall(r"^\| (\d+) [a-zA-Z]", LIST, re.M)}
    missing = {int(number) for number in re.findall(r"^\| (\d+) \|", LIST, re.M)}
    assert decided | missing == set(RULES)


def test_the_rules_it_names_are_shipped() -> None:
    shipped = (ROOT / "resources" / "policy" / RULES_FILE).read_text("utf-8")
    ids = re.findall(r"rules? `([a-z.-]+)[.*-]*`", LIST)
    assert ids
    for rule_id in ids:
        assert f"- id: {rule_id}" in shipped, rule_id
