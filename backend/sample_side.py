"""Owns the embedded backend's side: the sample workspace, its secret, and the sandbox's clients.

It never serves a real channel account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from starlette.routing import BaseRoute

from backend.channels.contract import Account, Inbound, Outbound
from backend.channels.rates import NO_LIMITS, RateLimits
from backend.channels.sandbox.phone import Client
from backend.channels.sandbox.service import Sandbox
from backend.delivery.accounts import governed_accounts
from backend.directory.addresses import governed_addresses
from backend.sample_workspace import open_sample
from backend.services import Authenticator, Services, system_clock_utc_ms
from backend.sides import AccountsChanged, Resume
from backend.workspace import Workspace


class SampleOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the sample lies, under which key, and how its clients behave."""

    data_dir: Path
    database_key: bytes
    pace: float = 1.0
    answers: bool = True


class SampleSide:
    """The side of a backend that a client program starts beside itself (backend.sides.Side)."""

    def __init__(self, options: SampleOptions) -> None:
        self._options = options
        self._sandbox: Sandbox | None = None

    @property
    def sandbox(self) -> Sandbox:
        """Return the running sandbox."""
        assert self._sandbox is not None, "the sample's side was not started"
        return self._sandbox

    @property
    def outbound(self) -> Mapping[str, Outbound]:
        """Return the sandbox's way out."""
        return {"sandbox": self.sandbox.connector.outbound}

    @property
    def inbound(self) -> Mapping[str, Inbound]:
        """Return the sandbox's way in."""
        return {"sandbox": self.sandbox.connector.inbound}

    @property
    def problems(self) -> tuple[str, ...]:
        """Return nothing: a sandbox is well while its backend is."""
        return ()

    @property
    def names(self) -> frozenset[str]:
        """Return nothing: no proxy stands before a backend that a client program started."""
        return frozenset()

    def rates(self, account: Account) -> RateLimits:
        """Return no limit: sandbox clients get what is sent at once."""
        return NO_LIMITS

    def open_workspace(self) -> Workspace:
        """Open, and at the first start fill, the sample workspace."""
        return open_sample(self._options.data_dir, self._options.database_key)

    async def start(self, workspace: Workspace, accounts_changed: AccountsChanged) -> None:
        """Start the sandbox with the sample's clients."""
        options, database = self._options, workspace.database
        self._sandbox = Sandbox(
            options.data_dir,
            options.database_key,
            await database.read(governed_accounts),
            pace=options.pace,
            answers=options.answers,
            now=system_clock_utc_ms,
        )
        addresses = await database.read(governed_addresses)
        await self._sandbox.start(
            Client(
                account_id=address.account_id,
                id_type=address.id_type,
                address=address.address,
                name=address.name,
                language=address.language,
            )
            for address in addresses
        )

    async def run(self) -> None:
        """Return at once: nobody else changes a sample."""

    async def stop(self) -> None:
        """Stop the sandbox."""
        if self._sandbox is not None:
            await self._sandbox.stop()

    def authenticator(self, workspace: Workspace, secret: str) -> Authenticator:
        """Return the holder of the per-start secret."""
        from backend.api.auth import SecretAuthenticator

        assert workspace.signed_in is not None, "a sample has somebody who is signed in"
        return SecretAuthenticator(secret, workspace.signed_in)

    def routes(
        self, services: Services, resume: Resume, committed: Callable[[], None]
    ) -> Sequence[BaseRoute]:
        """Return the sandbox's own routes."""
        from backend.channels.sandbox.routes import sandbox_routes

        return sandbox_routes(self.sandbox, services, resume)
