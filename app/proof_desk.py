"""Composes the archive's proofs: keys from settings, newest tree, alarm, receipts, the watch.

It holds no rule of its own; app.archive does.
"""

from __future__ import annotations

from collections.abc import Callable

from app.archive.alarm_bell import AlarmBell
from app.archive.confirmer import Confirmer
from app.archive.keeper import CheckpointKeeper, SeenTree
from app.archive.pins import SAMPLE_WORKSPACE, ManagedKeys
from app.archive.receipt_desk import ReceiptDesk
from app.archive.trust_keeper import TrustKeeper
from app.archive.watch import ArchiveWatch
from app.domain.archive import ArchiveAlarm, VerifiedEntry
from app.domain.clock import Clock
from app.domain.timeline import OutboxEntry
from app.settings.keys import Key
from app.settings.settings import Settings
from app.store.store import Store
from app.sync.reference import ReferenceKeeper
from app.sync.status_board import StatusBoard
from backend_client.client import GovernedApi
from contract.wire import Message, SubmitMessage

KEYS_MISSING = "notice.archive_keys_missing"
KEYS_FAULTY = "notice.archive_keys_faulty"


class ProofDesk:
    """What core, outbox and window ask of the archive's proofs.

    `lifted` is called when an alarm has ended: what waited may go.
    """

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        clock: Clock,
        settings: Settings,
        reference: ReferenceKeeper,
        board: StatusBoard,
        lifted: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._reference = reference
        self._board = board
        self._lifted = lifted
        self._keeper = CheckpointKeeper(api, store, clock)
        self._trust = TrustKeeper(api, store, self._keeper, managed_keys(settings))
        self._bell = AlarmBell(api, store, clock, self._alarm_changed)
        self._confirmer = Confirmer(
            store,
            clock,
            self._keeper,
            self._trust,
            self._bell,
            lambda: reference.current.me,
            self._verified,
        )
        self.watch = ArchiveWatch(
            api,
            store,
            self._keeper,
            self._trust,
            self._bell,
            self._confirmer,
            lambda: reference.current.capabilities,
            self._verified,
        )
        self.receipts = ReceiptDesk(
            api, store, clock, self._keeper, self._trust, self._bell, self._confirmer
        )

    async def load(self) -> None:
        """Read keys, tree and alarm; belongs before the first send."""
        await self._keeper.load()
        await self._trust.load()
        await self._bell.load()

    @property
    def alarm(self) -> ArchiveAlarm | None:
        """Return the alarm that stands, if any."""
        return self._bell.alarm

    @property
    def tree(self) -> SeenTree | None:
        """Return the newest tree this computer has verified, None before the first."""
        return self._keeper.tree

    def may_send(self) -> bool:
        """Tell whether no alarm stands."""
        return self._bell.alarm is None

    # -- what a submission asks ----------------------------------------------------------------

    @property
    def keyless(self) -> bool:
        """Tell that no key is pinned for this archive, so that nothing can be verified."""
        return self._trust.keyless(self._reference.current.capabilities)

    async def confirm(
        self, entry: OutboxEntry, receipt: str, decision_hash: str
    ) -> VerifiedEntry | None:
        """Return what the receipt of a submission proves, None when that has to wait."""
        return await self._confirmer.confirm(entry, receipt, decision_hash)

    async def confirm_edit(
        self, command: SubmitMessage, before: Message, receipt: str, decision_hash: str
    ) -> VerifiedEntry | None:
        """Return what the receipt of an edit proves, None when that has to wait."""
        return await self._confirmer.confirm_edit(command, before, receipt, decision_hash)

    def waiting(self) -> None:
        """A submission was taken and waits for its receipt."""
        self.watch.wake()

    # -- what changes --------------------------------------------------------------------------

    def looked_up(self) -> None:
        """Capabilities were read anew: keys may have come, the newest tree is due."""
        self.watch.wake(check=True)
        capabilities = self._reference.current.capabilities
        firm = capabilities is not None and capabilities.workspace != SAMPLE_WORKSPACE
        for key, holds in (
            (KEYS_MISSING, firm and self.keyless),
            (KEYS_FAULTY, self._trust.faulty),
        ):
            if holds:
                self._board.add_notice(key)
            else:
                self._board.drop_notice(key)

    def _alarm_changed(self) -> None:
        before, now = self._board.status.archive_alarm, self._bell.alarm
        self._board.update(archive_alarm=now)
        if now is not None:
            self.watch.wake()
        elif before is not None:
            self._lifted()

    def _verified(self) -> None:
        self._board.update(archive_verified_utc_ms=self._clock.now_utc_ms())


def managed_keys(settings: Settings) -> ManagedKeys:
    """Return the verifier keys as IT set them."""
    return ManagedKeys(
        log_key=settings.text(Key.LOG_VERIFIER_KEY),
        witness_keys=settings.texts(Key.WITNESS_VERIFIER_KEYS),
        recovery_keys=settings.texts(Key.RECOVERY_VERIFIER_KEYS),
    )
