"""Owns what the person changes about messages that are out: new words, taking back, reactions.

It never queues a change: without a line it is refused at once, and nothing was changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Protocol

import msgspec

from app.domain.archive import VerifiedEntry
from app.domain.clock import Clock
from app.domain.errors import Conflict, Offline
from app.faults import answered
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ProblemReply
from contract.changes import SetReaction, TakeBack
from contract.ids import MessageId
from contract.problems import ProblemCode
from contract.wire import HintReport, Message, SubmitMessage, Submitted

_MOST_REVISIONS = 20
_OFFLINE = "There is no connection: a sent message can be changed only with one."


class EditProofs(Protocol):
    """Who verifies the receipt of an edit."""

    async def confirm_edit(
        self, command: SubmitMessage, before: Message, receipt: str, decision_hash: str
    ) -> VerifiedEntry | None:
        """Return what a receipt proves, None when that has to wait."""


class SentChanges:
    """Each call ends with the server's message in the cache; raises errors of app.domain.errors."""

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        clock: Clock,
        proofs: EditProofs,
        is_online: Callable[[], bool],
    ) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._proofs = proofs
        self._is_online = is_online
        self._tried: dict[MessageId, int] = {}

    async def edit(
        self,
        message_id: MessageId,
        text: str,
        *,
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
        hint: HintReport | None = None,
    ) -> None:
        """Give a sent message other words; raises PolicyDenied with what was found in them."""
        before = await self._known(message_id)
        command = SubmitMessage(
            message_id=message_id,
            revision=before.revision,
            text=text,
            salt=secrets.token_hex(32),
            composed_at_utc_ms=self._clock.now_utc_ms(),
            quote_message_id=before.quote.message_id if before.quote else None,
            justification=justification,
            acknowledged=acknowledged,
            false_positives=false_positives,
            hint=hint,
        )
        command, submitted = await answered(self._ask(command))
        await self._take(command, before, submitted)

    async def take_back(self, message_id: MessageId) -> None:
        """Have a sent message deleted at the client; the archive keeps it."""
        before = await self._known(message_id)
        command = TakeBack(revision=before.revision, asked_at_utc_ms=self._clock.now_utc_ms())
        message = await answered(self._api.changes.take_back(message_id, command))
        await self._store.cache.apply_answers(messages=(message,))

    async def react(self, message_id: MessageId, emoji: str) -> None:
        """Set the person's reaction to a message; empty takes it away."""
        await self._known(message_id)
        command = SetReaction(emoji=emoji, asked_at_utc_ms=self._clock.now_utc_ms())
        message = await answered(self._api.changes.react(message_id, command))
        await self._store.cache.apply_answers(messages=(message,))

    async def _known(self, message_id: MessageId) -> Message:
        if not self._is_online():
            raise Offline(_OFFLINE)
        row = await self._store.timeline.message(message_id)
        if row is None or row.message.version == 0:
            raise Conflict("This message is not there any more.")
        return row.message

    async def _ask(self, command: SubmitMessage) -> tuple[SubmitMessage, Submitted]:
        """Ask for an edit under the next revision that is free; returns what was asked.

        A refused edit has used its revision up, also one before the program's start.
        """
        for left in reversed(range(_MOST_REVISIONS)):
            revision = max(command.revision, self._tried.get(command.message_id, 0)) + 1
            self._tried[command.message_id] = revision
            command = msgspec.structs.replace(command, revision=revision)
            try:
                return command, await self._api.changes.edit(command)
            except ProblemReply as refused:
                if refused.problem.code != ProblemCode.IDEMPOTENCY_KEY_REUSED or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _take(self, command: SubmitMessage, before: Message, submitted: Submitted) -> None:
        verified = None
        # After a version that is not here yet the receipt can't be checked, and is no alarm.
        if submitted.message.versions_archived == before.versions_archived + 1:
            verified = await self._proofs.confirm_edit(
                command, before, submitted.receipt, submitted.decision_hash
            )
        await self._store.cache.apply_answers(messages=(submitted.message,))
        if verified is not None:
            await self._store.archive.note_verified(verified)
