"""Owns the client's running core: the data folder's lock and key, the store, the way to the line.

It holds no rule of its own, never blocks the loop it runs on, and imports what a first painted
frame does not need only when it opens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.errors import AppError, Bug, EnvironmentFault, OutboxUnreachable, Refused
from app.domain.listeners import Listeners
from app.domain.status import CoreStatus, Link
from app.domain.version import CLIENT_VERSION
from app.session.instance_lock import InstanceLock
from app.session.keys import KeyVault, MasterKey
from app.session.outbox_folder import OutboxFolder
from app.settings.keys import Key
from app.settings.paths import AppPaths
from app.settings.settings import Settings
from app.sync.status_board import StatusBoard

if TYPE_CHECKING:
    import asyncio

    from app.approval_desk import ApprovalDesk
    from app.backend_process import BackendProcess, EmbeddedPlan
    from app.composition import Composition
    from app.diagnostics.checks import Subject
    from app.domain.first_frame import FirstFrame
    from app.domain.settings_account import SettingsAccount
    from app.hint_desk import HintDesk
    from app.outbox.messaging import Messaging
    from app.proof_desk import ProofDesk
    from app.store.store import Store
    from app.tasks import TaskOwner
    from app.triage_desk import TriageDesk
    from backend_client.client import GovernedApi
    from backend_client.endpoint import BackendEndpoint
    from contract.ids import ConversationId
    from contract.wire import Me

Unsubscribe = Callable[[], None]
Typing = Callable[["ConversationId", bool], None]


class Core:
    """The client without a window: open the store, connect, send and receive, close.

    Attributes: `settings`, `paths`, `vault`, `is_open`, `backend_found` (called each time it is
    known where the backend is); after `open` also `store`, `rooms` and, from these,
    `messaging`, `api`, `desk`, `approvals`, `triage`, `proofs`.
    """

    store: Store
    rooms: Composition
    messaging: Messaging
    api: GovernedApi
    desk: HintDesk
    approvals: ApprovalDesk
    triage: TriageDesk
    proofs: ProofDesk
    _tasks: TaskOwner
    _backend_tasks: TaskOwner

    def __init__(
        self,
        settings: Settings,
        paths: AppPaths,
        clock: Clock,
        *,
        endpoint: BackendEndpoint | None = None,
        passphrase: str | None = None,
        try_sample: bool = False,
    ) -> None:
        """`endpoint` replaces the configured backend; `passphrase` replaces the keyring.

        `try_sample`: the person asked for the sample workspace, which does not start by itself.
        """
        self.settings = self._settings_at_start = settings
        self.paths = paths
        self.vault = KeyVault()
        self._clock = clock
        self._given_endpoint = endpoint
        self._passphrase = passphrase
        self._try_sample = try_sample
        self._lock = InstanceLock(paths.data_dir)
        self._outbox_folder = OutboxFolder(paths.outbox_dir, paths.data_dir)
        self._board = StatusBoard(clock)
        self._typing: Listeners[ConversationId, bool] = Listeners()
        self._master: MasterKey | None = None
        self._fault: AppError | None = None
        self._opened: asyncio.Event | None = None
        self._first_process: BackendProcess | None = None
        self.backend_found: Callable[[], None] = lambda: None
        self._stage = "new"
        self.is_open = False

    # -- life ------------------------------------------------------------------------------

    def unlock(self) -> FirstFrame | None:
        """Take the data folder's lock and find its key; return what can be shown at once, if any.

        Call it off the loop, perhaps before `open`: it may wait for the keyring or a share. Raises
        StoreBusy (and its kind OutboxInUse), OutboxUnreachable, KeyringMissing, KeyringLocked (and
        their kinds KeyLost and PassphraseWrong), WrongKey, DiskFull, EnvironmentFault; nothing
        is held then.
        """
        from app.store.first_frame import CACHE_FILE, OUTBOX_FILE, read_first_frame

        master = self._unlock()
        return read_first_frame(
            (self.paths.data_dir / CACHE_FILE, master.derive("cache")),
            (self.paths.outbox_dir / OUTBOX_FILE, master.derive("outbox")),
        )

    async def open(self, *, with_backend: bool = False) -> None:
        """Open the store with the data folder's key; the inbox can be read right after.

        `with_backend`: where `connect` will start the embedded backend its process begins now,
        beside the opening. Raises what `unlock` raises, WrongKey, UnknownVersion, DiskFull;
        nothing is held then.
        """
        from asyncio import to_thread
        from importlib import import_module

        if self._stage != "new":
            raise Bug("the core is opened once")
        if self._master is None:
            await to_thread(self._unlock)
        try:
            if with_backend and self._embeds():
                await to_thread(import_module, "app.backend_process")
                self._begin_embedded()
            await to_thread(import_module, "app.composition")
            await self._open_store()
        except BaseException as fault:
            if self._first_process is not None:
                await self._first_process.stop()
            self._give_up(fault)
            raise
        self._stage = "open"
        self._compose()
        self.is_open = True
        self._board.take_store_notices(self.store.notices)
        await self.rooms.load()
        if self._opened is not None:
            self._opened.set()

    async def opened(self) -> None:
        """Return once `open` has ended well; what was begun before the store is open waits here.

        Raises EnvironmentFault when the core was closed instead.
        """
        if "rooms" in self.__dict__:
            return
        if self._opened is None:
            from asyncio import Event

            self._opened = Event()
        if self._stage == "new":
            await self._opened.wait()
        if "rooms" not in self.__dict__:
            raise EnvironmentFault("the store could not be opened")

    async def connect(self) -> None:
        """Start the backend's link, sync and outbox; return once their tasks run.

        Never raises for the line: `status` tells. A second call does nothing.
        """
        from app.connection import configured_endpoint
        from app.settings.watch import SettingsWatch

        if self._stage != "open":
            return
        self._stage = "connected"
        watch = SettingsWatch(lambda: self.settings, self._settings_at_start, self._settings_wait)
        self._tasks.keep_running("settings", watch.run)
        try:
            endpoint = self._given_endpoint or configured_endpoint(self.settings)
            if endpoint is not None and not endpoint.token:
                endpoint = await self._signed_in(endpoint)
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

    async def _signed_in(self, endpoint: BackendEndpoint) -> BackendEndpoint:
        """Return the endpoint with the token that is kept for it, if there is one."""
        from asyncio import to_thread
        from dataclasses import replace

        from app.session.access_token import kept_token

        return replace(endpoint, token=await to_thread(kept_token, endpoint.url))

    async def close(self) -> None:
        """Stop intake, settle the store, stop the embedded backend; may be called twice."""
        stage, self._stage = self._stage, "closed"
        self.is_open = False
        if self._opened is not None:
            self._opened.set()
        if stage in {"new", "closed"}:
            self._release()
            return
        self.messaging.stop_intake()
        await self._tasks.close()
        await self.rooms.close()
        try:
            await self.store.close()
        finally:
            await self._backend_tasks.close()
            if self._first_process is not None:
                await self._first_process.stop()
            self._release()

    # -- what the window reads -------------------------------------------------------------

    @property
    def status(self) -> CoreStatus:
        """Return how the client stands towards its backend just now."""
        return self._board.status

    @property
    def me(self) -> Me | None:
        """Return the signed-in person as last known."""
        return self.rooms.me if "rooms" in self.__dict__ else None

    def subscribe_status(self, callback: Callable[[CoreStatus], None]) -> Unsubscribe:
        """Call `callback` on the loop thread with each new status; return how to stop that."""
        return self._board.subscribe(callback)

    def subscribe_changes(self, callback: Callable[[ChangeSet], None]) -> Unsubscribe:
        """Call `callback` on the loop thread after each commit; return how to stop that."""
        return self.store.subscribe(callback)

    def subscribe_typing(self, callback: Typing) -> Unsubscribe:
        """Call `callback` when a client starts or stops typing; return how to stop that."""
        return self._typing.add(callback)

    async def open_conversation(self, conversation_id: ConversationId | None) -> None:
        """Tell which conversation is on screen, so that its facts stand ready for hints."""
        self.rooms.frames.show(conversation_id)
        self.rooms.show(conversation_id)
        await self.desk.show(conversation_id)

    def diagnostics_subject(self) -> Subject:
        """Return what the diagnostics look over, whether or not the store could be opened."""
        from app.diagnostics.checks import Subject

        return Subject(
            store=self.store if self.is_open else None,
            vault=self.vault,
            folder=self.paths,
            api=self.api if self._stage == "connected" else None,
            status=self.status,
            fault=self._fault,
            check_probe=self.proofs.receipts.check_probe if self.is_open else None,
            settings=self._settings_account,
        )

    def _settings_wait(self, keys: tuple[str, ...]) -> None:
        if keys:
            self._board.add_notice("notice.settings_changed", ", ".join(keys))
        else:
            self._board.drop_notice("notice.settings_changed")

    def _settings_account(self) -> SettingsAccount:
        """Return all settings for support, and what changed in their places since the start.

        Reads these places again, a few small files; nothing that runs takes a change from it.
        """
        from app.settings.account import account_of

        return account_of(
            self.settings, at_start=self._settings_at_start, again=self.settings.reread()
        )

    # -- composition -----------------------------------------------------------------------

    def _unlock(self) -> MasterKey:
        try:
            self._master = self._take_folder()
        except BaseException as fault:
            self._give_up(fault)
            raise
        return self._master

    def _take_folder(self) -> MasterKey:
        try:
            self.paths.create()
        except OSError as fault:
            if fault.filename == str(self.paths.outbox_dir) != str(self.paths.data_dir):
                raise OutboxUnreachable(f"the outbox folder: {fault.strerror}") from fault
            raise EnvironmentFault(f"a folder can't be made: {fault.strerror}") from fault
        self._lock.acquire()
        self._outbox_folder.acquire()
        if self._passphrase is not None:
            return self.vault.unlock_with_passphrase(self.paths, self._passphrase)
        return self.vault.load_or_create(self.paths)

    def _give_up(self, fault: BaseException) -> None:
        self._fault = fault if isinstance(fault, AppError) else None
        self._release()

    def _release(self) -> None:
        self._outbox_folder.release()
        self._lock.release()

    async def _open_store(self) -> None:
        from app.store.store import Store

        assert self._master is not None
        self.store = await Store.open(
            self.paths.data_dir,
            self.paths.outbox_dir,
            self._master.derive("cache"),
            self._master.derive("outbox"),
            self._clock,
        )

    def _compose(self) -> None:
        from app.composition import Composition
        from app.system_proxy import system_proxy
        from app.tasks import TaskOwner

        self._tasks = TaskOwner(self._task_failed)
        self._backend_tasks = TaskOwner(self._task_failed)
        self.rooms = Composition(
            self.store,
            lambda: self.settings,
            self._clock,
            self._board,
            self._tasks,
            self._typing.tell,
            endpoint=self._given_endpoint,
            client_version=CLIENT_VERSION,
            find_proxy=system_proxy(),
        )
        self.api, self.messaging = self.rooms.api, self.rooms.messaging
        self.desk, self.approvals = self.rooms.desk, self.rooms.approvals
        self.triage, self.proofs = self.rooms.triage, self.rooms.proofs

    def _embeds(self) -> bool:
        """Tell whether the backend is to run beside the app."""
        if self._given_endpoint is not None or self.settings.text(Key.BACKEND_URL):
            return False
        return self.settings.flag(Key.EMBEDDED_BACKEND) or self._try_sample

    def _plan(self) -> EmbeddedPlan:
        from app.backend_process import EmbeddedPlan

        assert self._master is not None
        return EmbeddedPlan(
            data_dir=self.paths.data_dir / "backend",
            log_dir=self.paths.log_dir,
            database_key=self._master.derive("backend"),
        )

    def _begin_embedded(self) -> None:
        from app.backend_process import BackendProcess

        self._first_process = BackendProcess.begin(self._plan())

    def _start_embedded(self) -> None:
        if not self._embeds():
            raise Refused("No backend address is set and the sample workspace is switched off.")
        first = self._first_process
        self.rooms.run_embedded(self._plan(), first, self._backend_tasks, self._backend_moved)

    def _backend_moved(self, endpoint: BackendEndpoint) -> None:
        self.backend_found()
        self.rooms.backend_moved(endpoint)

    def _task_failed(self, name: str, fault: Exception) -> None:
        key = fault.user_message_key if isinstance(fault, AppError) else Bug.user_message_key
        self._board.add_notice(key, name)
