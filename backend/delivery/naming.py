"""Owns the names of those whom a channel's events tell without one: asked for once, then kept.

It never holds up a message for a name: who can't be named in time is shown by the address.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec

from backend.channels import events, faults
from backend.channels.contract import Account, Inbound, Names, Naming
from contract.ids import AccountId

ASKED_FOR_AT_MOST_S = 3.0
_MOST_NAMES = 20_000


class NameBook:
    """Names by account, address and group, for the process's time."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[AccountId, str, str], Names] = OrderedDict()

    async def told(
        self, connector: Inbound, account: Account, parsed: tuple[events.InboundEvent, ...]
    ) -> tuple[events.InboundEvent, ...]:
        """Return the events with the names that the vendor tells when it is asked."""
        if not isinstance(connector, Naming):
            return parsed
        return tuple([await self._named(connector, account, event) for event in parsed])

    async def _named(
        self, connector: Naming, account: Account, event: events.InboundEvent
    ) -> events.InboundEvent:
        if not isinstance(event, events.MessageIn | events.MessageEcho | events.Unknown):
            return event
        if not event.sender.address or event.sender.name:
            return event
        names = await self._names(connector, account, event.sender.address, event.chat)
        sender = msgspec.structs.replace(event.sender, name=names.sender)
        if isinstance(event, events.MessageIn):
            chat = event.chat_name or names.chat
            return msgspec.structs.replace(event, sender=sender, chat_name=chat)
        return msgspec.structs.replace(event, sender=sender)

    async def _names(self, connector: Naming, account: Account, address: str, chat: str) -> Names:
        key = (account.account_id, address, chat)
        if key in self._known:
            return self._known[key]
        try:
            async with asyncio.timeout(ASKED_FOR_AT_MOST_S):
                names = await connector.names_of(account, address, chat)
        except (TimeoutError, faults.ChannelFault, msgspec.DecodeError):
            return Names()  # asked again with the next message
        self._known[key] = names
        if len(self._known) > _MOST_NAMES:
            self._known.popitem(last=False)
        return names
