"""Describes what the composer shows at one moment, as frozen values.

It never decides anything about a message; the presenter fills it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from contract.ids import AttachmentId, MessageId
from contract.wire import Attachment
from ui.models.finding_answers import Answers
from ui.models.findings import Verdict
from ui.models.sendability import Gate, Sendability


class UploadStep(StrEnum):
    """How far a file has come."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class QuotedMessage:
    """What the draft answers, or (`edited`) gives other words to."""

    message_id: MessageId
    author_name: str
    text: str
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of the draft; `attachment_id` is set once it is READY, `percent` counts to it."""

    number: int
    name: str
    size_bytes: int
    step: UploadStep
    attachment_id: AttachmentId | None = None
    attachment: Attachment | None = None
    path: Path | None = None
    fault: str = ""
    percent: int = 0


@dataclass(frozen=True, slots=True)
class SendButton:
    """The Send button's words; `reason` says in full why it is off, "" when it is on.

    `shown_reason` is it where a line beside the button has to say it too, because nothing above
    the text does.
    """

    label: str
    enabled: bool
    reason: str = ""
    shown_reason: str = ""


@dataclass(frozen=True, slots=True)
class ComposerState:
    """Everything the composer shows besides the text itself.

    `verdict_stale` tells that the verdict belongs to an earlier text, so that its places in the
    text no longer count.
    """

    ready: bool
    sendability: Sendability
    verdict: Verdict
    send: SendButton
    counter: str = ""
    over_limit: bool = False
    quote: QuotedMessage | None = None
    uploads: tuple[Upload, ...] = ()
    verdict_stale: bool = False
    asks_reason: bool = False
    reason: str = ""
    reason_note: str = ""
    go_ahead_note: str = ""
    fault: str = ""

    @property
    def status(self) -> str:
        """Return the line beside the buttons: why Send is off, else how the window stands."""
        return self.go_ahead_note or self.send.shown_reason or self.sendability.window_text


_GATE_LABEL = {
    Gate.WINDOW_CLOSED: "Send — window closed",
    Gate.NATIVE: "Send — read-only",
    Gate.WALLED: "Send — not allowed",
    Gate.OPTED_OUT: "Send — opted out",
    Gate.CONSENT_FIRST: "Send — consent first",
    Gate.NO_CHANNEL: "Send — no channel",
}
REASON_MISSED = "Say in a few words why this may go. Compliance can read it."
# The counter appears only near the limit, so that it says something when it is there.
_COUNTER_FROM = 0.8


def send_button(
    state_of: Sendability,
    found: Verdict,
    text: str,
    uploads: tuple[Upload, ...],
    answers: Answers,
    *,
    sending: bool,
) -> SendButton:
    """Return the button for a draft: the first thing in the way decides its words."""
    if state_of.gate is not Gate.OPEN:
        return SendButton(_GATE_LABEL[state_of.gate], False, state_of.note)
    if found.to_mend:
        return _off(f"Send — {found.to_mend} to mend", "Mend what is marked in red first.")
    over = len(text) - state_of.text_max_chars
    if over > 0:
        return _off("Send — too long", f"Shorten the text by {over} characters.")
    if any(upload.step is UploadStep.RUNNING for upload in uploads):
        return _off("Send — file on its way", "A file is still being uploaded.")
    if any(upload.step is UploadStep.FAILED for upload in uploads):
        return _off("Send — file not ready", "Remove or retry the failed file.")
    if not text.strip() and not uploads:
        return SendButton("Send", False, "Write something first.")
    return SendButton(_open_label(found, answers), not sending, "Being sent." if sending else "")


def _off(label: str, reason: str) -> SendButton:
    return SendButton(label, False, reason, reason)


def counter(text: str, limit_chars: int) -> str:
    """Return "150 / 160" once a text nears its channel's limit, else ""."""
    if len(text) < limit_chars * _COUNTER_FROM:
        return ""
    return f"{len(text)} / {limit_chars}"


def _open_label(found: Verdict, answers: Answers) -> str:
    if found.needs_approval:
        return "Ask for approval"
    if found.needs_reason:
        return "Send with reason" if answers.has_reason else "Send with reason…"
    return "Send anyway" if found.warned else "Send"
