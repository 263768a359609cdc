"""Rows and windows of one conversation's timeline, the outbox laid over the server's truth.

It never measures or paints.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.ids import AttachmentId, ConversationId, MessageId
from contract.states import OutboxState
from contract.wire import Message, WireFinding

MAX_WINDOW_ROWS = 500


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One submission made on this computer.

    `undo_until_utc_ms` ends the undo period; `next_attempt_utc_ms` is 0 when none waits;
    `problem_code` and `problem_detail` tell why the last attempt did not succeed;
    `salt` is 64 hex digits for the archive's body commitment; `acknowledged` and
    `false_positives` are ids of rules whose findings the sender went past or reported as wrong.
    """

    message_id: MessageId
    revision: int
    conversation_id: ConversationId
    text: str
    salt: str
    state: OutboxState
    composed_at_utc_ms: int
    undo_until_utc_ms: int = 0
    attempts: int = 0
    next_attempt_utc_ms: int = 0
    quote_message_id: MessageId | None = None
    attachment_ids: tuple[AttachmentId, ...] = ()
    justification: str = ""
    hint_json: bytes = b""
    problem_code: str = ""
    problem_detail: str = ""
    findings: tuple[WireFinding, ...] = ()
    acknowledged: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    template_id: str = ""
    several: int = 0


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One message as shown; `outbox` is set while this computer knows more than the server.

    `verified` tells that this computer has verified the receipt of just this archive entry.
    """

    message: Message
    outbox: OutboxEntry | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class TimelineWindow:
    """At most MAX_WINDOW_ROWS rows in ascending place, with what lies beyond each end."""

    conversation_id: ConversationId
    rows: tuple[TimelineRow, ...]
    has_older: bool
    has_newer: bool
