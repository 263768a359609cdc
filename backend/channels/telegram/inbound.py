"""Telegram's way in: updates polled or sent by webhook, business chats with echoes of our own.

It never advances past an update whose bytes are not committed.

Updates: Bot API 10.1, "Getting updates", "BusinessConnection".
"""

from __future__ import annotations

import hashlib
import hmac
import logging

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Polled, RawItem
from backend.channels.events import (
    ChatNamed,
    ConnectionChange,
    ConsentChange,
    Deleted,
    Edited,
    IdentityChange,
    InboundEvent,
    MessageEcho,
    MessageIn,
    Reaction,
    Receipt,
    Sender,
    Unknown,
)
from backend.channels.modules import ChannelContext
from backend.channels.telegram import wire
from backend.channels.telegram.calls import BUSINESS, TelegramCalls
from backend.channels.telegram.content import content_of
from backend.channels.telegram.outbound import external_id
from backend.channels.telegram.unread import bare_message
from backend.channels.webhooks import (
    WebhookAnswer,
    WebhookRequest,
    body_key,
    nothing_to_poll,
)
from contract.states import DeliveryState
from contract.wire import ConsentKind, ConsentStatus, MessageKind

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 -- a header's name
_POLLED = "x-parley-polled"
_ID_TYPE = "telegram_id"
_LONG_POLL_S = 25
_MOST_UPDATES = 100
_MOST_FILE_BYTES = 20 * 1024 * 1024
_LATEST_S = 100_000_000_000  # beyond, a peer counts milliseconds
_WANTED = [
    "message",
    "edited_message",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "my_chat_member",
]
_ENDED = "The employee's Telegram account no longer lets Parley read and reply."
_log = logging.getLogger(__name__)
_NOBODY = Sender(id_type=_ID_TYPE, address="")


