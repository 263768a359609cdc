"""Keeps the submissions made on this computer until the server's truth has arrived.

It never sends and takes no step that contract.states does not allow.
"""

from __future__ import annotations

from app.domain.drafts import Draft
from app.domain.timeline import OutboxEntry
from contract.ids import ConversationId, MessageId
from contract.states import OutboxEvent
from contract.wire import WireFinding


class OutboxStore:
    """Durable (synchronous=FULL) rows on a thread of their own: sync never delays a send.

    Raises DiskFull with nothing changed; IllegalTransition for steps the table lacks and for
    entries that are no longer there.
    """

    async def add(self, entry: OutboxEntry) -> None:
        """Write a new entry at the end of its conversation's lane; the draft stays."""
        raise NotImplementedError

    async def clear_draft_and_add(self, entry: OutboxEntry) -> None:
        """Write a new entry and remove its conversation's draft in one commit."""
        raise NotImplementedError

    async def transition(
        self,
        message_id: MessageId,
        event: OutboxEvent,
        *,
        next_attempt_utc_ms: int = 0,
        problem_code: str = "",
        problem_detail: str = "",
        findings: tuple[WireFinding, ...] = (),
    ) -> OutboxEntry:
        """Take one step of the table, replace the fields given and return the new entry.

        START counts an attempt. For CANCEL use `cancel`, which keeps the text.
        """
        raise NotImplementedError

    async def heads(self, now_utc_ms: int) -> tuple[OutboxEntry, ...]:
        """Return each lane's head (its oldest entry that is not final) that is due now.

        Due: QUEUED with its attempt time reached, or UNDO with its undo period over.
        """
        raise NotImplementedError

    async def next_due_utc_ms(self) -> int | None:
        """Return when the next head becomes due (may lie in the past), None when none waits."""
        raise NotImplementedError

    async def retry_now(self) -> int:
        """Make every waiting attempt due at once; return how many were waiting."""
        raise NotImplementedError

    async def restart(self) -> int:
        """After a start: UNDO and SENDING become QUEUED by the table; return how many."""
        raise NotImplementedError

    async def get(self, message_id: MessageId) -> OutboxEntry | None:
        """Return one entry or None."""
        raise NotImplementedError

    async def list_waiting(
        self, conversation_id: ConversationId | None = None, limit: int = 500
    ) -> tuple[OutboxEntry, ...]:
        """Return entries of any state as composed, of one conversation or of all."""
        raise NotImplementedError

    async def forget(self, message_id: MessageId) -> None:
        """Remove an entry whose message the cache now holds; nothing happens when it is gone."""
        raise NotImplementedError

    async def cancel(self, message_id: MessageId) -> OutboxEntry:
        """Take an entry back (UNDO, QUEUED, or REFUSED to edit it): its text is a draft again.

        One commit removes the entry and puts its text, quote and files before what the draft
        holds. Returns the entry as CANCELLED. Raises IllegalTransition when it is too late.
        """
        raise NotImplementedError

    async def counts(self) -> tuple[int, int]:
        """Return how many entries wait and how many were refused."""
        raise NotImplementedError
