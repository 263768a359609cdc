"""Owns the rooms that live over one open store, wired to each other: desks, sync, outbox, archive.

It never opens or closes the store, and keeps no rule of any room.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from app.approval_desk import ApprovalDesk
from app.backend_process import BackendProcess, EmbeddedPlan
from app.book_desk import BookDesk
from app.bundle_desk import BundleDesk
from app.domain.changes import ChangeSet
from app.domain.client_versions import versions_told
from app.domain.clock import Clock
from app.domain.errors import EnvironmentFault
from app.domain.status import Link
from app.embedded import EmbeddedBackend, EmbeddedState, ask_health
from app.frame_keeping import FrameKeeping
from app.hint_desk import HintDesk
from app.inbound import Inbound
from app.outbox.files import FileTransfers
from app.outbox.lanes import LaneRunner
from app.outbox.messaging import Messaging
from app.outbox.read_marks import ReadMarks
from app.outbox.sent_changes import SentChanges
from app.outbox.submission import Submitter
from app.proof_desk import ProofDesk
from app.search_desk import SearchDesk
from app.settings.keys import Key
from app.settings.language import language_of_rules
from app.settings.settings import Settings
from app.settings.undo_period import undo_period_s
from app.store.store import Store
from app.sync.reference import Reference, ReferenceKeeper
from app.sync.runner import SyncRunner
from app.sync.status_board import StatusBoard
from app.sync.wake_watch import WakeWatch, way_out
from app.system_proxy import FindProxy
from app.tasks import TaskOwner
from app.triage_desk import TriageDesk
from app.upkeep_desk import UpkeepDesk
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract.ids import ConversationId
from contract.wire import CapabilitiesDocument, Me, Message

DEFAULT_ATTACHMENT_BYTES = 100 * 1024 * 1024
# While messages pour out, what waits is counted at most this often.
_COUNT_EVERY_S = 0.05
# A policy in force that a full disk had no room for is written down at one of these.
_KEPT_AGAIN_S = 10.0

Typing = Callable[[ConversationId, bool], None]
Moved = Callable[[BackendEndpoint], None]


class Composition:
    """Everything between an open store and the line, for one core.

    Attributes: `api`, `messaging`, `desk` (its `engine` is None until a policy bundle is known),
    `approvals`, `triage`, `proofs`, `search`, `frames`.
    """

    def __init__(
        self,
        store: Store,
        settings: Callable[[], Settings],
        clock: Clock,
        board: StatusBoard,
        tasks: TaskOwner,
        typing: Typing,
        *,
        endpoint: BackendEndpoint | None,
        client_version: str,
        find_proxy: FindProxy | None = None,
    ) -> None:
        """`settings` gives those that hold now; `typing` hears which client types.

        `find_proxy` tells the system's proxy for an address.
        """
        self._store = store
        self._settings = settings
        self._clock = clock
        self._board = board
        self._tasks = tasks
        self._typing = typing
        self._client_version = client_version
        self._recount = asyncio.Event()
        self._moved_in = asyncio.Event()
        self._bundle: bytes | None = None
        self._transport = Transport(endpoint, client_version=client_version, find_proxy=find_proxy)
        self.api = GovernedApi(self._transport)
        self._build_desks()
        self._build_outbox()
        self.frames = FrameKeeping(store, clock, lambda: self.me)
        self.upkeep = UpkeepDesk(
            store,
            settings,
            tasks.spawn,
            lambda: board.status.syncing,
            self.sync.open_history.forget_all,
        )
        store.subscribe(self._committed)
        tasks.keep_running("outbox counts", self._count_outbox)
        tasks.keep_running("first frame", self.frames.run)
        tasks.keep_running("upkeep", self.upkeep.run)
        self._recount.set()

    def _build_desks(self) -> None:
        api, store, clock = self.api, self._store, self._clock
        settings, board, spawn = self._settings(), self._board, self._tasks.spawn
        self._reference = ReferenceKeeper(api, store, self._client_version, self._reference_changed)
        self.sync = SyncRunner(api, store, self._reference, self._inbound())
        self._bundles = BundleDesk(store, settings)
        self._book = book = BookDesk(api, store, spawn, self._book_read)
        self.desk = HintDesk(store, clock, spawn, self._language, book)
        self.approvals = ApprovalDesk(api, lambda: self.me)
        self.triage = TriageDesk(api, store.contacts.every)
        self.search = SearchDesk(api, store, lambda: board.status.link is Link.ONLINE)
        self.proofs = ProofDesk(
            api,
            store,
            clock,
            settings,
            self._reference,
            board,
            lambda: self.messaging.retry_now(),
        )

    def _build_outbox(self) -> None:
        api, store, clock = self.api, self._store, self._clock
        submitter = Submitter(api, store, clock, random.random, self._answered, self.proofs)
        self._lanes = LaneRunner(store, submitter, clock, may_send=self.proofs.may_send)
        self._marks = ReadMarks(api, store)
        self.messaging = Messaging(
            api,
            store,
            clock,
            self._lanes,
            self._marks,
            FileTransfers(api, self._attachment_max_bytes, self.desk.files, store.files),
            SentChanges(
                api, store, clock, self.proofs, lambda: self._board.status.link is Link.ONLINE
            ),
            undo_s=self._undo_s,
            hint=self.desk.report,
        )

    # -- life ------------------------------------------------------------------------------

    async def load(self) -> None:
        """Put sends that a crash interrupted back in line and read what is kept for the rooms.

        Raises what the store raises, but for a full disk: the lanes recover later then.
        """
        with contextlib.suppress(EnvironmentFault):
            await self._lanes.recover()
        await self._reference.load()
        await self._book.load()
        await self.proofs.load()

    def run(self) -> None:
        """Start sync, outbox, read marks and the archive's watch; they wait for a backend."""
        keep_running = self._tasks.keep_running
        keep_running("sync", self._once_moved_in(self.sync.run))
        keep_running("wake watch", WakeWatch(self._clock, self._way_out, self._woke).run)
        keep_running("outbox", self._once_moved_in(self._lanes.run))
        keep_running("read marks", self._once_moved_in(self._marks.run))
        keep_running("archive", self._once_moved_in(self.proofs.watch.run))

    def run_embedded(
        self, plan: EmbeddedPlan, first: BackendProcess | None, owner: TaskOwner, moved: Moved
    ) -> None:
        """Keep a backend running beside the app; `moved` hears where it is each time.

        `first` is the process that was begun while the store was opened, if one was.
        """
        embedded = EmbeddedBackend(
            plan,
            healthy=partial(ask_health, client_version=self._client_version),
            moved=moved,
            changed=self._embedded_changed,
            configured_url=self._settings().text(Key.BACKEND_URL),
            first=first,
        )
        self._board.update(embedded=True)
        owner.keep_running("embedded backend", embedded.run)

    def backend_moved(self, endpoint: BackendEndpoint) -> None:
        """Speak to the backend at `endpoint` from now on."""
        self._transport.swap_endpoint(endpoint)
        self._moved_in.set()
        self.sync.hurry()
        self.messaging.retry_now()

    async def close(self) -> None:
        """Keep the next start's first frame and end the connections; the tasks have ended."""
        await self.frames.keep()
        await self._transport.close()

    # -- what the person looks at ------------------------------------------------------------

    def show(self, conversation_id: ConversationId | None) -> None:
        """Tell which conversation is on screen; what of its newest messages lacks is fetched."""
        opened = partial(self.sync.open_history.opened, conversation_id)
        self._tasks.spawn("open history", opened)

    def want_older(self, conversation_id: ConversationId) -> None:
        """Tell that the oldest message here was reached; what lies before it is fetched."""
        wanted = partial(self.sync.open_history.older_wanted, conversation_id)
        self._tasks.spawn("older history", wanted)

    def pause_history(self, paused: bool) -> None:
        """Have the filling in of history stand still, or go on; it holds over restarts."""
        self._tasks.spawn("pause history", partial(self.sync.fill.set_paused, paused))

    # -- what is known of the backend --------------------------------------------------------

    @property
    def me(self) -> Me | None:
        """Return the signed-in person as last known."""
        return self._reference.current.me

    @property
    def capabilities(self) -> CapabilitiesDocument | None:
        """Return what the backend said of itself, as last known."""
        return self._reference.current.capabilities

    # -- what the rooms tell ---------------------------------------------------------------

    def _inbound(self) -> Inbound:
        return Inbound(
            self._board,
            lambda: self._transport.latency_ms,
            self._line_up,
            self._typing,
            lambda news: self.proofs.watch.heard(news),
            lambda conversation_id, version: self._book.facts_seen(conversation_id, version),
            lambda pending: self.approvals.changed(pending),
            lambda pending: self.triage.changed(pending),
        )

    def _once_moved_in(
        self, run: Callable[[], Coroutine[Any, Any, None]]
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        async def wait_and_run() -> None:
            await self._moved_in.wait()
            await run()

        return wait_and_run

    def _way_out(self) -> str:
        """Return by which addresses a backend elsewhere is reached; loopback needs none."""
        endpoint = self._transport.endpoint
        return "" if endpoint is None or endpoint.is_loopback else way_out()

    def _woke(self) -> None:
        self.sync.renew()
        self.messaging.retry_now()

    def _line_up(self) -> None:
        self._tasks.spawn("open history", self.sync.open_history.line_up)
        self.messaging.retry_now()
        self.proofs.watch.wake(check=True)
        self._book.ask_soon()
        self.frames.stir()

    def _book_read(self) -> None:
        self._board.facts_changed()
        self.frames.stir()

    def _embedded_changed(self, state: EmbeddedState) -> None:
        if state is not EmbeddedState.RUNNING:
            self._board.link_changed(Link.RESTARTING)
        if state is EmbeddedState.FAILING:
            self._board.add_notice("notice.embedded_fails", "backend.log")

    def _committed(self, changes: ChangeSet) -> None:
        if changes.outbox or changes.reset:
            self._recount.set()
        if changes.notices:
            self._board.take_store_notices(self._store.notices)
        self.desk.changed(changes)
        self.frames.changed(changes)
        self.upkeep.changed(changes)

    async def _count_outbox(self) -> None:
        while True:
            await self._recount.wait()
            self._recount.clear()
            waiting, refused = await self._store.outbox.counts()
            self._board.update(outbox_waiting=waiting, outbox_refused=refused)
            await asyncio.sleep(_COUNT_EVERY_S)

    def _answered(self, message: Message | None) -> None:
        self._board.update(latency_ms=self._transport.latency_ms)
        if message is not None and message.archive is not None:
            self._board.archived_at(message.archive.archived_at_utc_ms)
        if self._board.status.link is not Link.ONLINE:
            self.sync.hurry()

    def _reference_changed(self, reference: Reference) -> None:
        if reference.capabilities is not None:
            self._board.update(
                workspace=reference.capabilities.workspace,
                versions=versions_told(
                    reference.capabilities,
                    self._client_version,
                    tell_newer=self._settings().flag(Key.UPDATE_CHECK),
                ),
            )
            self.proofs.looked_up()
        self._board.take_troubles(reference.me)
        if reference.bundle is not self._bundle:
            self._bundle = reference.bundle
            self._tasks.spawn("policy bundle", self._take_bundle)

    async def _take_bundle(self) -> None:
        if self._bundle is None:
            return
        if faults := await self._bundles.take(self._bundle, self.capabilities):
            self._board.add_notice("notice.policy_bundle_refused", faults)
        else:
            self._board.drop_notice("notice.policy_bundle_refused")
        self.desk.engine = self._bundles.engine
        if self.desk.engine is not None:
            self._board.update(policy_version=self.desk.engine.bundle_version)
        self.frames.stir()  # compiling takes far more memory than what it leaves
        is_kept = await self._bundles.keep()
        while not is_kept:
            await asyncio.sleep(_KEPT_AGAIN_S)
            is_kept = await self._bundles.keep()

    # -- small answers ---------------------------------------------------------------------

    def _language(self) -> str:
        """Return the language chosen here, else the one the firm knows the person by."""
        return language_of_rules(self._settings(), self.me.language if self.me else None)

    def _undo_s(self) -> int:
        capabilities = self.capabilities
        firm_limit_s = None if capabilities is None else capabilities.limits.undo_send_s
        return undo_period_s(self._settings(), firm_limit_s)

    def _attachment_max_bytes(self) -> int:
        capabilities = self.capabilities
        if capabilities is None:
            return DEFAULT_ATTACHMENT_BYTES
        return capabilities.limits.attachment_max_bytes
