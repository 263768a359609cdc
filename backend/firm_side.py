"""Owns the side of a firm's backend: tokens of people, connectors to vendors, vendors' webhooks.

It never starts a sandbox, and never ends the process when an account's settings change.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, delete, insert
from starlette.routing import BaseRoute

from backend.api.auth import TokenAuthenticator
from backend.api.hooks import HookDesk, Hooks
from backend.api.media import Media, MediaDesk
from backend.channels.contract import Account, Inbound, Outbound
from backend.channels.file_links import SignedFileLinks
from backend.channels.rates import RateLimits
from backend.channels.running import VendorChannels
from backend.delivery.accounts import governed_accounts
from backend.delivery.linked_files import link_key
from backend.directory.account_settings import read_settings
from backend.directory.firm_settings import firm_of, public_url_of
from backend.firm_workspace import open_firm
from backend.governance.policy import bring_into_force, newest_version, policy_on_record
from backend.services import Authenticator, Services, system_clock_utc_ms
from backend.sides import AccountsChanged, Resume
from backend.storage.database import Database
from backend.storage.tables import properties
from backend.workspace import Workspace
from contract.ids import AccountId

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_NEIGHBOUR = "neighbour.seen"


class FirmOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the firm's workspace lies, under which key, and how vendors reach it.

    An empty `public_url` means the one that is kept in the workspace; `names` are other hosts by
    which a reverse proxy on this computer passes calls on.
    """

    data_dir: Path
    database_key: bytes
    public_url: str = ""
    names: tuple[str, ...] = ()


class FirmSide:
    """The side of a backend that serves a firm (backend.sides.Side)."""

    def __init__(self, options: FirmOptions) -> None:
        self._options = options
        self._public_url = options.public_url.rstrip("/")
        self._channels: VendorChannels | None = None
        self._hooks: HookDesk | None = None
        self._links: SignedFileLinks | None = None
        self._media: MediaDesk | None = None
        self._workspace: Workspace | None = None
        self._accounts_changed: AccountsChanged = _nobody
        self._neighbours = 0

    @property
    def channels(self) -> VendorChannels:
        """Return the running connectors."""
        assert self._channels is not None, "the firm's side was not started"
        return self._channels

    @property
    def outbound(self) -> Mapping[str, Outbound]:
        """Return the ways out by connector name."""
        return self.channels.outbound

    @property
    def inbound(self) -> Mapping[str, Inbound]:
        """Return the ways in by connector name."""
        return self.channels.inbound

    @property
    def problems(self) -> tuple[str, ...]:
        """Return which accounts have no connector, and whom vendors' addresses refused lately."""
        refused = () if self._hooks is None else self._hooks.problems
        not_fetched = () if self._media is None else self._media.problems
        return (*self.channels.problems, *refused, *not_fetched)

    @property
    def names(self) -> frozenset[str]:
        """Return the public address's host and those the administrator named."""
        public = urlsplit(self._public_url).hostname
        return frozenset({*self._options.names, *((public,) if public else ())})

    def rates(self, account: Account) -> RateLimits:
        """Return how much an account's vendor takes, lowered by its settings."""
        return self.channels.rates(account)

    def open_workspace(self) -> Workspace:
        """Open the firm's workspace; it blocks."""
        return open_firm(self._options.data_dir, self._options.database_key)

    async def start(self, workspace: Workspace, accounts_changed: AccountsChanged) -> None:
        """Start the connectors that the firm's accounts name."""
        self._workspace, self._accounts_changed = workspace, accounts_changed
        accounts, settings, public_url = await workspace.database.read(_look)
        self._public_url = self._public_url or public_url
        self._neighbours = await workspace.database.write(_data_version)
        self._links = SignedFileLinks(self._public_url, await workspace.database.write(link_key))
        self._channels = VendorChannels(
            accounts,
            settings,
            system_clock_utc_ms,
            public_url=self._public_url,
            file_links=self._links,
        )
        await self._channels.start()

    async def run(self) -> None:
        """Take up what `parley-backend admin` writes while this process runs, until cancelled."""
        workspace = self._workspace
        assert workspace is not None, "the firm's side was not started"
        database = workspace.database
        seen = -1
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            # The reader hears of everybody's commits, and asks without a lock.
            newest = await database.read(_data_version)
            if newest == seen:
                continue
            seen = newest
            await self._refresh(database)
            neighbours = await database.write(_data_version)
            if neighbours != self._neighbours:
                await _take_policy(workspace)
                self._neighbours = neighbours
                # Whoever waits for a commit hears of ours, never of another process's.
                await database.write(_announce)

    async def stop(self) -> None:
        """Stop the connectors and close their connections."""
        if self._channels is not None:
            await self._channels.stop()

    def authenticator(self, workspace: Workspace, secret: str) -> Authenticator:
        """Return the holder of the employees' tokens; a firm's start has no secret."""
        return TokenAuthenticator(workspace.database, system_clock_utc_ms)

    def routes(
        self, services: Services, resume: Resume, committed: Callable[[], None]
    ) -> Sequence[BaseRoute]:
        """Return the addresses that vendors call."""
        self._hooks = HookDesk(
            Hooks(
                services.database,
                self.channels.inbound,
                committed,
                system_clock_utc_ms,
                self._public_url,
            )
        )
        assert self._links is not None, "the firm's side was not started"
        self._media = MediaDesk(
            Media(services.database, services.blobs, self._links, system_clock_utc_ms)
        )
        return [*self._hooks.routes(), *self._media.routes()]

    async def _refresh(self, database: Database) -> None:
        accounts, settings, _ = await database.read(_look)
        changed = await self.channels.refresh(accounts, settings)
        if changed:
            _log.info("channel accounts changed", extra={"accounts": sorted(changed)})
            self._accounts_changed(changed)


async def _take_policy(workspace: Workspace) -> None:
    """Put in force what `parley-backend policy publish` wrote, compiled aside before."""
    database, running = workspace.database, workspace.policy
    firm_id, _ = await database.read(firm_of)
    if await database.read(lambda c: newest_version(c, firm_id)) == running.version:
        return
    newer = await database.read(lambda c: policy_on_record(c, firm_id))
    assert newer is not None, "a firm has a policy from its making on"
    await asyncio.to_thread(newer.prepare)
    now_utc_ms = system_clock_utc_ms()
    await database.write(lambda c: bring_into_force(c, firm_id, running, newer, now_utc_ms))
    _log.info("another policy is in force", extra={"version": newer.version})


def _look(
    connection: Connection,
) -> tuple[tuple[Account, ...], dict[AccountId, Mapping[str, str]], str]:
    settings = {AccountId(name): values for name, values in read_settings(connection).items()}
    return governed_accounts(connection), dict(settings), public_url_of(connection)


def _data_version(connection: Connection) -> int:
    """Return a number that changes with the commits of all other connections.

    SQLite, PRAGMA data_version: on the writer's connection, the only one here that writes, that
    means those of other processes.
    """
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def _announce(connection: Connection) -> None:
    connection.execute(delete(properties).where(properties.c.name == _NEIGHBOUR))
    connection.execute(insert(properties).values(name=_NEIGHBOUR, value=str(system_clock_utc_ms())))


def _nobody(_changed: frozenset[AccountId]) -> None:
    """Tell nobody: nothing runs yet."""
