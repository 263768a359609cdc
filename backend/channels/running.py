"""Owns the connectors to real vendors of one process: loaded by name, started, stopped.

It never serves the sandbox, and one channel that can't be loaded never stops the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Protocol, runtime_checkable

from backend.channels.contract import Account, Connector, Inbound, Outbound
from backend.channels.modules import (
    ChannelContext,
    FileLinks,
    ModuleMissing,
    load_module,
    missing_settings,
    whole_settings,
)
from backend.channels.rates import NO_LIMITS, BadRate, RateLimits, rates_of
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId

_log = logging.getLogger(__name__)


@runtime_checkable
class Lifecycle(Protocol):
    """What a connector has when it keeps a connection open beside its calls.

    One that has no `account_changed` is stopped and started when one of its accounts changes.
    """

    async def start(self) -> None:
        """Begin; returns at once, also when the vendor is away."""

    async def stop(self) -> None:
        """End what `start` began."""


@runtime_checkable
class PerAccount(Protocol):
    """What a connector has when it keeps something open for each account by itself."""

    async def account_changed(self, account_id: AccountId) -> None:
        """Drop what is kept for an account that is new, has new settings, or is gone."""


class VendorChannels:
    """All connectors a firm's accounts name.

    `outbound` and `inbound` are the ways out and in by connector name; they stay the same
    mappings while accounts come and go. `problems` says in plain sentences which accounts have no
    connector.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        settings: Mapping[AccountId, Mapping[str, str]],
        now: Callable[[], int],
        *,
        public_url: str = "",
        file_links: FileLinks | None = None,
    ) -> None:
        """`settings` are the accounts' own; `public_url` is how vendors reach this backend.

        `file_links` are for vendors that fetch the files they are to carry.
        """
        self._first = tuple(accounts), settings
        self._accounts: dict[AccountId, Account] = {}
        self._whole: dict[AccountId, Mapping[str, str]] = {}
        self._rates: dict[AccountId, RateLimits] = {}
        self._http = VendorHttp()
        self._context = ChannelContext(
            self._whole.__getitem__, self._http, now, public_url.rstrip("/"), file_links
        )
        self._connectors: dict[str, Connector] = {}
        self._failed: set[str] = set()
        self.outbound: dict[str, Outbound] = {}
        self.inbound: dict[str, Inbound] = {}
        self.problems: tuple[str, ...] = ()

    async def start(self) -> None:
        """Load and start what the accounts name."""
        await self.refresh(*self._first)

    async def refresh(
        self, accounts: Iterable[Account], settings: Mapping[AccountId, Mapping[str, str]]
    ) -> frozenset[AccountId]:
        """Serve these accounts with these settings from now on; returns those to be asked anew.

        Connectors of accounts that stayed as they were are left alone.
        """
        wanted, whole, problems = self._look_over(accounts, settings)
        problems += self._set_rates(wanted, whole)
        changed = frozenset(
            account_id
            for account_id in {*self._accounts, *wanted}
            if wanted.get(account_id) != self._accounts.get(account_id)
            or whole.get(account_id) != self._whole.get(account_id)
        )
        touched, failed = self._touched(changed, wanted), set(self._failed)
        self._accounts = wanted
        self._whole.clear()
        self._whole.update(whole)
        for name, account_ids in touched.items():
            problems += await self._try_to_bring_up_to_date(name, account_ids)
        for problem in problems:
            if problem not in self.problems:
                _log.error("a channel account is not well", extra={"reason": problem})
        self.problems = tuple(problems)
        recovered = failed - self._failed
        return changed.union(*(touched.get(name, ()) for name in recovered))

    def _touched(
        self, changed: Set[AccountId], wanted: Mapping[AccountId, Account]
    ) -> dict[str, set[AccountId]]:
        """Return the changed accounts by connector, and all of those connectors that failed."""
        touched: dict[str, set[AccountId]] = {}
        for known in (self._accounts, wanted):
            for account_id, account in known.items():
                if account_id in changed or account.connector in self._failed:
                    touched.setdefault(account.connector, set()).add(account_id)
        return touched

    async def _try_to_bring_up_to_date(self, name: str, changed: Set[AccountId]) -> list[str]:
        """Return what is wrong with a connector, which is tried again when something changes."""
        try:
            await self._bring_up_to_date(name, changed)
        except Exception as error:  # noqa: BLE001 - one channel's bug must not stop the others
            _log.error(
                "a connector failed", extra={"connector": name, "error": type(error).__name__}
            )
            self._failed.add(name)
            return [f"the channel module {name!r} failed to start; its accounts are not served"]
        self._failed.discard(name)
        return []

    def account(self, account_id: AccountId) -> Account | None:
        """Return an account that has a connector, None for another."""
        return self._accounts.get(account_id)

    def rates(self, account: Account) -> RateLimits:
        """Return how much an account's vendor takes, lowered by the account's settings."""
        return self._rates.get(account.account_id, NO_LIMITS)

    async def stop(self) -> None:
        """Stop every connector and close the connections."""
        for connector in self._connectors.values():
            for part in _living(connector):
                await part.stop()
        await self._http.close()

    def _look_over(
        self, accounts: Iterable[Account], settings: Mapping[AccountId, Mapping[str, str]]
    ) -> tuple[dict[AccountId, Account], dict[AccountId, Mapping[str, str]], list[str]]:
        """Return the accounts that can be served, with their settings, and why others can't."""
        wanted: dict[AccountId, Account] = {}
        whole: dict[AccountId, Mapping[str, str]] = {}
        problems = []
        for account in accounts:
            try:
                module = load_module(account.connector)
            except ModuleMissing as error:
                problems.append(f"account {account.account_id}: {error}")
                continue
            if module.switched_off:
                problems.append(f"account {account.account_id}: {module.switched_off}")
                continue
            given = settings.get(account.account_id, {})
            missing = ", ".join(field.name for field in missing_settings(module, given))
            if missing:
                problems.append(
                    f"account {account.account_id}: {missing} is not set; `admin channel set` "
                    "takes it"
                )
            wanted[account.account_id] = account
            whole[account.account_id] = whole_settings(module, given)
        return wanted, whole, problems

    def _set_rates(
        self,
        accounts: Mapping[AccountId, Account],
        whole: Mapping[AccountId, Mapping[str, str]],
    ) -> list[str]:
        """Keep each account's limits; returns what is wrong with those that were set."""
        problems, rates = [], {}
        for account_id, account in accounts.items():
            module = load_module(account.connector)
            try:
                rates[account_id] = rates_of(account.channel, module, whole[account_id])
            except BadRate as error:
                problems.append(f"account {account_id}: {error}")
                rates[account_id] = rates_of(account.channel, module, {})
        self._rates = rates
        return problems

    async def _bring_up_to_date(self, name: str, changed: Set[AccountId]) -> None:
        """Load, unload, or tell one connector, as its accounts ask for."""
        served = any(account.connector == name for account in self._accounts.values())
        connector = self._connectors.get(name)
        if connector is None and served:
            connector = load_module(name).connect(self._context)
            self._connectors[name] = connector
            self.outbound[name], self.inbound[name] = connector
            for part in _living(connector):
                await part.start()
        elif connector is not None and not served:
            for kept in (self._connectors, self.outbound, self.inbound):
                kept.pop(name)
            for part in _living(connector):
                await part.stop()
        elif connector is not None:
            await _tell(connector, changed)


async def _tell(connector: Connector, changed: Set[AccountId]) -> None:
    for part in dict.fromkeys(connector):
        if isinstance(part, PerAccount):
            for account_id in sorted(changed):
                await part.account_changed(account_id)
        elif isinstance(part, Lifecycle):
            await part.stop()
            await part.start()


def _living(connector: Connector) -> tuple[Lifecycle, ...]:
    return tuple(part for part in dict.fromkeys(connector) if isinstance(part, Lifecycle))
