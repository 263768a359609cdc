"""Owns what one change of a WhatsApp webhook tells: messages, echoes, history, receipts, wishes.

It never believes a number to be all there is of a client: many hide theirs behind an id.

Webhooks: Meta's Cloud API v23.0; fields messages, smb_message_echoes, history, user_preferences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backend.channels.events import (
    ChatNamed,
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
from backend.channels.webhooks import body_key
from backend.channels.whatsapp import wire
from backend.channels.whatsapp.content import content_of, words_of_edit
from backend.channels.whatsapp.errors import fault_of_code
from backend.channels.whatsapp.unread import BareMessage, Readable, readable
from contract.states import DeliveryState
from contract.wire import ConsentKind, ConsentStatus, MessageKind

_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "played": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}
_NUMBER, _USER = "phone", "user_id"
_NOBODY = Sender(id_type=_NUMBER, address="")
_WISHES = {"stop": ConsentStatus.OPTED_OUT, "resume": ConsentStatus.ACCEPTED}
_NEW_IDENTITY = ("user_changed", "customer_changed", "customer_identity")
_LATER = "media_placeholder"  # its file follows in a webhook of its own


def number_of(change: wire.Change) -> str:
    """Return the id of the firm's number that a change is about; empty for none."""
    return msgspec.json.decode(change.value, type=wire.About).metadata.phone_number_id


def read_change(change: wire.Change, own_number_id: str) -> Iterator[InboundEvent]:
    """Yield the events of a change; one that tells nothing known yields an Unknown.

    One about another number of the firm yields none: Meta calls one address for all of an app.
    """
    try:
        read = Readable(msgspec.json.decode(change.value, type=wire.Value))
    except (msgspec.DecodeError, ValueError):
        read = readable(change.value)
    value = read.value
    if value.metadata.phone_number_id not in ("", own_number_id):
        return
    names = _by_id(value.contacts)
    told = bool(read.unread)
    for bare in read.unread:
        yield _unread(bare, change.field)
    for message in value.messages:
        told = True
        if change.field == "history":
            yield from _of_history(message, value.metadata.display_phone_number, "")
        else:
            yield _message(message, _sender(message, names))
    for echo in value.message_echoes:
        told = True
        yield _echo(echo)
    for status in value.statuses:
        told = True
        yield _receipt(status)
    for wish in value.user_preferences:
        told = True
        yield _wish(wish)
    for thread in (each for piece in value.history for each in piece.threads):
        told = True
        for message in thread.messages:
            yield from _of_history(message, value.metadata.display_phone_number, thread.id)
    for group in value.groups:
        told = True
        yield _of_group(group, body_key(bytes(change.value)))
    if read.lost or not told:
        yield unknown(body_key(bytes(change.value)), change.field, 0)


def unknown(
    key: str, type_name: str, at_utc_ms: int, sender: Sender = _NOBODY, chat: str = ""
) -> Unknown:
    """Return what stands for something there is no word for."""
    return Unknown(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=sender,
        type_name=type_name[:64],
        external_id=key if sender is not _NOBODY else "",
        chat=chat,
    )


def _unread(message: BareMessage, field: str) -> Unknown:
    """Return what stands for a message of an unknown shape: shown if it is a client's own."""
    sender = _person(message.sender, message.from_user_id) if field == "messages" else _NOBODY
    chat = message.group_id if field == "messages" else ""
    return unknown(message.id, "message", _time(message.timestamp), sender, chat)


def _by_id(contacts: list[wire.Contact]) -> dict[str, wire.Contact]:
    pairs = [(number, each) for each in contacts for number in (each.wa_id, each.user_id)]
    return {number: each for number, each in pairs if number}


def _sender(message: wire.Message, names: Mapping[str, wire.Contact]) -> Sender:
    """Return who wrote: by number, else by the id that the firm alone sees; both are kept."""
    contact = names.get(message.sender) or names.get(message.from_user_id)
    if contact is None and len({id(each) for each in names.values()}) == 1:
        contact = next(iter(names.values()))
    name = contact.profile.name if contact else ""
    user_id = message.from_user_id or (contact.user_id if contact else "")
    return _person(message.sender, user_id, name)


def _person(number: str, user_id: str, name: str = "") -> Sender:
    if not number:
        return Sender(id_type=_USER, address=user_id, name=name)
    also = (_USER, user_id) if user_id else ("", "")
    return Sender(id_type=_NUMBER, address=f"+{number.lstrip('+')}", name=name, also=also)


