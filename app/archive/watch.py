"""Owns the loop that keeps an eye on the archive: newest tree, late seals, alarm, statements.

It never sends a message and never holds one up by itself: the lanes ask `may_send`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.archive.alarm_bell import AlarmBell
from app.archive.confirmer import Confirmer
from app.archive.keeper import CheckpointKeeper
from app.archive.mismatch import Mismatch, SecondCheckPending
from app.archive.pins import Policy
from app.archive.refusals import RefusalCheck
from app.archive.trust_keeper import TrustKeeper
from app.domain.archive import AlarmKind, VerifiedEntry
from app.domain.errors import AppError
from app.domain.timeline import OutboxEntry
from app.faults import to_app_error
from app.store.store import Store
from backend_client.backoff import Backoff, wait_or
from backend_client.client import GovernedApi
from backend_client.errors import ClientError, ProblemReply
from contract.events import Erased, Sealed
from contract.ids import MessageId
from contract.receipts.errors import FaultCode
from contract.wire import CapabilitiesDocument

_LOG = logging.getLogger(__name__)

CHECK_EVERY_S = 60.0
FIRST_RETRY_S = 0.5
MOST_RETRY_S = 30.0
MOST_SEALS = 1_000


class ArchiveWatch:
    """Woken by seals, by the line coming up and by submissions that wait for their receipt."""

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        keeper: CheckpointKeeper,
        trust: TrustKeeper,
        bell: AlarmBell,
        confirmer: Confirmer,
        capabilities: Callable[[], CapabilitiesDocument | None],
        verified: Callable[[], None],
    ) -> None:
        self._api = api
        self._store = store
        self._keeper = keeper
        self._trust = trust
        self._bell = bell
        self._confirmer = confirmer
        self._refusals = RefusalCheck(api, store, confirmer)
        self._capabilities = capabilities
        self._verified = verified
        self._woken = asyncio.Event()
        self._check_due = True
        self._seals: dict[MessageId, Sealed] = {}

    def may_send(self) -> bool:
        """Tell whether no alarm stands."""
        return self._bell.alarm is None

    def wake(self, *, check: bool = False) -> None:
        """Look at what waits; with `check` also at the archive's newest tree."""
        self._check_due = self._check_due or check
        self._woken.set()

    def heard(self, news: Sealed | Erased) -> None:
        """Take the receipt of a submission answered before its seal, or look what was erased."""
        if isinstance(news, Sealed) and len(self._seals) < MOST_SEALS:
            self._seals[news.message_id] = news  # beyond that, receipts are asked for
        self._woken.set()

    async def run(self) -> None:
        """Watch for ever; cancel to stop."""
        patience = Backoff(FIRST_RETRY_S, MOST_RETRY_S)
        loop = asyncio.get_running_loop()
        checked_s = 0.0
        while True:
            sleep_s = CHECK_EVERY_S
            if loop.time() - checked_s >= CHECK_EVERY_S:
                self._check_due = True
            try:
                await self._trust.refound(
                    self._capabilities(), alarmed=self._bell.alarm is not None
                )
                if self._bell.alarm is not None:
                    await self._face_alarm()
                elif self._check_due:
                    await self._check_newest()
                    checked_s, self._check_due = loop.time(), False
                if await self._settle_accepted():
                    sleep_s = patience.next_s()
                else:
                    patience.reset()
            except ClientError as fault:
                _LOG.info("archive not checked: %s", to_app_error(fault).code)
                sleep_s = patience.next_s()
            except AppError as fault:
                _LOG.error("archive watch: %s", fault.code)
                sleep_s = patience.next_s()
            if self._bell.alarm is not None:
                sleep_s = min(sleep_s, MOST_RETRY_S)
            await wait_or(self._woken, sleep_s)

    async def _check_newest(self) -> None:
        """Verify the newest tree; a late witness is no alarm, the next round asks again."""

        async def check(policy: Policy) -> bool:
            await self._keeper.check_newest(policy)
            return True

        try:
            if await self._confirmer.guarded(check):
                self._verified()
        except SecondCheckPending:
            _LOG.info("the archive's second check is pending")

    async def _face_alarm(self) -> None:
        """Tell Compliance; ask whether a statement explains what was seen, then check again."""
        await self._trust.apply_statements()
        # Also one that a person's look at a receipt has followed since the alarm.
        explained = self._trust.followed > self._confirmer.followed_before_alarm
        if explained and await self._holds_now():
            await self._bell.end()
            return
        await self._bell.tell()

    async def _holds_now(self) -> bool:
        policy, followed = self._trust.policy, self._trust.followed
        if policy is None:
            return False
        try:
            await self._keeper.check_newest(policy)
        except SecondCheckPending:
            _LOG.info("the archive's second check is pending")
            return False
        except Mismatch:
            _LOG.warning("the statement does not explain the archive's alarm")
            self._confirmer.followed_before_alarm = followed
            return False
        self._verified()
        return True

    async def _settle_accepted(self) -> bool:
        """Verify what was taken without a verified receipt; return True while any waits."""
        entries = await self._accepted()
        if self._trust.keyless(self._capabilities()):
            for entry in entries:  # nobody's keys are pinned: there is nothing to wait for
                await self._store.outbox.forget(entry.message_id)
            return False
        waiting = False
        for entry in entries:
            verified = await self._confirm(entry)
            if verified is None:
                waiting = True
            else:
                await self._store.archive.settle(verified)
        if self._bell.alarm is None and await self._refusals.settle(self._seals):
            waiting = True
        self._seals.clear()
        return waiting

    async def _accepted(self) -> tuple[OutboxEntry, ...]:
        """Return what waits for its receipt; what was erased meanwhile leaves its words behind."""
        entries = await self._store.archive.accepted()
        erased = await self._store.archive.erased_among([one.message_id for one in entries])
        for message_id in erased:
            await self._store.outbox.forget(MessageId(message_id))
        return tuple(one for one in entries if one.message_id not in erased)

    async def _confirm(self, entry: OutboxEntry) -> VerifiedEntry | None:
        seal = self._seals.get(entry.message_id)
        if seal is not None and seal.receipt:
            return await self._confirmer.confirm(entry, seal.receipt, seal.decision_hash)
        if self._bell.alarm is not None:
            return None
        # Looked at before asking: a seal may come while the service still says that there is none.
        row = await self._store.timeline.message(entry.message_id)
        said_sealed = row is not None and row.message.archive is not None
        try:
            found = await self._api.archive.receipt(entry.message_id, entry.revision)
        except ProblemReply as fault:
            if fault.status not in {404, 409}:
                raise
            if said_sealed:
                await self._ring_for_gap()
            return None
        return await self._confirmer.confirm(entry, found.receipt, found.decision_hash)

    async def _ring_for_gap(self) -> None:
        """The service says that it sealed a message and gives no receipt of it."""

        async def check(policy: Policy) -> None:
            raise Mismatch(AlarmKind.GAP, FaultCode.PROOF_OUT_OF_RANGE)

        await self._confirmer.guarded(check)
