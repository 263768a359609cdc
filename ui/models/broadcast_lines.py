"""Turns the decisions on one text to several clients into the lines of the per-person matrix.

It never decides: a line says what the rules said, in plain words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.broadcast import Answers, BroadcastLine
from contract.policy.matrix import Reach
from contract.policy.model import Action
from ui.models.finding_answers import Answers as Given
from ui.models.sendability import CHANNEL_NAMES

_REACH_WORDS = {
    Reach.FREE_TEXT: "Free text",
    Reach.TEMPLATE: "Template only",
    Reach.NO_CONSENT: "No consent",
    Reach.OPTED_OUT: "Opted out",
    Reach.NOT_ALLOWED: "Not allowed",
}
_TONES = {
    Reach.FREE_TEXT: "ok",
    Reach.TEMPLATE: "warn",
    Reach.NO_CONSENT: "block",
    Reach.OPTED_OUT: "block",
    Reach.NOT_ALLOWED: "block",
}
_NATIVE = "Native: answer on your phone"


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One person: `verdict` in a word or two, `note` says more; `tone` is ok, warn, block."""

    conversation_id: str
    name: str
    channel: str
    verdict: str
    note: str
    tone: str
    sendable: bool

    @property
    def spoken(self) -> str:
        """Return the row as a screen reader says it."""
        parts = (self.name, self.channel, self.verdict, self.note)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class MatrixSummary:
    """What the foot of the dialog says; `needs_reason` and `warned` ask for an answer for all."""

    words: str
    button: str
    sendable: int
    needs_reason: bool
    warned: tuple[str, ...]

    def answers(self, reason: str) -> Answers:
        """Return the answers that go with each message once the person pressed Send."""
        return Answers(reason.strip() if self.needs_reason else "", self.warned)

    def problem(self, reason: str) -> str:
        """Return what keeps the text from being sent, "" when nothing does."""
        if not self.sendable:
            return "Nobody on the list can get this text."
        if self.needs_reason and not Given(justification=reason).has_reason:
            return "Give a reason in a few words."
        return ""


def matrix_rows(lines: Sequence[BroadcastLine]) -> tuple[MatrixRow, ...]:
    """Return a row for each line, in the order of the lines."""
    return tuple(_row(line) for line in lines)


def summary_of(lines: Sequence[BroadcastLine]) -> MatrixSummary:
    """Count who gets the text and gather what has to be answered first."""
    sendable = [line for line in lines if line.sendable]
    held = sum(line.held for line in sendable)
    left = len(lines) - len(sendable)
    findings = [finding for line in sendable for finding in line.decision.findings]
    warned = {one.rule_id for one in findings if one.action is Action.WARN}
    parts = [f"{len(sendable)} of {len(lines)} get it, each in a chat of their own."]
    if left:
        parts.append(f"{left} will not.")
    if held:
        parts.append("It waits for your supervisor first.")
    return MatrixSummary(
        words=" ".join(parts),
        button=f"Ask for approval ({len(sendable)})" if held else f"Send to {len(sendable)}",
        sendable=len(sendable),
        needs_reason=any(one.action is Action.JUSTIFY for one in findings),
        warned=tuple(sorted(warned)),
    )


def _row(line: BroadcastLine) -> MatrixRow:
    verdict, tone, note = _REACH_WORDS[line.reach], _TONES[line.reach], ""
    if line.readonly:
        verdict, tone = _NATIVE, "block"
    elif line.decision.findings:
        worst = line.decision.findings[0]
        note = worst.message
        if line.reach is Reach.FREE_TEXT:
            verdict, tone = _BY_ACTION.get(worst.action, (verdict, tone))
    return MatrixRow(
        conversation_id=line.conversation_id,
        name=line.name,
        channel=CHANNEL_NAMES[line.channel],
        verdict=verdict,
        note=note,
        tone=tone,
        sendable=line.sendable,
    )


_BY_ACTION = {
    Action.BLOCK: ("Not this text", "block"),
    Action.APPROVE: ("Needs approval", "warn"),
    Action.JUSTIFY: ("Needs a reason", "warn"),
    Action.WARN: ("Free text, with a warning", "warn"),
}
