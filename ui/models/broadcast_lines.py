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
_READONLY = "Not from here"
_TOO_LONG = "Too long"
_READONLY_NOTE = "This chat takes no messages from Parley. Answer where the client wrote."
_NO_RULES = "Your firm's rules have not arrived yet. Sending works as soon as they have."


@dataclass(frozen=True, slots=True)
class ClientChat:
    """A chat with one client, to choose from; `channel` is the channel's name."""

    conversation_id: str
    title: str
    channel: str

    @property
    def words(self) -> str:
        """Return the chat as it is read out and searched."""
        return f"{self.title} · {self.channel}"


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
    def client(self) -> str:
        """Return the person with the channel, as one may have chats on several."""
        return f"{self.name} · {self.channel}"

    @property
    def spoken(self) -> str:
        """Return the row as a screen reader says it."""
        parts = (self.name, self.channel, self.verdict, self.note)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class MatrixSummary:
    """What the foot of the dialog says; `needs_reason` and `warned` ask for an answer for all.

    `obstacle` says what keeps anything from being sent whoever is chosen, "" when nothing does.
    """

    words: str
    button: str
    sendable: int
    needs_reason: bool
    warned: tuple[str, ...]
    obstacle: str = ""

    def answers(self, reason: str) -> Answers:
        """Return the answers that go with each message once the person pressed Send."""
        return Answers(reason.strip() if self.needs_reason else "", self.warned)

    def problem(self, reason: str) -> str:
        """Return what keeps the text from being sent, "" when nothing does."""
        if self.obstacle:
            return self.obstacle
        if not self.sendable:
            return "Nobody on the list can get this text."
        if self.needs_reason and not Given(justification=reason).has_reason:
            return "Give a reason in a few words."
        return ""


def matrix_rows(lines: Sequence[BroadcastLine]) -> tuple[MatrixRow, ...]:
    """Return a row for each line: those who will not get it first, else in the lines' order."""
    return tuple(_row(line) for line in sorted(lines, key=lambda line: line.sendable))


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
        who = "All" if held == len(sendable) else f"{held} of them"
        parts.append(f"{who} will wait for your supervisor first.")
    return MatrixSummary(
        words=" ".join(parts),
        button=_button(len(sendable), held),
        sendable=len(sendable),
        needs_reason=any(one.action is Action.JUSTIFY for one in findings),
        warned=tuple(sorted(warned)),
    )


def no_rules() -> MatrixSummary:
    """Return what stands at the foot while no policy has arrived: nothing can be sent."""
    return MatrixSummary("", "Send", 0, needs_reason=False, warned=(), obstacle=_NO_RULES)


def _button(sendable: int, held: int) -> str:
    if not sendable:
        return "Send"
    return f"Ask for approval ({sendable})" if held == sendable else f"Send to {sendable}"


def _row(line: BroadcastLine) -> MatrixRow:
    verdict, tone, note = _REACH_WORDS[line.reach], _TONES[line.reach], ""
    if line.readonly:
        verdict, tone, note = _READONLY, "block", _READONLY_NOTE
    elif line.decision.findings:
        worst = line.decision.findings[0]
        note = _note(line)
        if line.reach is Reach.FREE_TEXT:
            verdict, tone = _BY_ACTION.get(worst.action, (verdict, tone))
    if line.excess_chars and line.sendable_but_for_length:
        verdict, tone = _TOO_LONG, "block"
        note = f"{line.excess_chars} characters more than {CHANNEL_NAMES[line.channel]} takes."
    return MatrixRow(
        conversation_id=line.conversation_id,
        name=line.name,
        channel=CHANNEL_NAMES[line.channel],
        verdict=verdict,
        note=note,
        tone=tone,
        sendable=line.sendable,
    )


def _note(line: BroadcastLine) -> str:
    """Return what has to be mended or answered, each once, the most severe kind alone."""
    worst = line.decision.findings[0].action
    said = (one.message for one in line.decision.findings if one.action is worst)
    return "; ".join(dict.fromkeys(said))


_BY_ACTION = {
    Action.BLOCK: ("Not this text", "block"),
    Action.APPROVE: ("Needs approval", "warn"),
    Action.JUSTIFY: ("Needs a reason", "warn"),
    Action.WARN: ("With a warning", "warn"),
}
# Every verdict there is, so that the matrix can keep room for the widest.
VERDICTS = (
    *_REACH_WORDS.values(),
    *(words for words, _ in _BY_ACTION.values()),
    _READONLY,
    _TOO_LONG,
)
