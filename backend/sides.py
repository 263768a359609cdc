"""Owns what a backend's two kinds, sample and firm, differ in: workspace, sign-in and channels.

It never builds one: the command line chooses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from starlette.routing import BaseRoute

from backend.channels.contract import Account, Inbound, Outbound
from backend.channels.rates import RateLimits
from backend.services import Authenticator, Services
from backend.workspace import Workspace
from contract.ids import AccountId

Resume = Callable[[AccountId], Awaitable[bool]]
AccountsChanged = Callable[[frozenset[AccountId]], None]


class Side(Protocol):
    """The part of a backend that knows whether clients are played or real.

    `outbound` and `inbound` are the connectors by name: the same mappings for as long as the
    side runs, which its accounts' changes show in.
    """

    @property
    def outbound(self) -> Mapping[str, Outbound]:
        """Return the ways out."""

    @property
    def inbound(self) -> Mapping[str, Inbound]:
        """Return the ways in."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is not well with the channels, in plain words."""

    @property
    def names(self) -> frozenset[str]:
        """Return the hosts by which a reverse proxy on this computer may name the backend."""

    def rates(self, account: Account) -> RateLimits:
        """Return how fast an account may send."""

    def open_workspace(self) -> Workspace:
        """Open the workspace; it blocks. Raises WorkspaceError or what Database.open raises."""

    async def start(self, workspace: Workspace, accounts_changed: AccountsChanged) -> None:
        """Start the connectors; `accounts_changed` hears which accounts changed afterwards."""

    async def run(self) -> None:
        """Look after what others change meanwhile, until cancelled."""

    async def stop(self) -> None:
        """Stop the connectors."""

    def authenticator(self, workspace: Workspace, secret: str) -> Authenticator:
        """Return who tells whose a token is; `secret` is the one of this start."""

    def routes(
        self, services: Services, resume: Resume, committed: Callable[[], None]
    ) -> Sequence[BaseRoute]:
        """Return the routes beside the API; `committed` hears that raw bytes came in."""
