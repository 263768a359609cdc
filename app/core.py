"""Owns the client's running core: the data folder's lock and key, the store, the way to the line.

It holds no rule of its own and never blocks the loop it runs on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.approval_desk import ApprovalDesk
from app.backend_process import EmbeddedPlan
from app.composition import Composition
from app.connection import configured_endpoint
from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.errors import AppError, Bug, EnvironmentFault, Refused
from app.domain.status import CoreStatus, Link
from app.hint_desk import HintDesk
from app.outbox.messaging import Messaging
from app.proof_desk import ProofDesk
from app.session.instance_lock import InstanceLock
from app.session.keys import KeyVault, MasterKey
from app.settings.keys import Key
from app.settings.paths import AppPaths
from app.settings.settings import Settings
from app.store.store import Store
from app.sync.status_board import StatusBoard
from app.tasks import TaskOwner
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId
from contract.wire import CapabilitiesDocument, Me

if TYPE_CHECKING:
    from app.diagnostics.checks import Subject

CLIENT_VERSION = "0.1.0"

Unsubscribe = Callable[[], None]
Typing = Callable[[ConversationId, bool], None]


class Core:
    """The client without a window: open the store, connect, send and receive, close.

    Attributes: `settings`, `paths`, `vault`; after `open` also `store`, `rooms` and, from these,
    `messaging`, `api`, `desk`, `approvals`, `proofs`.
    """

    store: Store
    rooms: Composition
    messaging: Messaging
    api: GovernedApi
    desk: HintDesk
    approvals: ApprovalDesk
    proofs: ProofDesk

    def __init__(
        self,
        settings: Settings,
        paths: AppPaths,
        clock: Clock,
        *,
        endpoint: BackendEndpoint | None = None,
        passphrase: str | None = None,
    ) -> None:
        """`endpoint` replaces the configured backend; `passphrase` replaces the keyring."""
        self.settings = settings
        self.paths = paths
        self.vault = KeyVault()
        self._clock = clock
        self._given_endpoint = endpoint
        self._passphrase = passphrase
        self._lock = InstanceLock(paths.data_dir)
        self._board = StatusBoard(clock)
        self._tasks = TaskOwner(self._task_failed)
        self._backend_tasks = TaskOwner(self._task_failed)
        self._typing: dict[int, Typing] = {}
        self._master: MasterKey | None = None
        self._fault: AppError | None = None
        self._stage = "new"

    # -- life ------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take the data folder's lock and open the store; the inbox can be read right after.

        Raises StoreBusy, KeyringMissing, KeyringLocked (and their kinds KeyLost and
        PassphraseWrong), WrongKey, UnknownVersion, DiskFull; nothing is held then.
        """
        if self._stage != "new":
            raise Bug("the core is opened once")
        try:
            self._master = await asyncio.to_thread(self._take_folder)
            self.store = await Store.open(
                self.paths.data_dir,
                self.paths.outbox_dir,
                self._master.derive("cache"),
                self._master.derive("outbox"),
                self._clock,
            )
        except BaseException as fault:
            self._fault = fault if isinstance(fault, AppError) else None
            self._lock.release()
            raise
        self._stage = "open"
        self._compose()
        self._board.take_store_notices(self.store.notices)
        with contextlib.suppress(EnvironmentFault):  # a full disk: the lanes recover later
            await self.rooms.recover()
        await self.rooms.load()

    async def connect(self) -> None:
        """Start the backend's link, sync and outbox; return once their tasks run.

        Never raises for the line: `status` tells. A second call does nothing.
        """
        if self._stage != "open":
            return
        self._stage = "connected"
        try:
            endpoint = self._given_endpoint or configured_endpoint(self.settings)
            if endpoint is None:
                self._start_embedded()
            else:
                self._board.update(embedded=False)
                self._backend_moved(endpoint)
        except Refused as fault:
            self._board.update(embedded=False)
            self._board.add_notice("notice.no_backend", fault.detail)
            self._board.link_changed(Link.REFUSED, fault)
            return
        self.rooms.run()

    async def close(self) -> None:
        """Stop intake, settle the store, stop the embedded backend; may be called twice."""
        if self._stage in {"new", "closed"}:
            self._stage = "closed"
            return
        self._stage = "closed"
        self.messaging.stop_intake()
        await self._tasks.close()
        await self.rooms.close()
        try:
            await self.store.close()
        finally:
            await self._backend_tasks.close()
            self._lock.release()

    # -- what the window reads -------------------------------------------------------------

    @property
    def status(self) -> CoreStatus:
        """Return how the client stands towards its backend just now."""
        return self._board.status

    @property
    def me(self) -> Me | None:
        """Return the signed-in person as last known."""
        return self.rooms.me if self._stage != "new" else None

    @property
    def capabilities(self) -> CapabilitiesDocument | None:
        """Return what the backend said of itself, as last known."""
        return self.rooms.capabilities if self._stage != "new" else None

    def subscribe_status(self, callback: Callable[[CoreStatus], None]) -> Unsubscribe:
        """Call `callback` on the loop thread with each new status; return how to stop that."""
        return self._board.subscribe(callback)

    def subscribe_changes(self, callback: Callable[[ChangeSet], None]) -> Unsubscribe:
        """Call `callback` on the loop thread after each commit; return how to stop that."""
        return self.store.subscribe(callback)

    def subscribe_typing(self, callback: Typing) -> Unsubscribe:
        """Call `callback` when a client starts or stops typing; return how to stop that."""
        token = object()
        self._typing[id(token)] = callback

        def unsubscribe() -> None:
            self._typing.pop(id(token), None)

        return unsubscribe

    async def open_conversation(self, conversation_id: ConversationId | None) -> None:
        """Tell which conversation is on screen, so that its facts stand ready for hints."""
        self.rooms.show(conversation_id)
        await self.desk.show(conversation_id)

    def diagnostics_subject(self) -> Subject:
        """Return what the diagnostics look over, whether or not the store could be opened."""
        from app.diagnostics.checks import Subject

        opened = self._stage in {"open", "connected"}
        return Subject(
            store=self.store if opened else None,
            vault=self.vault,
            folder=self.paths,
            api=self.api if self._stage == "connected" else None,
            status=self.status,
            fault=self._fault,
            check_probe=self.proofs.receipts.check_probe if opened else None,
        )

    # -- composition -----------------------------------------------------------------------

    def _take_folder(self) -> MasterKey:
        try:
            self.paths.create()
        except OSError as fault:
            raise EnvironmentFault(f"a folder can't be made: {fault.strerror}") from fault
        self._lock.acquire()
        if self._passphrase is not None:
            return self.vault.unlock_with_passphrase(self.paths, self._passphrase)
        return self.vault.load_or_create(self.paths)

    def _compose(self) -> None:
        self.rooms = Composition(
            self.store,
            lambda: self.settings,
            self._clock,
            self._board,
            self._tasks,
            self._client_types,
            endpoint=self._given_endpoint,
            client_version=CLIENT_VERSION,
        )
        self.api, self.messaging = self.rooms.api, self.rooms.messaging
        self.desk, self.approvals = self.rooms.desk, self.rooms.approvals
        self.proofs = self.rooms.proofs

    def _start_embedded(self) -> None:
        if not self.settings.flag(Key.EMBEDDED_BACKEND):
            raise Refused("No backend address is set and the sample workspace is switched off.")
        assert self._master is not None
        plan = EmbeddedPlan(
            data_dir=self.paths.data_dir / "backend",
            log_dir=self.paths.log_dir,
            database_key=self._master.derive("backend"),
        )
        self.rooms.run_embedded(plan, self._backend_tasks, self._backend_moved)

    def _backend_moved(self, endpoint: BackendEndpoint) -> None:
        self.rooms.backend_moved(endpoint)

    def _client_types(self, conversation_id: ConversationId, typing: bool) -> None:
        for callback in tuple(self._typing.values()):
            callback(conversation_id, typing)

    def _task_failed(self, name: str, fault: Exception) -> None:
        key = fault.user_message_key if isinstance(fault, AppError) else Bug.user_message_key
        self._board.add_notice(key, name)
