"""Matrix's way out: messages under a transaction id, replies, files, edits, redactions, reactions.

It never sends again before it has looked whether a message with our key is there.

Requests: Matrix specification v1.12, Client-Server API.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    Finding,
    OutboundFile,
    OutboundMessage,
    Reconciliation,
    SendResult,
)
from backend.channels.matrix.calls import CLIENT, MatrixCalls, in_path
from backend.channels.matrix.rooms import MatrixRooms
from backend.channels.matrix.wire import Content, Page, Sent, Uploaded
from backend.channels.preflight import shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import Channel

KEY_FIELD = "app.parley.key"
_LOOKED_THROUGH = 100
_TYPING_MS = 20_000
_UPLOAD_TIMEOUT_S = 40.0


class MatrixOutbound:
    """Serves every Matrix account; it keeps the protocol Outbound."""

    def __init__(self, calls: MatrixCalls, rooms: MatrixRooms) -> None:
        self._calls = calls
        self._rooms = rooms

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what the specification offers."""
        return CHANNEL_CAPABILITIES[Channel.MATRIX]

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent and size, and that one message carries one file."""
        if len(outbound.attachments) > 1:
            return Blocked(reason="Matrix carries one file a message. Send the files one by one.")
        return shared_preflight(CHANNEL_CAPABILITIES[Channel.MATRIX], outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Put the message into the client's room; a repeated attempt looks for the first one."""
        room = await self._room(outbound)
        if attempt.n > 1:
            found = await self._find(outbound.account_id, room, attempt.key)
            if found:
                return SendResult(external_id=found, state=DeliveryState.SENT)
        content = await self._content(outbound) | {KEY_FIELD: attempt.key}
        event_id = await self._put(
            outbound.account_id, room, "send/m.room.message", attempt.key, content
        )
        return SendResult(external_id=event_id, state=DeliveryState.SENT)

    async def edit(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Replace a sent text by a newer event."""
        text = {"msgtype": "m.text", "body": outbound.text}
        content = {
            "msgtype": "m.text",
            "body": f"* {outbound.text}",
            "m.new_content": text,
            "m.relates_to": {"rel_type": "m.replace", "event_id": external_id},
        }
        key = f"edit.{attempt.key}.{external_id}"
        room = await self._room(outbound)
        await self._put(outbound.account_id, room, "send/m.room.message", key, content)

    async def delete(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Redact a sent message."""
        room = await self._room(outbound)
        key = f"redact.{attempt.key}.{external_id}"
        await self._put(outbound.account_id, room, f"redact/{in_path(external_id)}", key, {})

    async def react(self, account: Account, address: str, external_id: str, emoji: str) -> None:
        """Set our reaction; an empty emoji takes back those we set."""
        room = await self._rooms.room_of(account.account_id, "", address)
        if not emoji:
            await self._take_reactions_back(account.account_id, room, external_id)
            return
        about = {"rel_type": "m.annotation", "event_id": external_id, "key": emoji}
        key = f"react.{external_id}.{emoji}.{secrets.token_hex(8)}"
        try:
            await self._put(
                account.account_id, room, "send/m.reaction", key, {"m.relates_to": about}
            )
        except faults.ContentInvalid:
            if not await self._own_reactions(account.account_id, room, external_id, emoji):
                raise  # a server refuses the same reaction twice: what is there already is well

    async def _take_reactions_back(
        self, account_id: AccountId, room: str, external_id: str
    ) -> None:
        for reaction in await self._own_reactions(account_id, room, external_id):
            key = f"redact.{reaction}"
            await self._put(account_id, room, f"redact/{in_path(reaction)}", key, {})

    async def _own_reactions(
        self, account_id: AccountId, room: str, external_id: str, emoji: str = ""
    ) -> list[str]:
        """Return our reactions to a message that still stand, those of one emoji if it is given."""
        path = f"/_matrix/client/v1/rooms/{in_path(room)}/relations/{in_path(external_id)}"
        path = f"{path}/m.annotation/m.reaction"
        body = await self._calls.call(
            account_id, "GET", path, params={"limit": str(_LOOKED_THROUGH)}
        )
        user, found = self._calls.user_of(account_id), []
        for event in msgspec.json.decode(body, type=Page).chunk:
            about = msgspec.json.decode(event.content, type=Content).relates_to
            if event.sender == user and about is not None and emoji in {"", about.key}:
                found.append(event.event_id)
        return found

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
        """Show that everything up to this message was read."""
        room = await self._rooms.room_of(account.account_id, "", address)
        path = f"{CLIENT}/rooms/{in_path(room)}/receipt/m.read/{in_path(external_id)}"
        await self._calls.call(account.account_id, "POST", path, {})

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Show that we type, or have stopped."""
        room = await self._rooms.room_of(account.account_id, "", address)
        user = in_path(self._calls.user_of(account.account_id))
        document: dict[str, Any] = {"typing": typing}
        if typing:
            document["timeout"] = _TYPING_MS
        path = f"{CLIENT}/rooms/{in_path(room)}/typing/{user}"
        await self._calls.call(account.account_id, "PUT", path, document)

    async def reconcile(self, outbound: OutboundMessage, attempt: Attempt) -> Reconciliation:
        """Look for the attempt's key among the room's newest messages."""
        room = await self._room(outbound)
        found = await self._find(outbound.account_id, room, attempt.key)
        if not found:
            return Reconciliation(finding=Finding.NOT_FOUND)
        sent = SendResult(external_id=found, state=DeliveryState.SENT)
        return Reconciliation(finding=Finding.FOUND, result=sent)

    async def _room(self, outbound: OutboundMessage) -> str:
        return await self._rooms.room_of(outbound.account_id, outbound.id_type, outbound.address)

    async def _content(self, outbound: OutboundMessage) -> dict[str, Any]:
        if outbound.attachments:
            content = await self._file(outbound, outbound.attachments[0])
        else:
            content = {"msgtype": "m.text", "body": outbound.text}
        if outbound.quote_external_id:
            reply = {"m.in_reply_to": {"event_id": outbound.quote_external_id}}
            content["m.relates_to"] = reply
        return content

    async def _file(self, outbound: OutboundMessage, file: OutboundFile) -> dict[str, Any]:
        body = await self._calls.call(
            outbound.account_id,
            "POST",
            "/_matrix/media/v3/upload",
            content=await file.read(),
            media_type=file.media_type,
            params={"filename": file.name},
            timeout_s=_UPLOAD_TIMEOUT_S,
        )
        major = file.media_type.partition("/")[0]
        kind = major if major in {"image", "audio", "video"} else "file"
        return {
            "msgtype": f"m.{kind}",
            "body": outbound.text or file.name,
            "filename": file.name,
            "url": msgspec.json.decode(body, type=Uploaded).content_uri,
            "info": {"mimetype": file.media_type, "size": file.size_bytes},
        }

    async def _put(
        self, account_id: AccountId, room: str, what: str, key: str, content: Mapping[str, Any]
    ) -> str:
        transaction = hashlib.sha256(f"{account_id}|{key}".encode()).hexdigest()[:40]
        path = f"{CLIENT}/rooms/{in_path(room)}/{what}/{transaction}"
        body = await self._calls.call(account_id, "PUT", path, content)
        try:
            return msgspec.json.decode(body, type=Sent).event_id
        except msgspec.DecodeError as error:
            raise faults.Retryable("The Matrix server's answer could not be read.") from error

    async def _find(self, account_id: AccountId, room: str, key: str) -> str:
        path = f"{CLIENT}/rooms/{in_path(room)}/messages"
        params = {"dir": "b", "limit": str(_LOOKED_THROUGH)}
        body = await self._calls.call(account_id, "GET", path, params=params)
        for event in msgspec.json.decode(body, type=Page).chunk:
            try:
                if msgspec.json.decode(event.content, type=Content).key == key:
                    return event.event_id
            except msgspec.DecodeError:
                continue  # another program's event
        return ""
