"""The embedded backend as one running whole: workspace, sandbox, delivery and HTTP face.

It never serves a real channel account and never listens by itself.
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
from sqlalchemy import Connection
from starlette.applications import Starlette

from backend.archive.embedded import EmbeddedArchive
from backend.archive.journal import Journal
from backend.archive.tile_places import TilePlace, place_of
from backend.archive.tile_store import TilePublisher
from backend.archive.worm import WormNotReady
from backend.channels import faults
from backend.channels.sandbox.phone import Client
from backend.channels.sandbox.service import Sandbox
from backend.delivery.accounts import governed_accounts, pauses, resume_account
from backend.delivery.files import DeliveryFiles
from backend.delivery.optout import opt_out_source
from backend.delivery.pump import InboundPump
from backend.delivery.recorder import InboundRecorder
from backend.delivery.worker import DeliveryWorker
from backend.directory.addresses import governed_addresses
from backend.directory.signins import SignIns
from backend.governance.stops import stop_if_forbidden
from backend.governance.watch import GovernanceWatch
from backend.inbox.erasing import sweep_files
from backend.inbox.notifier import Notifier
from backend.inbox.search_indexer import SearchIndexer
from backend.inbox.stale_uploads import keep_tidy
from backend.services import (
    WORKSPACE_SAMPLE,
    BackendSettings,
    Services,
    system_clock_utc_ms,
)
from backend.workspace import Workspace, open_workspace, process_name
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
    """Where to run, with which key, how the sandbox clients behave, where to publish tiles."""

    data_dir: Path
    database_key: bytes
    sandbox_pace: float = 1.0
    sandbox_answers: bool = True
    tiles: str = ""


class Runtime:
    """The parts of one embedded backend; `start` builds them, `stop` ends them in reverse."""

    def __init__(self, options: RuntimeOptions) -> None:
        self._options = options
        self._now = system_clock_utc_ms
        self._notifier = Notifier()
        self._tasks: list[asyncio.Task[None]] = []
        self._notices: set[asyncio.Task[None]] = set()
        self._problems: dict[str, str] = {}
        self._paused: tuple[str, ...] = ()
        self._workspace: Workspace | None = None
        self._journal: Journal | None = None
        self._publisher: TilePublisher | None = None
        self.archive = EmbeddedArchive(options.data_dir, options.database_key)
        self.sandbox: Sandbox | None = None
        self.worker: DeliveryWorker | None = None

    @property
    def workspace(self) -> Workspace:
        """Return the open workspace."""
        assert self._workspace is not None, "the runtime was not started"
        return self._workspace

    async def start(self) -> None:
        """Open the workspace and start archive, sandbox, worker and pump.

        Raises WorkspaceError or what Database.open raises; nothing runs then.
        """
        options = self._options
        await self.archive.prepare()
        self._workspace = open_workspace(options.data_dir, options.database_key)
        database = self.workspace.database
        await self.archive.start(database, self.workspace.signer, self._now)
        if options.tiles:
            self._publisher = TilePublisher(database, _tile_place(options.tiles))
        accounts = await database.read(governed_accounts)
        self.sandbox = Sandbox(
            options.data_dir,
            options.database_key,
            accounts,
            pace=options.sandbox_pace,
            answers=options.sandbox_answers,
            now=self._now,
        )
        addresses = await database.read(governed_addresses)
        await self.sandbox.start(
            Client(
                account_id=address.account_id,
                id_type=address.id_type,
                address=address.address,
                name=address.name,
                language=address.language,
            )
            for address in addresses
        )
        # What an erasure left to do when its process ended too early.
        await asyncio.to_thread(sweep_files, database, self.workspace.blobs)
        database.on_commit(self._notifier.wake)
        self._start_delivery(self.sandbox)

    def _start_delivery(self, sandbox: Sandbox) -> None:
        database = self.workspace.database
        outbound = {"sandbox": sandbox.connector.outbound}
        inbound = {"sandbox": sandbox.connector.inbound}
        files = DeliveryFiles(database, self.workspace.blobs)
        worker = DeliveryWorker(
            database,
            outbound,
            files.read,
            self._recheck,
            owner=process_name(),
            exclusive=True,
            now=self._now,
        )
        recorder = InboundRecorder(
            database,
            inbound,
            files.put,
            self._notifier.publish_passing,
            self._opt_out_words,
            now=self._now,
        )
        watch = GovernanceWatch(database, now=self._now)
        pump = InboundPump(database, inbound, recorder, now=self._now)
        self._journal = Journal(database, files.read, now=self._now)
        self.worker = worker
        self._tasks = [
            asyncio.create_task(
                self._keep_running("the archive", self.archive.run), name="archive"
            ),
            asyncio.create_task(self._keep_running("delivery", worker.run), name="worker"),
            asyncio.create_task(self._keep_running("incoming messages", pump.run), name="pump"),
            asyncio.create_task(
                self._keep_running("journal copies", self._journal.run), name="journal"
            ),
            asyncio.create_task(self._keep_running("supervision", watch.run), name="supervision"),
            asyncio.create_task(
                self._keep_running("the search index", SearchIndexer(database).run), name="search"
            ),
            asyncio.create_task(self._watch_health(recorder), name="health"),
            asyncio.create_task(self._prepare_policy(), name="policy"),
        ]
        tidying = functools.partial(keep_tidy, database, self.workspace.blobs, self._now)
        self._tasks.append(
            asyncio.create_task(self._keep_running("stale uploads", tidying), name="uploads")
        )
        if self._publisher is not None:
            publishing = self._keep_running("published tiles", self._publisher.run)
            self._tasks.append(asyncio.create_task(publishing, name="tiles"))

    def app(self, secret: str) -> Starlette:
        """Return the HTTP face, with the sandbox's own routes, for one per-start secret."""
        from backend.api.app import create_app
        from backend.api.auth import SecretAuthenticator
        from backend.channels.sandbox.routes import sandbox_routes

        assert self.sandbox is not None, "the runtime was not started"
        workspace = self.workspace
        services = Services(
            database=workspace.database,
            archive=self.archive.desk,
            blobs=workspace.blobs,
            policy=workspace.policy,
            auth=SecretAuthenticator(secret, workspace.employee_id),
            notifier=self._notifier,
            sign_ins=SignIns(workspace.database),
            settings=BackendSettings(
                workspace=WORKSPACE_SAMPLE,
                instance_id=workspace.instance_id,
                policy_keys=workspace.policy_keys,
            ),
            now_utc_ms=self._now,
            on_typing=self._on_typing,
            health_problems=self._health_problems,
        )
        app = create_app(services)
        app.router.routes[:0] = sandbox_routes(self.sandbox, services, self._resume)
        return app

    def close_streams(self) -> None:
        """End all event streams, so that the server can stop."""
        self._notifier.close()

    async def stop(self) -> None:
        """Stop taking work, let sends under way end, then close everything."""
        self.close_streams()
        await self.stop_delivery()
        if self.sandbox is not None:
            await self.sandbox.stop()
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
        try:
            await asyncio.to_thread(self.workspace.policy.prepare)
        except BundleError:
            self._problems["policy"] = (
                "the policy in force can't be read by this Parley: publish it anew"
            )

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
        return (*ours, *self._paused, *([refused] if refused else ()))

    def _recheck(self, connection: Connection, message_id: str, now_utc_ms: int) -> bool:
        return stop_if_forbidden(connection, self.workspace.policy, message_id, now_utc_ms)

    def _opt_out_words(self, text: str, channel: Channel) -> str | None:
        return opt_out_source(self.workspace.policy.server, text, channel)

    async def _resume(self, account_id: AccountId) -> bool:
        return await self.workspace.database.write(lambda c: resume_account(c, account_id))

    def _on_typing(
        self, conversation_id: ConversationId, employee_id: EmployeeId, typing: bool
    ) -> None:
        self._spawn(self._tell_typing(conversation_id, typing))

    async def _tell_typing(self, conversation_id: ConversationId, typing: bool) -> None:
        assert self.sandbox is not None, "the runtime was not started"
        found = await self.workspace.database.read(
            lambda c: governed_addresses(c, conversation_id=conversation_id)
        )
        for address in found[:1]:
            account = self.sandbox.account(address.account_id)
            with contextlib.suppress(faults.ChannelFault):
                await self.sandbox.connector.outbound.typing(account, address.address, typing)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="notice")
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)


def _tile_place(where: str) -> TilePlace:
    try:
        return place_of(where)
    except WormNotReady as error:
        raise WorkspaceError(str(error)) from error
