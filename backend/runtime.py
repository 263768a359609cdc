"""A backend as one running whole: workspace, archive, delivery, its side's channels, HTTP face.

It never listens by itself and never asks whether clients are played or real: its side knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Row
from starlette.applications import Starlette

from backend.archive.embedded import EmbeddedArchive
from backend.archive.journal import Journal
from backend.archive.tile_places import TilePlace, place_of
from backend.archive.tile_store import TilePublisher
from backend.archive.worm import WormNotReady
from backend.channels import faults
from backend.channels.contract import Account
from backend.delivery.accounts import governed_accounts, pauses, resume_account
from backend.delivery.changes import ChangeTeller
from backend.delivery.channel_watch import ChannelWatch
from backend.delivery.files import DeliveryFiles
from backend.delivery.optout import opt_out_source
from backend.delivery.pump import InboundPump
from backend.delivery.recorder import InboundRecorder
from backend.delivery.traffic import Traffic
from backend.delivery.worker import DeliveryWorker
from backend.directory.addresses import governed_addresses
from backend.directory.capabilities import settle_capabilities
from backend.directory.signins import SignIns
from backend.governance.hearing import change_stopped
from backend.governance.stops import stop_if_forbidden
from backend.governance.watch import GovernanceWatch
from backend.imports.runner import ImportRunner
from backend.inbox.erasing import sweep_files
from backend.inbox.notifier import Notifier
from backend.inbox.search_indexer import SearchIndexer
from backend.inbox.stale_uploads import keep_tidy
from backend.services import BackendSettings, Services, system_clock_utc_ms
from backend.sides import Side
from backend.workspace import Workspace, process_name
from backend.workspace_errors import WorkspaceError
from contract.ids import AccountId, ConversationId, EmployeeId
from contract.policy.problems import BundleError
from contract.wire import Channel

_log = logging.getLogger(__name__)
_RESTART_AFTER_S = 1.0
_HEALTH_PAUSE_S = 0.5
_STOP_WITHIN_S = 5.0
_POLICY_AFTER_S = 1.0


class RuntimeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where to run, with which key, where to publish tiles."""

    data_dir: Path
    database_key: bytes
    tiles: str = ""


