"""Owns what becomes of a receipt: verified against what was sent, the tree admitted, or alarm.

It never calls anything archived that this computer has not verified.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.archive.alarm_bell import AlarmBell
from app.archive.keeper import CheckpointKeeper
from app.archive.mismatch import Mismatch, SecondCheckPending
from app.archive.pins import Policy
from app.archive.trust_keeper import TrustKeeper
from app.archive.verifier import Proven, edited_leaf, own_leaf, prove
from app.domain.archive import VerifiedEntry
from app.domain.clock import Clock
from app.domain.timeline import OutboxEntry
from app.store.store import Store
from backend_client.errors import ClientError
from contract.ids import ConversationId, MessageId
from contract.wire import Me, Message, SubmitMessage

T = TypeVar("T")

_LOG = logging.getLogger(__name__)

# Statements may follow each other while a check runs, but no service gets to ask for ever.
_MOST_TURNS = 4


class Confirmer:
    """Verifies receipts; a mismatch no statement explains rings the alarm.

    `followed_before_alarm` is how many statements this run had followed when it rang.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        keeper: CheckpointKeeper,
        trust: TrustKeeper,
        bell: AlarmBell,
        me: Callable[[], Me | None],
        verified: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._keeper = keeper
        self._trust = trust
        self._bell = bell
        self._me = me
        self._verified = verified
        self.followed_before_alarm = 0

    async def confirm(
        self, entry: OutboxEntry, receipt: str, decision_hash: str
    ) -> VerifiedEntry | None:
        """Return what a receipt proves of a submission, None when that has to wait.

        It waits for a late witness, for the line, for keys, and while an alarm stands. Raises
        nothing of these; a mismatch has rung the alarm when this returns.
        """
        files = await self._store.drafts.attachments(entry.attachment_ids)
        hashes = [file.sha256 for file in files]
        proven = await self._proven(receipt, lambda me: own_leaf(entry, me, decision_hash, hashes))
        if proven is None:
            return None
        return self._entry(proven, entry.message_id, entry.conversation_id, entry.revision)

    async def confirm_edit(
        self, command: SubmitMessage, before: Message, receipt: str, decision_hash: str
    ) -> VerifiedEntry | None:
        """Return what a receipt proves of an edit of `before`; as `confirm`."""
        if before.archive is None:
            return None
        proven = await self._proven(
            receipt, lambda me: edited_leaf(command, before, me, decision_hash)
        )
        if proven is None:
            return None
        return self._entry(proven, before.message_id, before.conversation_id, command.revision)

    async def _proven(self, receipt: str, leaf_of: Callable[[Me], bytes]) -> Proven | None:
        me = self._me()
        if not receipt or me is None or self._trust.policy is None or self._bell.alarm is not None:
            return None

        async def check(policy: Policy) -> Proven:
            return await self.check(receipt.encode(), leaf_of(me), policy)

        try:
            return await self.guarded(check)
        except (ClientError, SecondCheckPending) as reason:
            _LOG.info("a receipt waits: %s", type(reason).__name__)
            return None

    def _entry(
        self, proven: Proven, message_id: MessageId, home: ConversationId, revision: int
    ) -> VerifiedEntry:
        return VerifiedEntry(
            message_id=message_id,
            conversation_id=home,
            revision=revision,
            index=proven.index,
            leaf_hash=proven.leaf_hash,
            verified_at_utc_ms=self._clock.now_utc_ms(),
        )

    async def check(self, receipt: bytes, leaf: bytes, policy: Policy) -> Proven:
        """Verify a receipt on a worker thread and admit its tree.

        Raises Mismatch, SecondCheckPending, ClientError.
        """
        era = self._keeper.era
        proven = await asyncio.to_thread(prove, receipt, leaf, policy)
        if proven.checkpoint.origin == policy.log.name:  # else of a log this one has followed
            await self._keeper.admit(proven.checkpoint, proven.note, era)
        self._verified()
        return proven

    async def guarded(self, check: Callable[[Policy], Awaitable[T]]) -> T | None:
        """Run a check; at a mismatch look for statements and run it again, else ring the alarm.

        Returns None after the alarm, and without keys. Other errors pass.
        """
        for turn in range(_MOST_TURNS):
            policy = self._trust.policy
            if policy is None:
                return None
            try:
                return await check(policy)
            except Mismatch as reason:
                mismatch = reason
            if turn == _MOST_TURNS - 1 or not await self._explained(policy):
                break
        if self._bell.alarm is None:
            self.followed_before_alarm = self._trust.followed
        await self._bell.ring(mismatch, self._keeper.tree)
        return None

    async def _explained(self, policy: Policy) -> bool:
        """Follow new statements; when none can be asked for now the alarm does not wait.

        One that another check has followed since this one took `policy` explains as much.
        """
        try:
            await self._trust.apply_statements()
        except ClientError:
            _LOG.info("statements can't be asked for now")
        return self._trust.policy is not policy
