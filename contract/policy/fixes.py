"""Owns the mending of a finding: which fixes it gets and what the text is afterwards.

It never changes anything outside the finding's span but one doubled space beside it.
"""

from __future__ import annotations

from contract.policy.messages import Catalogue
from contract.policy.model import Finding, Fix, FixKind
from contract.policy.rules import Rule

MASK_SIGN = "•"
KEPT_CHARS = 4
_GROUP = 4


def apply_fix(text: str, finding: Finding, fix: Fix) -> str:
    """Return the text with one finding mended; `text` is the one the finding was made on.

    Raises ValueError when the finding's span lies outside the text.
    """
    if not 0 <= finding.start <= finding.end <= len(text):
        raise ValueError("the finding does not belong to this text")
    before, after = text[: finding.start], text[finding.end :]
    if fix.kind is FixKind.ADD_DISCLAIMER:
        return f"{text.rstrip()}\n\n{fix.replacement}"
    if fix.kind is not FixKind.REMOVE:
        return before + fix.replacement + after
    if after.startswith(" ") and (not before or before.endswith((" ", "\n"))):
        after = after[1:]
    elif not after and before.endswith(" "):
        before = before[:-1]
    return before + after


def masked(value: str) -> str:
    """Return an identifier with all but its last four characters covered, in groups of four."""
    covered = MASK_SIGN * max(len(value) - KEPT_CHARS, 0)
    groups = [covered[start : start + _GROUP] for start in range(0, len(covered), _GROUP)]
    return " ".join([*groups, value[-KEPT_CHARS:]])


def fixes_for(
    rule: Rule, catalogue: Catalogue, language: str, match: str, value: str, suggestion: str
) -> tuple[Fix, ...]:
    """Return the fixes a rule offers for one finding, with labels in the given language.

    `match` is the text found, `value` a bare identifier or empty, `suggestion` a replacement
    or empty; fixes that need what is empty are left out.
    """
    fixes: list[Fix] = []
    for kind in rule.fixes:
        replacement = {
            FixKind.MASK: masked(value) if value else "",
            FixKind.REMOVE: "",
            FixKind.REPLACE: _in_case_of(match, suggestion),
            FixKind.ADD_DISCLAIMER: "",
            FixKind.MOVE: "",
        }[kind]
        if kind is FixKind.ADD_DISCLAIMER:
            replacement = catalogue.words(rule.disclaimer, language).title
        if not replacement and kind is not FixKind.REMOVE:
            continue
        label = catalogue.words(f"fix.{kind.value}", language, replacement=replacement).title
        fixes.append(Fix(kind=kind, label=label, replacement=replacement))
    return tuple(fixes)


def _in_case_of(match: str, suggestion: str) -> str:
    letters = [char for char in match if char.isalpha()]
    if len(letters) > 1 and all(char.isupper() for char in letters):
        return suggestion.upper()
    if letters and letters[0].isupper():
        return suggestion[:1].upper() + suggestion[1:]
    return suggestion
