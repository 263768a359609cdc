"""Owns which room a client is met in: found in the account's own list of direct chats, or made.

It never invites anybody into a room of others.

Source: Matrix specification v1.12, "Direct Messaging" (`m.direct`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec

from backend.channels import faults
from backend.channels.matrix.calls import CLIENT, MatrixCalls, in_path
from backend.channels.matrix.wire import JoinedMembers, JoinedRooms, Room
from contract.ids import AccountId

ROOM = "chat"  # the id type of a room's own address
_MOST_ROOMS = 500


class MatrixRooms:
    """Rooms by client; what was found once is remembered."""

    def __init__(self, calls: MatrixCalls) -> None:
        self._calls = calls
        self._known: dict[tuple[AccountId, str], str] = {}
        self._looking: defaultdict[AccountId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def room_of(self, account_id: AccountId, id_type: str, address: str) -> str:
        """Return the room to write into; a chat of two is made when there is none."""
        if id_type == ROOM or address.startswith("!"):
            return address
        if not address.startswith("@"):
            raise faults.RecipientInvalid("The client's Matrix id does not begin with @.")
        async with self._looking[account_id]:
            if room := self._known.get((account_id, address)):
                return room
            direct = await self._direct(account_id)
            rooms = direct.get(address, [])
            room = rooms[-1] if rooms else await self._shared(account_id, address)
            room = room or await self._make(account_id, address)
            if not rooms:
                await self._remember(account_id, direct | {address: [room]})
            self._known[account_id, address] = room
            return room

    def met(self, account_id: AccountId, client: str, room: str) -> None:
        """Note in which chat of two a client wrote, so that the answer goes there."""
        self._known[account_id, client] = room

    async def _shared(self, account_id: AccountId, client: str) -> str:
        """Return a room that holds the account and the client alone, empty when there is none."""
        body = await self._calls.call(account_id, "GET", f"{CLIENT}/joined_rooms")
        pair = {client, self._calls.user_of(account_id)}
        for room in msgspec.json.decode(body, type=JoinedRooms).joined_rooms[:_MOST_ROOMS]:
            path = f"{CLIENT}/rooms/{in_path(room)}/joined_members"
            told = await self._calls.call(account_id, "GET", path)
            if set(msgspec.json.decode(told, type=JoinedMembers).joined) == pair:
                return room
        return ""

    async def _direct(self, account_id: AccountId) -> dict[str, list[str]]:
        try:
            body = await self._calls.call(account_id, "GET", self._list_path(account_id))
        except faults.RecipientInvalid:  # there is no list yet
            return {}
        return msgspec.json.decode(body, type=dict[str, list[str]])

    async def _remember(self, account_id: AccountId, direct: dict[str, list[str]]) -> None:
        await self._calls.call(account_id, "PUT", self._list_path(account_id), direct)

    async def _make(self, account_id: AccountId, client: str) -> str:
        document = {
            "preset": "trusted_private_chat",
            "is_direct": True,
            "invite": [client],
        }
        body = await self._calls.call(
            account_id, "POST", f"{CLIENT}/createRoom", document, repeatable=False
        )
        return msgspec.json.decode(body, type=Room).room_id

    def _list_path(self, account_id: AccountId) -> str:
        user = in_path(self._calls.user_of(account_id))
        return f"{CLIENT}/user/{user}/account_data/m.direct"
