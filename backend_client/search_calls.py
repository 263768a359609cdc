"""Owns the calls that find messages in the backend's archive.

It never puts what is looked for into an address.
"""

from __future__ import annotations

import msgspec

from backend_client.calls import JSON, Caller, decode_reply
from contract import api, wire
from contract.ids import MessageId
from contract.search import SearchMessages, SearchPage

_TIMEOUT_S = 8.0


class SearchCalls:
    """Messages by words and filters, and what stands around one."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def messages(self, asked: SearchMessages) -> SearchPage:
        """Find messages, newest first; raises ClientError."""
        reply = await self._caller.exchange(
            "POST",
            api.SEARCH,
            headers=JSON,
            body=msgspec.json.encode(asked),
            timeout_s=_TIMEOUT_S,
        )
        return decode_reply(reply, SearchPage)

    async def surroundings(self, message_id: MessageId, limit: int = 50) -> wire.MessagePage:
        """Read a message with up to `limit` before and after it; raises ClientError."""
        path = api.MESSAGE_SURROUNDINGS.format(message_id=message_id)
        return await self._caller.get(path, wire.MessagePage, params={"limit": str(limit)})