class TelegramInbound:
    """Serves every Telegram account; it keeps the protocols Inbound and Webhook."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._calls = TelegramCalls(context)

    def handshake(self, account: Account, request: WebhookRequest) -> WebhookAnswer | None:
        """Know no handshake: Telegram sends updates at once."""
        return WebhookAnswer(status=405) if request.method != "POST" else None

    def dedupe_key(self, account: Account, item: RawItem) -> str:
        """Return the update's number, the hash of bytes that have none."""
        try:
            return str(msgspec.json.decode(item.body, type=wire.Numbered).update_id)
        except msgspec.DecodeError:
            return body_key(item.body)

    def answer(self, account: Account) -> WebhookAnswer:
        """Return an empty 200: anything else makes Telegram repeat the update."""
        return WebhookAnswer()

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the webhook's secret token, or that we polled these very bytes ourselves."""
        settings = self._context.settings_of(account.account_id)
        polled = item.headers.get(_POLLED)
        if polled is not None:
            return hmac.compare_digest(polled.encode(), self._mark(account, item.body).encode())
        known = settings.get("secret_token", "").encode()
        given = item.headers.get(SECRET_HEADER, "").encode()
        return bool(known) and hmac.compare_digest(known, given)

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn one update into events; what is not known becomes Unknown."""
        served = self._context.settings_of(account.account_id).get(BUSINESS, "")
        try:
            update = msgspec.json.decode(raw, type=wire.Update)
        except (msgspec.DecodeError, ValueError):
            return (_unread(raw, served),)
        key = str(update.update_id)
        if _connection_of(update) not in {served, None}:
            _tell_of_connection(account, update)
            return (_unknown(key, "of another business connection"),)
        if message := update.message or update.business_message:
            return (_message(key, message),)
        if message := update.edited_message or update.edited_business_message:
            return (_edited(key, message),)
        if update.deleted_business_messages is not None:
            return _deleted(key, update.deleted_business_messages)
        if update.message_reaction is not None:
            return (_reaction(key, update.message_reaction),)
        if update.my_chat_member is not None:
            return (_member(key, update.my_chat_member),)
        if update.business_connection is not None:
            return (_connection(key, update.business_connection),)
        return (_unknown(key, "update"),)

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return the updates after `cursor`; asking with it also tells Telegram to forget older.

        An account that is served by webhook polls nothing.
        """
        if self._context.settings_of(account.account_id).get("secret_token"):
            return await nothing_to_poll(cursor)
        offset = int(cursor) if cursor.isdecimal() else 0
        result = await self._calls.call(
            account.account_id,
            "getUpdates",
            {
                "offset": offset,
                "limit": _MOST_UPDATES,
                "timeout": _LONG_POLL_S,
                "allowed_updates": _WANTED,
            },
            timeout_s=_LONG_POLL_S + 15.0,
        )
        items, newest = [], 0
        for raw in msgspec.json.decode(result, type=list[msgspec.Raw]):
            body = bytes(raw)
            number = msgspec.json.decode(body, type=wire.Numbered).update_id
            newest = max(newest, number + 1)
            headers = {_POLLED: self._mark(account, body)}
            items.append(RawItem(dedupe_key=str(number), body=body, headers=headers))
        # After a quiet week Telegram counts from another number, which may be lower ("Update"):
        # what comes then is as new as any, and is forgotten there only by its own number.
        return Polled(items=tuple(items), cursor=str(newest) if items else cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a file's bytes; Telegram gives bots files of up to 20 MB."""
        try:
            result = await self._calls.call(account.account_id, "getFile", {"file_id": ref})
        except faults.Refusal as error:
            raise faults.ContentInvalid("Telegram does not give this file to bots.") from error
        except faults.ChannelFault as error:
            raise faults.Retryable(error.reason) from error
        place = msgspec.json.decode(result, type=wire.FilePlace).file_path
        if not place or ".." in place:
            raise faults.ContentInvalid("Telegram did not say where the file is.")
        return await self._calls.fetch(account.account_id, place, _MOST_FILE_BYTES)

    def _mark(self, account: Account, body: bytes) -> str:
        token = self._context.settings_of(account.account_id)["bot_token"].encode()
        return hmac.new(token, body, hashlib.sha256).hexdigest()


def _unread(raw: bytes, served: str) -> InboundEvent:
    """Return what stands for an update of an unknown shape, in its chat where that is told."""
    known = bare_message(raw)
    if known is None:
        return _unknown(body_key(raw), "unreadable")
    key, message = known
    if message.business_connection_id != served or message.is_own:
        return _unknown(key, "unreadable", _time(message.date))
    client = Sender(id_type=_ID_TYPE, address=message.address)
    number = external_id(message.chat.id, message.message_id)
    return _unknown(key, "message", _time(message.date), client, number, message.group)


def _tell_of_connection(account: Account, update: wire.Update) -> None:
    """Name a connection in the log, so that an administrator can serve it."""
    if update.business_connection is not None:
        _log.info(
            "a business connection that no account serves: set business_connection_id to serve it",
            extra={
                "account_id": account.account_id,
                "connection_id": update.business_connection.id,
            },
        )


def _connection_of(update: wire.Update) -> str | None:
    """Return whose chats an update is of: a business connection's id, empty for the bot's own.

    None where it is the same for all.
    """
    if update.deleted_business_messages is not None:
        return update.deleted_business_messages.business_connection_id
    if update.business_connection is not None:
        return update.business_connection.id
    message = (
        update.message
        or update.edited_message
        or update.business_message
        or update.edited_business_message
    )
    return message.business_connection_id if message is not None else None


def _message(key: str, message: wire.Message) -> InboundEvent:
    if message.migrate_to_chat_id or message.migrate_from_chat_id:
        return _moved(key, message)
    if message.new_chat_title:
        return ChatNamed(
            dedupe_key=key,
            at_utc_ms=_time(message.date),
            sender=Sender(id_type="chat", address=str(message.chat.id)),
            name=message.new_chat_title,
        )
    if message.is_notice:
        return _unknown(key, "notice", _time(message.date))
    at_utc_ms, client = _time(message.date), _client(message)
    number = external_id(message.chat.id, message.message_id)
    if message.sender_business_bot is not None:  # what we sent, as the chat shows it
        return Receipt(
            dedupe_key=key,
            at_utc_ms=at_utc_ms,
            sender=client,
            state=DeliveryState.SENT,
            external_id=number,
        )
    text, files = content_of(message)
    chat = "" if message.chat.type == "private" else str(message.chat.id)
    quoted = message.reply_to_message
    if message.business_connection_id and _is_own(message):
        return MessageEcho(
            dedupe_key=key,
            at_utc_ms=at_utc_ms,
            sender=client,
            external_id=number,
            text=text or ("" if files else "message"),
            kind=MessageKind.TEXT if text or files else MessageKind.UNSUPPORTED,
            attachments=files,
            chat=chat,
        )
    if not text and not files:
        return _unknown(key, "message", at_utc_ms, client, number, chat)
    return MessageIn(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=client,
        external_id=number,
        text=text,
        quote_external_id=external_id(message.chat.id, quoted.message_id) if quoted else "",
        attachments=files,
        chat=chat,
        chat_name=message.chat.title if chat else "",
    )


def _moved(key: str, message: wire.Message) -> InboundEvent:
    """Return that a group goes on under another id, as the old or the new one tells it."""
    before = message.migrate_from_chat_id or message.chat.id
    after = message.migrate_to_chat_id or message.chat.id
    return IdentityChange(
        dedupe_key=key,
        at_utc_ms=_time(message.date),
        sender=Sender(id_type="chat", address=str(before)),
        new_address=str(after),
    )


def _is_own(message: wire.Message) -> bool:
    """Tell whether the employee wrote it: in a chat of two the client's id is the chat's."""
    return message.sender is not None and message.sender.id != message.chat.id


def _edited(key: str, message: wire.Message) -> InboundEvent:
    text, _ = content_of(message)
    return Edited(
        dedupe_key=key,
        at_utc_ms=_time(message.edit_date or message.date),
        sender=_client(message),
        external_id=external_id(message.chat.id, message.message_id),
        text=text,
        chat="" if message.chat.type == "private" else str(message.chat.id),
    )


def _deleted(key: str, deleted: wire.DeletedMessages) -> tuple[InboundEvent, ...]:
    client = Sender(id_type=_ID_TYPE, address=str(deleted.chat.id))
    return tuple(
        Deleted(
            dedupe_key=f"{key}.{number}",
            at_utc_ms=0,
            sender=client,
            external_id=external_id(deleted.chat.id, number),
        )
        for number in deleted.message_ids
    ) or (_unknown(key, "deleted"),)


def _reaction(key: str, reaction: wire.MessageReaction) -> InboundEvent:
    person = reaction.user
    address = str(person.id if person else reaction.chat.id)
    emoji = next((one.emoji for one in reaction.new_reaction if one.emoji), "")
    return Reaction(
        dedupe_key=key,
        at_utc_ms=_time(reaction.date),
        sender=Sender(id_type=_ID_TYPE, address=address, name=person.name if person else ""),
        external_id=external_id(reaction.chat.id, reaction.message_id),
        emoji=emoji,
    )


def _member(key: str, update: wire.MemberUpdate) -> InboundEvent:
    """Return that the client blocked the bot, or came back."""
    client = Sender(
        id_type=_ID_TYPE,
        address=str(update.chat.id),
        name=update.sender.name if update.sender else "",
    )
    status = update.new_chat_member.status
    if update.chat.type != "private" or status not in {"kicked", "left"}:
        return _unknown(key, f"member {status}", _time(update.date))
    return ConsentChange(
        dedupe_key=key,
        at_utc_ms=_time(update.date),
        sender=client,
        consent=ConsentKind.RECORDING,
        status=ConsentStatus.OPTED_OUT,
    )


def _connection(key: str, connection: wire.BusinessConnection) -> InboundEvent:
    able = connection.is_enabled and bool(connection.rights and connection.rights.can_reply)
    return ConnectionChange(
        dedupe_key=key,
        at_utc_ms=_time(connection.date),
        sender=Sender(id_type=_ID_TYPE, address=str(connection.user.id), name=connection.user.name),
        connected=able,
        detail="" if able else _ENDED,
    )


def _client(message: wire.Message) -> Sender:
    """Return whose chat it is: in a chat of two the other person, in a group the author."""
    person = message.sender
    if message.chat.type == "private":
        known = person is not None and person.id == message.chat.id
        name = person.name if person is not None and known else ""
        return Sender(id_type=_ID_TYPE, address=str(message.chat.id), name=name)
    address = str(person.id) if person else str(message.chat.id)
    return Sender(id_type=_ID_TYPE, address=address, name=person.name if person else "")


def _unknown(
    key: str,
    type_name: str,
    at_utc_ms: int = 0,
    sender: Sender = _NOBODY,
    number: str = "",
    chat: str = "",
) -> Unknown:
    return Unknown(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=sender,
        type_name=type_name,
        external_id=number,
        chat=chat,
    )


def _time(date: int) -> int:
    """Return UTC milliseconds of a Unix time in seconds."""
    return date if date > _LATEST_S else date * 1000
