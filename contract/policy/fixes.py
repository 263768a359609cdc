"""Owns the mending of a finding: which fixes it gets and what the text is afterwards.

It never changes anything outside the finding's span but one doubled space beside it.
"""

from __future__ import annotations

from contract.policy.hits import Hit
from contract.policy.messages import Catalogue
from contract.policy.model import Finding, Fix, FixKind
from contract.policy.rules import Rule, disclaimer_key_of

MASK_SIGN = "•"
KEPT_CHARS = 4
_GROUP = 4


def apply_fix(text: str, finding: Finding, fix: Fix) -> str:
    """Return the text with one finding mended; `text` is the one the finding was made on.

    A draft that is moved keeps its text; the caller opens the other conversation with it.

    Raises ValueError when the finding's span lies outside the text.
    """
    if not 0 <= finding.start <= finding.end <= len(text):
        raise ValueError("the finding does not belong to this text")
    before, after = text[: finding.start], text[finding.end :]
    if fix.kind is FixKind.MOVE:
        return text
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
    rule: Rule, hit: Hit, catalogue: Catalogue, language: str, client_language: str
) -> tuple[Fix, ...]:
    """Return the fixes a rule offers for one hit, with labels in the given language.

    A fix that needs what the hit has not is left out. What is added for the client to read is
    in the client's language where that is known. In a file nothing can be mended.
    """
    fixes: list[Fix] = []
    for kind in rule.fixes:
        if kind is FixKind.ADD_DISCLAIMER:
            key = disclaimer_key_of(rule)
            replacement = catalogue.words(key, client_language or language).title
        else:
            replacement = _replacement(kind, hit)
        if not _can_mend(kind, hit, replacement):
            continue
        named = "" if kind is FixKind.MOVE else replacement
        label = catalogue.words(f"fix.{kind.value}", language, replacement=named).title
        fixes.append(Fix(kind=kind, label=label, replacement=replacement))
    return tuple(fixes)


def _replacement(kind: FixKind, hit: Hit) -> str:
    match kind:
        case FixKind.MASK:
            return masked(hit.value) if hit.value else ""
        case FixKind.REPLACE:
            return _in_case_of(hit.shown, hit.suggestion)
        case FixKind.MOVE:
            return hit.move_to
        case _:
            return ""


def _can_mend(kind: FixKind, hit: Hit, replacement: str) -> bool:
    if hit.attachment:
        return kind is FixKind.MOVE and bool(replacement)
    if kind in (FixKind.MASK, FixKind.REMOVE, FixKind.REPLACE) and hit.end <= hit.start:
        return False
    return bool(replacement) or kind is FixKind.REMOVE


def _in_case_of(match: str, suggestion: str) -> str:
    letters = [char for char in match if char.isalpha()]
    if len(letters) > 1 and all(char.isupper() for char in letters):
        return suggestion.upper()
    if letters and letters[0].isupper():
        return suggestion[:1].upper() + suggestion[1:]
    return suggestion
