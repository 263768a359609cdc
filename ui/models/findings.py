"""Turns a policy decision into what the composer shows: rows, underlines, the Send button.

It never evaluates a draft and never changes its text.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.policy.model import Action, Decision, Finding, Fix

MAX_ROWS = 4


@dataclass(frozen=True, slots=True)
class Underline:
    """A wavy line below [start, end) in UTF-16 units, as Qt's text cursor counts."""

    start: int
    end: int
    severity: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding above the text; `severity` is block, warn or hint.

    `start` and `end` are UTF-16 units of the text the decision was made for; `words` is what
    stands there, so that a fix is only applied to the text it was made for.
    """

    key: str
    severity: str
    headline: str
    detail: str
    fixes: tuple[Fix, ...]
    why: str
    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the decision means for sending.

    `to_mend` counts blocking findings; `needs_reason` asks for one before sending.
    """

    rows: tuple[FindingRow, ...] = ()
    underlines: tuple[Underline, ...] = ()
    to_mend: int = 0
    needs_reason: bool = False
    needs_approval: bool = False
    warned: bool = False


def utf16_offset(text: str, code_points: int) -> int:
    """Return how many UTF-16 units the first `code_points` characters of `text` take."""
    head = text[:code_points]
    return len(head) + sum(1 for char in head if ord(char) > 0xFFFF)


def verdict(decision: Decision, text: str, *, words_only: bool = False) -> Verdict:
    """Read `decision`, made for exactly `text`; rows stand most severe first.

    `words_only` leaves out findings about the recipient, which stand on no words.
    """
    shown = [
        finding
        for finding in decision.findings
        if finding.action.rank >= Action.HINT.rank
        and not (words_only and finding.start == finding.end)
    ]
    to_mend = sum(1 for finding in shown if finding.action is Action.BLOCK)
    rows = tuple(_row(finding, text, blocked=to_mend > 0) for finding in shown)
    lines = tuple(
        Underline(row.start, row.end, row.severity) for row in rows if row.end > row.start
    )
    return Verdict(
        rows=rows,
        underlines=lines,
        to_mend=to_mend,
        needs_reason=any(finding.action is Action.JUSTIFY for finding in shown),
        needs_approval=any(finding.action is Action.APPROVE for finding in shown),
        warned=any(finding.action is Action.WARN for finding in shown),
    )


def fresh_rows(before: Verdict, after: Verdict) -> tuple[FindingRow, ...]:
    """Return the rows of `after` that a listener has not heard of yet."""
    known = {row.key for row in before.rows}
    return tuple(row for row in after.rows if row.key not in known)


def spoken(row: FindingRow) -> str:
    """Return the row as one sentence for a screen reader."""
    lead = {"block": "To mend", "warn": "Please check"}.get(row.severity, "Hint")
    return f"{lead}: {row.headline}. {row.detail}".strip()


def _row(finding: Finding, text: str, *, blocked: bool) -> FindingRow:
    start, end = finding.start, finding.end
    # Repeated hits of one rule are told apart by their order, not by their moving place.
    words = text[start:end]
    return FindingRow(
        key=f"{finding.rule_id}|{words.casefold()}",
        severity=_severity(finding.action),
        headline=finding.message,
        detail=_detail(finding, blocked=blocked),
        fixes=finding.fixes,
        why=finding.why,
        start=utf16_offset(text, start),
        end=utf16_offset(text, end),
        words=words,
    )


def _severity(action: Action) -> str:
    if action is Action.BLOCK:
        return "block"
    return "hint" if action is Action.HINT else "warn"


def _detail(finding: Finding, *, blocked: bool) -> str:
    if not blocked or finding.action not in (Action.JUSTIFY, Action.APPROVE):
        return finding.detail
    needs = (
        "sending needs a reason"
        if finding.action is Action.JUSTIFY
        else ("it goes to a supervisor first")
    )
    return f"once the rest is mended, {needs}."
