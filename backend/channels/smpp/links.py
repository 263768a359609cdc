"""Owns the connections of all SMPP accounts of a process.

It never opens one before the account sends or is listened to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from backend.channels import faults
from backend.channels.smpp import wire
from backend.channels.smpp.link import SmppLink
from backend.channels.smpp.receiver import SmppReceiver
from backend.channels.smpp.session import QUIET_S
from backend.channels.smpp.settings import SmppSettings, read_settings
from contract.ids import AccountId


class _Pair(NamedTuple):
    """The links of one account; with a transceiver both are the same one."""

    out: SmppLink
    into: SmppLink


class SmppLinks:
    """One pair of links and one receiver an account; changed settings make new links."""

    def __init__(
        self,
        settings_of: Callable[[AccountId], Mapping[str, str]],
        now: Callable[[], int],
        *,
        quiet_s: float = QUIET_S,
    ) -> None:
        self._settings_of, self._now, self._quiet_s = settings_of, now, quiet_s
        self._pairs: dict[AccountId, _Pair] = {}
        self._receivers: dict[AccountId, SmppReceiver] = {}
        self._stopped = False

    def receiver(self, account_id: AccountId) -> SmppReceiver:
        """Return what takes in an account's texts and receipts."""
        if account_id not in self._receivers:
            self._receivers[account_id] = SmppReceiver(self._now)
        return self._receivers[account_id]

    async def sending(self, account_id: AccountId) -> SmppLink:
        """Return the link an account sends over; raises AccountFault for wrong settings."""
        return (await self._pair(account_id)).out

    async def receiving(self, account_id: AccountId) -> SmppLink:
        """Return the link an account hears over; raises AccountFault for wrong settings."""
        return (await self._pair(account_id)).into

    async def forget(self, account_id: AccountId) -> None:
        """Unbind an account; the centre repeats what was not acknowledged."""
        await self._drop(account_id)
        self._receivers.pop(account_id, None)

    def start(self) -> None:
        """Let links be opened."""
        self._stopped = False

    async def stop(self) -> None:
        """Unbind every account."""
        self._stopped = True
        for account_id in list(self._pairs):
            await self._drop(account_id)

    async def _pair(self, account_id: AccountId) -> _Pair:
        if self._stopped:
            raise faults.Retryable("Parley is ending. The message waits.")
        settings = read_settings(self._settings_of(account_id))
        settings.tls_context()
        known = self._pairs.get(account_id)
        if known is not None and known.out.settings == settings:
            return known
        pair = self._pairs[account_id] = self._open(account_id, settings)
        if known is not None:
            await _close(known)
        return pair

    def _open(self, account_id: AccountId, settings: SmppSettings) -> _Pair:
        delivered = self.receiver(account_id).delivered
        if not settings.separate:
            link = SmppLink(settings, wire.BIND_TRANSCEIVER, delivered, quiet_s=self._quiet_s)
            return _Pair(link, link)
        return _Pair(
            SmppLink(settings, wire.BIND_TRANSMITTER, delivered, quiet_s=self._quiet_s),
            SmppLink(settings, wire.BIND_RECEIVER, delivered, quiet_s=self._quiet_s),
        )

    async def _drop(self, account_id: AccountId) -> None:
        pair = self._pairs.pop(account_id, None)
        if pair is not None:
            await _close(pair)


async def _close(pair: _Pair) -> None:
    await pair.out.close()
    if pair.into is not pair.out:
        await pair.into.close()
