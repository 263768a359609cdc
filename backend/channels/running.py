"""Owns the connectors to real vendors of one process: loaded by name, started, stopped.

It never serves the sandbox, and one channel that can't be loaded never stops the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

from backend.channels.contract import Account, Connector, Inbound, Outbound
from backend.channels.modules import ChannelContext, ModuleMissing, load_module, whole_settings
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId

_log = logging.getLogger(__name__)


@runtime_checkable
class Lifecycle(Protocol):
    """What a connector has when it keeps a connection open beside its calls."""

    async def start(self) -> None:
        """Begin; returns at once, also when the vendor is away."""

    async def stop(self) -> None:
        """End what `start` began."""


class VendorChannels:
    """All connectors a firm's accounts name.

    `problems` says in plain sentences which accounts have none.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        settings: Mapping[AccountId, Mapping[str, str]],
        now: Callable[[], int],
        *,
        public_url: str = "",
    ) -> None:
        """`settings` are the accounts' own; `public_url` is how vendors reach this backend."""
        self._accounts = tuple(accounts)
        self._given = settings
        self._whole: dict[AccountId, Mapping[str, str]] = {}
        self._http = VendorHttp()
        self._context = ChannelContext(
            self._whole.__getitem__, self._http, now, public_url.rstrip("/")
        )
        self._connectors: dict[str, Connector] = {}
        self.problems: tuple[str, ...] = ()

    @property
    def outbound(self) -> dict[str, Outbound]:
        """Return the ways out by connector name."""
        return {name: each.outbound for name, each in self._connectors.items()}

    @property
    def inbound(self) -> dict[str, Inbound]:
        """Return the ways in by connector name."""
        return {name: each.inbound for name, each in self._connectors.items()}

    async def start(self) -> None:
        """Load and start what the accounts name."""
        problems = []
        for account in self._accounts:
            try:
                module = load_module(account.connector)
            except ModuleMissing as error:
                problems.append(f"account {account.account_id}: {error}")
                continue
            if module.switched_off:
                problems.append(f"account {account.account_id}: {module.switched_off}")
                continue
            given = self._given.get(account.account_id, {})
            self._whole[account.account_id] = whole_settings(module, given)
            if account.connector not in self._connectors:
                self._connectors[account.connector] = module.connect(self._context)
        self.problems = tuple(problems)
        for problem in problems:
            _log.error("a channel account has no connector", extra={"reason": problem})
        for part in self._living():
            await part.start()

    async def stop(self) -> None:
        """Stop every connector and close the connections."""
        for part in self._living():
            await part.stop()
        await self._http.close()

    def _living(self) -> tuple[Lifecycle, ...]:
        parts = dict.fromkeys(part for connector in self._connectors.values() for part in connector)
        return tuple(part for part in parts if isinstance(part, Lifecycle))
