"""Composes the client's rooms into one running core: store, hints, sync, outbox, backend.

It holds no rule of its own and never blocks the loop it runs on.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from app.approval_desk import ApprovalDesk
from app.backend_process import EmbeddedPlan
from app.book_desk import BookDesk
from app.bundle_desk import BundleDesk
from app.connection import configured_endpoint
from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.errors import AppError, Bug, EnvironmentFault, Refused
from app.domain.status import CoreStatus, Link
from app.embedded import EmbeddedBackend, EmbeddedState, ask_health
from app.hint_desk import HintDesk
from app.inbound import Inbound
from app.outbox.files import FileTransfers
from app.outbox.lanes import LaneRunner
from app.outbox.messaging import Messaging
from app.outbox.read_marks import ReadMarks
from app.outbox.submission import Submitter
from app.proof_desk import ProofDesk
from app.session.instance_lock import InstanceLock
from app.session.keys import KeyVault, MasterKey
from app.settings.keys import Key
from app.settings.paths import AppPaths
from app.settings.settings import Settings
from app.settings.undo_period import undo_period_s
from app.store.store import Store
from app.sync.reference import Reference, ReferenceKeeper
from app.sync.runner import SyncRunner
from app.sync.status_board import StatusBoard
from app.tasks import TaskOwner
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract.ids import ConversationId
from contract.wire import CapabilitiesDocument, Me, Message

if TYPE_CHECKING:
    from app.diagnostics.checks import Subject

CLIENT_VERSION = "0.1.0"
DEFAULT_ATTACHMENT_BYTES = 100 * 1024 * 1024

Unsubscribe = Callable[[], None]
Typing = Callable[[ConversationId, bool], None]


class Core:
    """The client without a window: open the store, connect, send and receive, close.

    Attributes: `settings`, `paths`, `vault`; after `open` also `store`, `messaging`, `api`, `desk`
    (its `engine` is None until a policy bundle is known).
    """

    store: Store
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
        self._recount = asyncio.Event()
        self._moved_in = asyncio.Event()
        self._master: MasterKey | None = None
        self._fault: AppError | None = None
        self._bundle: bytes | None = None
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
            await self._lanes.recover()
        await self._reference.load()
        await self._book.load()
        await self.proofs.load()

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
        self._tasks.keep_running("sync", self._once_moved_in(self._sync.run))
        self._tasks.keep_running("outbox", self._once_moved_in(self._lanes.run))
        self._tasks.keep_running("read marks", self._once_moved_in(self._marks.run))
        self._tasks.keep_running("archive", self._once_moved_in(self.proofs.watch.run))

    async def close(self) -> None:
        """Stop intake, settle the store, stop the embedded backend; may be called twice."""
        if self._stage in {"new", "closed"}:
            self._stage = "closed"
            return
        self._stage = "closed"
        self.messaging.stop_intake()
        await self._tasks.close()
        await self._transport.close()
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
        return self._reference.current.me if self._stage != "new" else None

    @property
    def capabilities(self) -> CapabilitiesDocument | None:
        """Return what the backend said of itself, as last known."""
        return self._reference.current.capabilities if self._stage != "new" else None

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
        self._transport = Transport(self._given_endpoint, client_version=CLIENT_VERSION)
        self.api = api = GovernedApi(self._transport)
        self._reference = ReferenceKeeper(api, self.store, CLIENT_VERSION, self._reference_changed)
        self._sync = SyncRunner(api, self.store, self._reference, self._inbound())
        self._bundles = BundleDesk(self.store, self.settings)
        self._book = book = BookDesk(api, self.store, self._tasks.spawn, self._board.facts_changed)
        self.desk = HintDesk(self.store, self._clock, self._tasks.spawn, self._language, book)
        self.approvals = ApprovalDesk(api, lambda: self.me)
        self.proofs = ProofDesk(
            api,
            self.store,
            self._clock,
            self.settings,
            self._reference,
            self._board,
            lambda: self.messaging.retry_now(),
        )
        submitter = Submitter(
            api, self.store, self._clock, random.random, self._answered, self.proofs
        )
        self._lanes = LaneRunner(self.store, submitter, self._clock, may_send=self.proofs.may_send)
        self._marks = ReadMarks(api, self.store)
        self.messaging = Messaging(
            api,
            self.store,
            self._clock,
            self._lanes,
            self._marks,
            FileTransfers(api, self._attachment_max_bytes, self.desk.files),
            undo_s=self._undo_s,
            hint=self.desk.report,
        )
        self.store.subscribe(self._committed)
        self._tasks.keep_running("outbox counts", self._count_outbox)
        self._recount.set()

    def _inbound(self) -> Inbound:
        return Inbound(
            self._board,
            lambda: self._transport.latency_ms,
            self._line_up,
            self._client_types,
            lambda news: self.proofs.watch.heard(news),
            lambda conversation_id, version: self._book.facts_seen(conversation_id, version),
            lambda pending: self.approvals.changed(pending),
        )

    def _start_embedded(self) -> None:
        if not self.settings.flag(Key.EMBEDDED_BACKEND):
            raise Refused("No backend address is set and the sample workspace is switched off.")
        assert self._master is not None
        plan = EmbeddedPlan(
            data_dir=self.paths.data_dir / "backend",
            log_dir=self.paths.log_dir,
            database_key=self._master.derive("backend"),
        )
        embedded = EmbeddedBackend(
            plan,
            healthy=partial(ask_health, client_version=CLIENT_VERSION),
            moved=self._backend_moved,
            changed=self._embedded_changed,
            configured_url=self.settings.text(Key.BACKEND_URL),
        )
        self._board.update(embedded=True)
        self._backend_tasks.keep_running("embedded backend", embedded.run)

    def _once_moved_in(
        self, run: Callable[[], Coroutine[Any, Any, None]]
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        async def wait_and_run() -> None:
            await self._moved_in.wait()
            await run()

        return wait_and_run

    # -- what the rooms tell ---------------------------------------------------------------

    def _backend_moved(self, endpoint: BackendEndpoint) -> None:
        self._transport.swap_endpoint(endpoint)
        self._moved_in.set()
        self._sync.hurry()
        self.messaging.retry_now()

    def _line_up(self) -> None:
        self.messaging.retry_now()
        self.proofs.watch.wake(check=True)
        self._book.ask_soon()

    def _client_types(self, conversation_id: ConversationId, typing: bool) -> None:
        for callback in tuple(self._typing.values()):
            callback(conversation_id, typing)

    def _embedded_changed(self, state: EmbeddedState) -> None:
        if state is not EmbeddedState.RUNNING:
            self._board.link_changed(Link.RESTARTING)
        if state is EmbeddedState.FAILING:
            self._board.add_notice("notice.embedded_fails", "backend.log")

    def _committed(self, changes: ChangeSet) -> None:
        if changes.outbox or changes.reset:
            self._recount.set()
        if changes.notices:
            self._board.take_store_notices(self.store.notices)
        self.desk.changed(changes)

    async def _count_outbox(self) -> None:
        while True:
            await self._recount.wait()
            self._recount.clear()
            waiting, refused = await self.store.outbox.counts()
            self._board.update(outbox_waiting=waiting, outbox_refused=refused)

    def _answered(self, message: Message | None) -> None:
        self._board.update(latency_ms=self._transport.latency_ms)
        if message is not None and message.archive is not None:
            self._board.archived_at(message.archive.archived_at_utc_ms)
        if self._board.status.link is not Link.ONLINE:
            self._sync.hurry()

    def _reference_changed(self, reference: Reference) -> None:
        if reference.capabilities is not None:
            self._board.update(workspace=reference.capabilities.workspace)
            self.proofs.looked_up()
        if reference.bundle is not self._bundle:
            self._bundle = reference.bundle
            self._tasks.spawn("policy bundle", self._take_bundle)

    async def _take_bundle(self) -> None:
        if self._bundle is None:
            return
        capabilities = self._reference.current.capabilities
        if faults := await self._bundles.take(self._bundle, capabilities):
            self._board.add_notice("notice.policy_bundle_refused", faults)
        else:
            self._board.drop_notice("notice.policy_bundle_refused")
        self.desk.engine = self._bundles.engine
        if self.desk.engine is not None:
            self._board.update(policy_version=self.desk.engine.bundle_version)

    def _task_failed(self, name: str, fault: Exception) -> None:
        key = fault.user_message_key if isinstance(fault, AppError) else Bug.user_message_key
        self._board.add_notice(key, name)

    # -- small answers ---------------------------------------------------------------------

    def _language(self) -> str:
        """Return the language chosen here, else the one the firm knows the person by."""
        me = self.me
        return self.settings.text(Key.LANGUAGE) or (me.language if me is not None else "en")

    def _undo_s(self) -> int:
        capabilities = self.capabilities
        firm_limit_s = None if capabilities is None else capabilities.limits.undo_send_s
        return undo_period_s(self.settings, firm_limit_s)

    def _attachment_max_bytes(self) -> int:
        capabilities = self.capabilities
        if capabilities is None:
            return DEFAULT_ATTACHMENT_BYTES
        return capabilities.limits.attachment_max_bytes
