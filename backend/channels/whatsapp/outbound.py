"""WhatsApp's way out: texts, replies, files, templates, reactions, read marks, typing.

It never sends twice by itself: the channel keeps no keys, only an echo of ours in its statuses.

Requests: Meta's Cloud API v23.0, `POST /{phone_number_id}/messages` and `/media`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    OutboundFile,
    OutboundMessage,
    SendResult,
)
from backend.channels.modules import ChannelContext
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import carried_as, shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.vendor_http import VendorReply
from backend.channels.whatsapp.errors import fault_of_reply
from backend.channels.whatsapp.heard import LastHeard
from backend.channels.whatsapp.wire import MediaAnswer, SendAnswer
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import Channel

COEXISTENCE = "coexistence"
# Echoes, edits and deletions are told of numbers that the WhatsApp Business app serves, too.
BESIDE_THE_PHONE = CHANNEL_CAPABILITIES[Channel.WHATSAPP]
ALONE = msgspec.structs.replace(
    BESIDE_THE_PHONE, edits_in=False, deletes_in=False, echo_of_native=False
)
DEFAULT_GRAPH_URL = "https://graph.facebook.com/v23.0"
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]")
_WITH_CAPTION = frozenset({"image", "video", "document"})
_UPLOAD_TIMEOUT_S = 40.0
_MOST_CAPTION_CHARS = 1024


class WhatsAppOutbound(PlainOutbound):
    """Serves every WhatsApp account; it keeps the protocol Outbound."""

    shown_name = "WhatsApp"

    def __init__(self, context: ChannelContext, heard: LastHeard) -> None:
        self._context = context
        self._heard = heard

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what Meta documents for a number of the Cloud API, alone or beside the phone."""
        given = self._context.settings_of(account.account_id).get(COEXISTENCE, "")
        return BESIDE_THE_PHONE if given.strip().casefold() in {"yes", "true", "1"} else ALONE

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check window, consent, size, and that one message carries one file."""
        if len(outbound.attachments) > 1:
            return Blocked(reason="WhatsApp carries one file a message. Send the files one by one.")
        if outbound.attachments and not _fits_as_caption(outbound):
            return Blocked(reason="The text is too long to go with a file. Send it on its own.")
        return shared_preflight(ALONE, outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the message over; a file is uploaded first, which may be repeated harmlessly."""
        document = _addressed(outbound.address, outbound.id_type) | {
            "biz_opaque_callback_data": attempt.key
        }
        if outbound.quote_external_id:
            document["context"] = {"message_id": outbound.quote_external_id}
        if outbound.template is not None:
            document |= _template(outbound)
        elif outbound.attachments:
            document |= await self._file(outbound, outbound.attachments[0])
        else:
            document |= {"type": "text", "text": {"preview_url": False, "body": outbound.text}}
        reply = await self._post(outbound.account_id, document, repeatable=False)
        if not reply.is_success:
            raise fault_of_reply(reply, self._context.now())
        try:
            (sent, *_) = msgspec.json.decode(reply.body, type=SendAnswer).messages
        except (msgspec.DecodeError, ValueError) as error:
            raise faults.OutcomeUnknown("WhatsApp's answer could not be read.") from error
        return SendResult(
            external_id=sent.id, state=DeliveryState.ACCEPTED, at_utc_ms=self._context.now()
        )

    async def react(self, account: Account, address: str, external_id: str, emoji: str) -> None:
        """Set our reaction; an empty emoji takes it back."""
        await self._told(
            account.account_id,
            _addressed(address)
            | {"type": "reaction", "reaction": {"message_id": external_id, "emoji": emoji}},
        )

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
        """Show the client that everything up to this message was read."""
        await self._told(account.account_id, {"status": "read", "message_id": external_id})

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Show that we type, for 25 seconds, as an answer to the chat's last message.

        WhatsApp marks that message as read with it. Nothing is shown where none is known.
        """
        last = self._heard.last(account.account_id, address) if typing else ""
        if last:
            shown = {"status": "read", "message_id": last, "typing_indicator": {"type": "text"}}
            await self._told(account.account_id, shown)

    async def _file(self, outbound: OutboundMessage, file: OutboundFile) -> dict[str, Any]:
        kind = carried_as(ALONE, file) or "document"
        told: dict[str, Any] = {"id": await self._upload(outbound.account_id, file)}
        if outbound.text and kind in _WITH_CAPTION:
            told["caption"] = outbound.text
        if kind == "document":
            told["filename"] = file.name
        return {"type": kind, kind: told}

    async def _upload(self, account_id: AccountId, file: OutboundFile) -> str:
        settings = self._context.settings_of(account_id)
        reply = await self._context.http.request(
            "POST",
            f"{graph_url(settings)}/{settings['phone_number_id']}/media",
            repeatable=True,
            form={"messaging_product": "whatsapp", "type": file.media_type},
            files={"file": (file.name, await file.read(), file.media_type)},
            headers=bearer(settings),
            timeout_s=_UPLOAD_TIMEOUT_S,
        )
        if not reply.is_success:
            raise fault_of_reply(reply, self._context.now())
        found = msgspec.json.decode(reply.body, type=MediaAnswer).id
        if not found:
            raise faults.Retryable("WhatsApp did not keep the file. The message waits.")
        return found

    async def _told(self, account_id: AccountId, document: dict[str, Any]) -> None:
        reply = await self._post(account_id, document, repeatable=True)
        if not reply.is_success:
            raise fault_of_reply(reply, self._context.now())

    async def _post(
        self, account_id: AccountId, document: dict[str, Any], *, repeatable: bool
    ) -> VendorReply:
        settings = self._context.settings_of(account_id)
        return await self._context.http.request(
            "POST",
            f"{graph_url(settings)}/{settings['phone_number_id']}/messages",
            repeatable=repeatable,
            json=msgspec.json.encode({"messaging_product": "whatsapp"} | document),
            headers=bearer(settings),
        )


def graph_url(settings: Any) -> str:
    """Return the API's address of an account, without a slash at its end."""
    return str(settings.get("graph_url") or DEFAULT_GRAPH_URL).rstrip("/")


def bearer(settings: Any) -> dict[str, str]:
    """Return the header that signs an account's requests in."""
    return {"Authorization": f"Bearer {settings['access_token']}"}


def _addressed(address: str, id_type: str = "") -> dict[str, Any]:
    """Return to whom a message goes; a bare address tells by its form what it is."""
    if not id_type:
        id_type = "user_id" if _USER_ID.match(address) else "phone"
        id_type = "chat" if id_type == "phone" and not address.startswith("+") else id_type
    if id_type == "chat":
        return {"recipient_type": "group", "to": address}
    if id_type == "user_id":  # business-scoped, where the client hides the number
        return {"recipient_type": "individual", "recipient": address}
    return {"recipient_type": "individual", "to": address.removeprefix("+")}


def _template(outbound: OutboundMessage) -> dict[str, Any]:
    template = outbound.template
    assert template is not None, "only a template's message is told as one"
    told: dict[str, Any] = {
        "name": template.name,
        "language": {"code": template.language, "policy": "deterministic"},
    }
    if template.values:
        words = [{"type": "text", "text": value} for value in template.values]
        told["components"] = [{"type": "body", "parameters": words}]
    return {"type": "template", "template": told}


def _fits_as_caption(outbound: OutboundMessage) -> bool:
    if carried_as(ALONE, outbound.attachments[0]) == "audio":
        return not outbound.text
    return len(outbound.text) <= _MOST_CAPTION_CHARS