class Runtime:
    """The parts of one backend; `start` builds them, `stop` ends them in reverse."""

    def __init__(self, options: RuntimeOptions, side: Side) -> None:
        self._options = options
        self._side = side
        self._now = system_clock_utc_ms
        self._notifier = Notifier()
        self._tasks: list[asyncio.Task[None]] = []
        self._notices: set[asyncio.Task[None]] = set()
        self._problems: dict[str, str] = {}
        self._paused: tuple[str, ...] = ()
        self._workspace: Workspace | None = None
        self._journal: Journal | None = None
        self._imports: ImportRunner | None = None
        self._publisher: TilePublisher | None = None
        self._recorder: InboundRecorder | None = None
        self._pump: InboundPump | None = None
        self._channel_watch: ChannelWatch | None = None
        self._traffic = Traffic(side.rates)
        self.archive = EmbeddedArchive(options.data_dir, options.database_key)
        self.worker: DeliveryWorker | None = None

    @property
    def workspace(self) -> Workspace:
        """Return the open workspace."""
        assert self._workspace is not None, "the runtime was not started"
        return self._workspace

    @property
    def names(self) -> frozenset[str]:
        """Return the hosts, besides loopback, for which calls may be meant."""
        return self._side.names

    async def start(self) -> None:
        """Open the workspace and start archive, channels, worker and pump.

        Raises WorkspaceError or what Database.open raises; nothing runs then.
        """
        await self.archive.prepare()
        self._workspace = self._side.open_workspace()
        database = self.workspace.database
        await self.archive.start(database, self.workspace.signer, self._now)
        if self._options.tiles:
            self._publisher = TilePublisher(database, _tile_place(self._options.tiles))
        await self._side.start(self.workspace, self._accounts_changed)
        # What an erasure left to do when its process ended too early.
        await asyncio.to_thread(sweep_files, database, self.workspace.blobs)
        database.on_commit(self._notifier.wake)
        self._build_delivery()
        self._run_parts()

    def _build_delivery(self) -> None:
        database = self.workspace.database
        files = DeliveryFiles(database, self.workspace.blobs)
        traffic = self._traffic
        self.worker = DeliveryWorker(
            database,
            self._side.outbound,
            files.read,
            self._recheck,
            owner=process_name(),
            exclusive=True,
            now=self._now,
            traffic=traffic,
        )
        self._channel_watch = ChannelWatch(database, traffic, now=self._now)
        self._recorder = InboundRecorder(
            database,
            self._side.inbound,
            files.put,
            self._notifier.publish_passing,
            self._opt_out_words,
            now=self._now,
        )
        self._pump = InboundPump(
            database, self._side.inbound, self._recorder, now=self._now, pulse=traffic.pulse
        )
        self._journal = Journal(database, files.read, now=self._now)
        self._imports = ImportRunner(database, self.workspace.blobs, now=self._now)

    def _run_parts(self) -> None:
        """Start every part; one that fails is started again, and the health names it."""
        database, traffic = self.workspace.database, self._traffic
        assert self.worker is not None
        assert self._pump is not None
        assert self._recorder is not None
        assert self._journal is not None
        assert self._channel_watch is not None
        assert self._imports is not None
        parts: dict[str, tuple[str, Callable[[], Awaitable[None]]]] = {
            "archive": ("the archive", self.archive.run),
            "worker": ("delivery", self.worker.run),
            "pump": ("incoming messages", self._pump.run),
            "journal": ("journal copies", self._journal.run),
            "supervision": ("supervision", GovernanceWatch(database, now=self._now).run),
            "search": ("the search index", SearchIndexer(database).run),
            "imports": ("imports", self._imports.run),
            "uploads": (
                "stale uploads",
                functools.partial(keep_tidy, database, self.workspace.blobs, self._now),
            ),
            "channels": ("the channels", self._side.run),
            "changes": (
                "changes of sent messages",
                ChangeTeller(
                    database, self._side.outbound, self._recheck_change, traffic, now=self._now
                ).run,
            ),
            "channel watch": ("the watch over channels", self._channel_watch.run),
        }
        if self._publisher is not None:
            parts["tiles"] = ("published tiles", self._publisher.run)
        self._tasks = [
            asyncio.create_task(self._keep_running(words, run), name=name)
            for name, (words, run) in parts.items()
        ]
        self._tasks += [
            asyncio.create_task(self._watch_health(self._recorder), name="health"),
            asyncio.create_task(self._prepare_policy(), name="policy"),
        ]

    def app(self, secret: str = "") -> Starlette:
        """Return the HTTP face with its side's own routes; `secret` is the one of this start."""
        from backend.api.app import create_app

        workspace, recorder = self.workspace, self._recorder
        assert recorder is not None, "the runtime was not started"
        services = Services(
            database=workspace.database,
            archive=self.archive.desk,
            blobs=workspace.blobs,
            policy=workspace.policy,
            auth=self._side.authenticator(workspace, secret),
            notifier=self._notifier,
            sign_ins=SignIns(workspace.database),
            settings=BackendSettings(
                workspace=workspace.kind,
                instance_id=workspace.instance_id,
                history_id=workspace.history_id,
                policy_keys=workspace.policy_keys,
                client_versions=workspace.client_versions,
            ),
            now_utc_ms=self._now,
            on_typing=self._on_typing,
            on_import=self._imports.wake if self._imports is not None else bool,
            health_problems=self._health_problems,
        )
        app = create_app(services)
        app.router.routes[:0] = self._side.routes(services, self._resume, recorder.wake)
        return app

    def close_streams(self) -> None:
        """End all event streams, so that the server can stop."""
        self._notifier.close()

    async def stop(self) -> None:
        """Stop taking work, let sends under way end, then close everything."""
        self.close_streams()
        await self.stop_delivery()
        await self._side.stop()
        await self.archive.stop()
        if self._workspace is not None:
            await self._workspace.close()

    async def stop_delivery(self) -> None:
        """Stop worker and pump alone; sends under way end first."""
        if self.worker is not None:
            self.worker.stop()
        for task in self._tasks:
            if task.get_name() != "worker":
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_WITHIN_S)
        for task in (*self._tasks, *self._notices):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._notices, return_exceptions=True)
        self._tasks = []

    async def _keep_running(self, part: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a part again after it failed; its name stands in the health until it is well."""
        while True:
            try:
                await run()
                return
            except Exception as error:  # noqa: BLE001 - the top of a part: logged and restarted
                self._problems[part] = f"{part} stopped and is being started again"
                _log.error("a part stopped", extra={"part": part, "error": type(error).__name__})
            await asyncio.sleep(_RESTART_AFTER_S)
            self._problems.pop(part, None)

    async def _prepare_policy(self) -> None:
        """Compile the policy in force aside, once the first questions are answered."""
        await asyncio.sleep(_POLICY_AFTER_S)
        await self._settle_capabilities()
        try:
            await asyncio.to_thread(self.workspace.policy.prepare)
        except BundleError:
            self._problems["policy"] = (
                "the policy in force can't be read by this Parley: publish it anew"
            )

    async def _settle_capabilities(self) -> None:
        """Show clients what this version's connectors can do, where an older one's stands."""
        database, outbound = self.workspace.database, self._side.outbound
        known = {
            account.account_id: outbound[account.connector].capabilities(
                account, ConversationId("")
            )
            for account in await database.read(governed_accounts)
            if account.connector in outbound
        }
        await database.write(lambda c: settle_capabilities(c, known, self._now()))

    async def _watch_health(self, recorder: InboundRecorder) -> None:
        committed = asyncio.Event()
        unsubscribe = self.workspace.database.on_commit(committed.set)
        try:
            while True:
                committed.clear()
                found = await self.workspace.database.read(pauses)
                self._paused = tuple(f"account {item.account_id} is paused" for item in found)
                if recorder.stuck:
                    self._problems["inbound"] = f"{recorder.stuck} inbound items wait for repair"
                await committed.wait()
                await asyncio.sleep(_HEALTH_PAUSE_S)
        finally:
            unsubscribe()

    def _health_problems(self) -> tuple[str, ...]:
        refused = self.workspace.policy_problem
        ours = (*self._problems.values(), *self.archive.problems)
        if self._journal is not None:
            ours = (*ours, *self._journal.problems)
        if self._publisher is not None:
            ours = (*ours, *self._publisher.problems)
        channels = self._side.problems
        if self._channel_watch is not None:
            channels = (*channels, *self._channel_watch.problems)
        return (*ours, *channels, *self._paused, *([refused] if refused else ()))

    def _recheck(self, connection: Connection, message_id: str, now_utc_ms: int) -> bool:
        return stop_if_forbidden(connection, self.workspace.policy, message_id, now_utc_ms)

    def _recheck_change(self, connection: Connection, change: Row[Any], now_utc_ms: int) -> str:
        return change_stopped(connection, self.workspace.policy, change, now_utc_ms)

    def _opt_out_words(self, text: str, channel: Channel) -> str | None:
        return opt_out_source(self.workspace.policy.server, text, channel)

    async def _resume(self, account_id: AccountId) -> bool:
        return await self.workspace.database.write(lambda c: resume_account(c, account_id))

    def _on_typing(
        self, conversation_id: ConversationId, employee_id: EmployeeId, typing: bool
    ) -> None:
        self._spawn(self._tell_typing(conversation_id, typing))

    async def _tell_typing(self, conversation_id: ConversationId, typing: bool) -> None:
        def look(connection: Connection) -> tuple[Account, str] | None:
            found = governed_addresses(connection, conversation_id=conversation_id)[:1]
            accounts = {each.account_id: each for each in governed_accounts(connection)}
            return next(((accounts[each.account_id], each.address) for each in found), None)

        known = await self.workspace.database.read(look)
        connector = None if known is None else self._side.outbound.get(known[0].connector)
        if known is not None and connector is not None:
            with contextlib.suppress(faults.ChannelFault):
                await connector.typing(*known, typing)

    def _accounts_changed(self, changed: frozenset[AccountId]) -> None:
        if self._pump is not None:
            self._pump.accounts_changed(changed)
        self._traffic.renew(changed)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="notice")
        self._notices.add(task)
        task.add_done_callback(self._noticed)

    def _noticed(self, task: asyncio.Task[None]) -> None:
        self._notices.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a notice was not given", extra={"error": type(error).__name__})


def _tile_place(where: str) -> TilePlace:
    try:
        return place_of(where)
    except WormNotReady as error:
        raise WorkspaceError(str(error)) from error