def _message(message: wire.Message, sender: Sender) -> InboundEvent:
    at_utc_ms = _time(message.timestamp)
    if message.reaction is not None:
        return Reaction(
            dedupe_key=message.id,
            at_utc_ms=at_utc_ms,
            sender=sender,
            external_id=message.reaction.message_id,
            emoji=message.reaction.emoji,
        )
    if message.system is not None and message.system.type.startswith(_NEW_IDENTITY):
        changed = message.system.wa_id or message.system.user_id
        return IdentityChange(
            dedupe_key=message.id,
            at_utc_ms=at_utc_ms,
            sender=sender,
            new_address=f"+{changed}" if message.system.wa_id else changed,
        )
    if change := _changed(message, sender):
        return change
    text, files = content_of(message)
    if not text and not files:
        return unknown(message.id, message.type, at_utc_ms, sender, message.group_id)
    return MessageIn(
        dedupe_key=message.id,
        at_utc_ms=at_utc_ms,
        sender=sender,
        external_id=message.id,
        text=text,
        quote_external_id=message.context.id if message.context else "",
        attachments=files,
        chat=message.group_id,
    )


def _changed(message: wire.Message, client: Sender) -> Edited | Deleted | None:
    """Return an edit or a deletion, None for anything else."""
    at_utc_ms = _time(message.timestamp)
    if message.type == "revoke" and message.revoke is not None:
        return Deleted(
            dedupe_key=message.id,
            at_utc_ms=at_utc_ms,
            sender=client,
            external_id=message.revoke.original_message_id,
        )
    if message.type == "edit" and message.edit is not None:
        words = words_of_edit(message.edit)
        if words and message.edit.original_message_id:
            return Edited(
                dedupe_key=message.id,
                at_utc_ms=at_utc_ms,
                sender=client,
                external_id=message.edit.original_message_id,
                text=words,
                chat=message.group_id,
            )
    return None


def _echo(message: wire.Message) -> InboundEvent:
    """Return what the employee did in the consumer app (coexistence)."""
    client = _person(message.to, message.to_user_id)
    if change := _changed(message, client):
        return change
    return _written(message, client, by_client=False)


def _of_history(message: wire.Message, own_number: str, thread: str) -> Iterator[InboundEvent]:
    """Yield a message of the phone's past; `thread` is its client's number where that is told."""
    by_client = not message.to and _digits(message.sender) != _digits(own_number)
    client = thread or message.to or (message.sender if by_client else "")
    if message.type not in {_LATER, "reaction"} and client:
        yield _written(message, _person(client, ""), by_client=by_client)


def _written(message: wire.Message, client: Sender, *, by_client: bool) -> MessageEcho:
    text, files = content_of(message)
    return MessageEcho(
        dedupe_key=message.id,
        at_utc_ms=_time(message.timestamp),
        sender=client,
        external_id=message.id,
        text=text or ("" if files else message.type[:64]),
        kind=MessageKind.TEXT if text or files else MessageKind.UNSUPPORTED,
        attachments=files,
        chat=message.group_id,
        by_client=by_client,
    )


def _receipt(status: wire.Status) -> InboundEvent:
    """Return what became of a message; in a group one member's receipt stands for it."""
    state = _STATES.get(status.status)
    at_utc_ms = _time(status.timestamp)
    number = "" if status.recipient_type == "group" else status.recipient_id
    client = _person(number, status.recipient_user_id)
    key = f"{status.id}.{status.status}"
    if state is None:
        return unknown(key, f"status {status.status}", at_utc_ms)
    failed = status.errors[0].code if status.errors else 0
    return Receipt(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=client,
        state=state,
        external_id=status.id,
        opaque_key=status.biz_opaque_callback_data,
        detail=fault_of_code(failed, at_utc_ms).reason if failed else "",
    )


def _of_group(group: wire.Group, key: str) -> InboundEvent:
    """Return a group's name; who came and went is archived without being shown."""
    changed = group.group_subject
    name = changed.text if changed is not None and changed.update_successful else group.subject
    at_utc_ms = _time(group.timestamp)
    if not name or not group.group_id:
        return unknown(key, group.type, at_utc_ms)
    sender = Sender(id_type="chat", address=group.group_id)
    return ChatNamed(dedupe_key=key, at_utc_ms=at_utc_ms, sender=sender, name=name)


def _wish(wish: wire.Preference) -> InboundEvent:
    client = _person(wish.wa_id, wish.user_id)
    at_utc_ms = wish.timestamp * 1000
    key = f"{client.address}.{wish.category}.{wish.value}.{wish.timestamp}"
    status = _WISHES.get(wish.value)
    if wish.category != "marketing_messages" or status is None:
        return unknown(key, f"preference {wish.category}", at_utc_ms)
    return ConsentChange(
        dedupe_key=key,
        at_utc_ms=at_utc_ms,
        sender=client,
        consent=ConsentKind.MARKETING,
        status=status,
    )


def _digits(number: str) -> str:
    return "".join(char for char in number if char.isdecimal())


def _time(timestamp: str) -> int:
    """Return UTC milliseconds of Meta's seconds."""
    return int(timestamp) * 1000 if timestamp.isdecimal() and len(timestamp) < 12 else 0
