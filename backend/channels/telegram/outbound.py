"""Telegram's way out: texts, replies, files, edits, deletions, reactions, typing.

It never sends twice by itself: Telegram keeps no keys and tells nothing of what arrived.

Methods: Bot API 10.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Blocked,
    Capabilities,
    OutboundMessage,
    SendResult,
    Window,
)
from backend.channels.modules import ChannelContext
from backend.channels.plain_outbound import PlainOutbound
from backend.channels.preflight import carried_as, shared_preflight
from backend.channels.profiles import CHANNEL_CAPABILITIES
from backend.channels.telegram.calls import BUSINESS, TelegramCalls, Upload
from backend.channels.telegram.errors import failure_of, fault_of
from backend.channels.telegram.wire import Answer, Sent
from backend.channels.vendor_http import VendorReply
from contract.ids import AccountId, ConversationId
from contract.states import DeliveryState
from contract.wire import Channel

_DAY_S = 86_400
_WHOLE = CHANNEL_CAPABILITIES[Channel.TELEGRAM]
# A bot of its own marks nothing as read, and is never told of what clients take back.
BOT = msgspec.structs.replace(_WHOLE, mark_read=False, deletes_in=False, echo_of_native=False)
# In an employee's name it writes within a day of the client's last message, in chats of two.
IN_BUSINESS = msgspec.structs.replace(
    _WHOLE, reactions=False, groups=False, window=Window(seconds=_DAY_S)
)
MOST_CAPTION_UTF16 = 1024
_UPLOAD_TIMEOUT_S = 40.0
_EDIT_TEXT = ("editMessageText", "text")


class TelegramOutbound(PlainOutbound):
    """Serves every Telegram account; it keeps the protocol Outbound."""

    shown_name = "Telegram"

    def __init__(self, context: ChannelContext) -> None:
        self._calls = TelegramCalls(context)
        self._now = context.now

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what the Bot API documents for a bot, or for one in an employee's name."""
        return self._profile(account.account_id)

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check consent and size, and that one message carries one file."""
        if len(outbound.attachments) > 1:
            return Blocked(reason="Telegram carries one file a message. Send the files one by one.")
        if outbound.attachments and _utf16(outbound.text) > MOST_CAPTION_UTF16:
            return Blocked(reason="The text is too long to go with a file. Send it on its own.")
        return shared_preflight(self._profile(outbound.account_id), outbound, now_utc_ms)

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the message over; a group that moved is followed, since nothing was sent yet."""
        values = self._addressed(outbound.account_id, outbound.address)
        if outbound.quote_external_id:
            number = message_number(outbound.quote_external_id)
            values["reply_parameters"] = {
                "message_id": number,
                "allow_sending_without_reply": True,
            }
        reply = await self._post(outbound, values)
        moved_to = 0 if reply.is_success else failure_of(reply).parameters.migrate_to_chat_id
        if moved_to:
            values["chat_id"] = moved_to
            reply = await self._post(outbound, values)
        if not reply.is_success:
            raise fault_of(reply, self._now())
        try:
            result = msgspec.json.decode(reply.body, type=Answer).result
            sent = msgspec.json.decode(result, type=Sent)
        except msgspec.DecodeError as error:
            raise faults.OutcomeUnknown("Telegram's answer could not be read.") from error
        # No receipt follows: Telegram's answer is the last word there is.
        return SendResult(
            external_id=external_id(values["chat_id"], sent.message_id),
            state=DeliveryState.SENT,
            at_utc_ms=self._now(),
        )

    async def edit(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Replace a sent text, or the words under a file."""
        with_file = bool(outbound.attachments)
        method, field = ("editMessageCaption", "caption") if with_file else _EDIT_TEXT
        values = self._about(outbound.account_id, external_id) | {field: outbound.text}
        await self._calls.call(outbound.account_id, method, values)

    async def delete(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Take a message back; Telegram allows it for 48 hours."""
        about = self._about(outbound.account_id, external_id)
        if BUSINESS in about:
            values = {
                BUSINESS: about[BUSINESS],
                "message_ids": [about["message_id"]],
            }
            await self._calls.call(outbound.account_id, "deleteBusinessMessages", values)
        else:
            await self._calls.call(outbound.account_id, "deleteMessage", about)

    async def react(self, account: Account, address: str, external_id: str, emoji: str) -> None:
        """Set our reaction; an empty emoji takes it back."""
        values = self._about(account.account_id, external_id)
        if BUSINESS in values:
            raise faults.Unsupported("Telegram's business connections can't react.")
        values["reaction"] = [{"type": "emoji", "emoji": emoji}] if emoji else []
        await self._calls.call(account.account_id, "setMessageReaction", values)

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
        """Mark a message as read, where a business connection lets us."""
        values = self._about(account.account_id, external_id)
        if BUSINESS not in values:
            raise faults.Unsupported("A Telegram bot can't mark messages as read.")
        await self._calls.call(account.account_id, "readBusinessMessage", values)

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Show that we type; it ends by itself after five seconds."""
        if typing:
            values = self._addressed(account.account_id, address) | {"action": "typing"}
            await self._calls.call(account.account_id, "sendChatAction", values)

    async def _post(self, outbound: OutboundMessage, values: dict[str, Any]) -> VendorReply:
        if not outbound.attachments:
            text = {"text": outbound.text, "link_preview_options": {"is_disabled": True}}
            return await self._calls.ask(
                outbound.account_id, "sendMessage", values | text, repeatable=False
            )
        file = outbound.attachments[0]
        is_photo = carried_as(_WHOLE, file) == "image"
        method, field = ("sendPhoto", "photo") if is_photo else ("sendDocument", "document")
        caption = {"caption": outbound.text} if outbound.text else {}
        return await self._calls.ask(
            outbound.account_id,
            method,
            values | caption,
            repeatable=False,
            upload=Upload(field, file.name, await file.read(), file.media_type),
            timeout_s=_UPLOAD_TIMEOUT_S,
        )

    def _profile(self, account_id: AccountId) -> Capabilities:
        return IN_BUSINESS if self._calls.settings(account_id).get(BUSINESS) else BOT

    def _addressed(self, account_id: AccountId, address: str) -> dict[str, Any]:
        values: dict[str, Any] = {"chat_id": _chat_id(address)}
        connection = self._calls.settings(account_id).get(BUSINESS)
        if connection:
            values[BUSINESS] = connection
        return values

    def _about(self, account_id: AccountId, external: str) -> dict[str, Any]:
        chat, _, number = external.rpartition("/")
        return self._addressed(account_id, chat) | {"message_id": int(number)}


def external_id(chat_id: int, message_id: int) -> str:
    """Return a message's id that is unique: Telegram counts in each chat anew."""
    return f"{chat_id}/{message_id}"


def message_number(external: str) -> int:
    """Return the number within its chat; raises ContentInvalid for an id of another channel."""
    number = external.rpartition("/")[2]
    if not number.isdecimal():
        raise faults.ContentInvalid("The quoted message is not one of Telegram's.")
    return int(number)


def _chat_id(address: str) -> int:
    try:
        return int(address)
    except ValueError as error:
        raise faults.RecipientInvalid("The client's Telegram id is not a number.") from error


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
