"""What a channel can tell about a conversation, as one frozen value per kind of event.

It never holds the rules of what an event changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from contract.states import DeliveryState
from contract.wire import ConsentKind, ConsentStatus, MessageKind


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who speaks: an address of one id type on the channel with the name shown there.

    `also` is another address that the channel vouches for as the same person's: id type and
    address, both empty where there is none.
    """

    id_type: str
    address: str
    name: str = ""
    also: tuple[str, str] = ("", "")


class MediaRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file the connector can fetch by `ref`; sizes in bytes."""

    ref: str
    name: str
    media_type: str
    size_bytes: int


class ChannelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events; `dedupe_key` is the vendor's own identity of this event."""

    dedupe_key: str
    at_utc_ms: int
    sender: Sender


class MessageIn(ChannelEvent, frozen=True, kw_only=True, tag="message"):
    """The client wrote; `chat` names the group's address, empty for a chat of two.

    `chat_name` is what the group is called, where the channel tells it with each message.
    `refs` are what the vendor wants to hear again when this message is quoted or marked as read.
    """

    external_id: str
    text: str
    kind: MessageKind = MessageKind.TEXT
    quote_external_id: str = ""
    attachments: tuple[MediaRef, ...] = ()
    chat: str = ""
    chat_name: str = ""
    refs: Mapping[str, str] = msgspec.field(default_factory=dict)


class MessageEcho(ChannelEvent, frozen=True, kw_only=True, tag="echo"):
    """The employee wrote in the consumer app; the channel shows it to us.

    `by_client` marks the client's own words that the app's history tells afterwards. What has no
    words here is of the kind `unsupported`, its text the vendor's name for it.
    """

    external_id: str
    text: str
    kind: MessageKind = MessageKind.TEXT
    attachments: tuple[MediaRef, ...] = ()
    chat: str = ""
    by_client: bool = False


class Edited(ChannelEvent, frozen=True, kw_only=True, tag="edited"):
    """A message already sent was changed: the client's, or a native one in the consumer app.

    `chat` is as a message's.
    """

    external_id: str
    text: str
    chat: str = ""


class Deleted(ChannelEvent, frozen=True, kw_only=True, tag="deleted"):
    """A message was taken back: the client's, or a native one in the consumer app."""

    external_id: str


class Reaction(ChannelEvent, frozen=True, kw_only=True, tag="reaction"):
    """The client set (or with an empty emoji removed) a reaction."""

    external_id: str
    emoji: str


class Receipt(ChannelEvent, frozen=True, kw_only=True, tag="receipt"):
    """The vendor reports on a message of ours, by its id, our opaque key, or both."""

    state: DeliveryState
    external_id: str = ""
    opaque_key: str = ""
    detail: str = ""


class Typing(ChannelEvent, frozen=True, kw_only=True, tag="typing"):
    """The client types, or has stopped."""

    typing: bool
    chat: str = ""


class ReadMark(ChannelEvent, frozen=True, kw_only=True, tag="read_mark"):
    """The client read everything of ours up to `at_utc_ms`."""


class ConsentChange(ChannelEvent, frozen=True, kw_only=True, tag="consent"):
    """The client agreed, blocked, unfollowed or wrote STOP."""

    consent: ConsentKind
    status: ConsentStatus


class IdentityChange(ChannelEvent, frozen=True, kw_only=True, tag="identity"):
    """The client's identity on the channel is another one now; so is a group's that moved.

    A group's sender has the id type `chat`.
    """

    new_address: str


class ChatNamed(ChannelEvent, frozen=True, kw_only=True, tag="chat_named"):
    """A group is called this from now on; its sender has the id type `chat`."""

    name: str


class ConnectionChange(ChannelEvent, frozen=True, kw_only=True, tag="connection"):
    """The account's connection went up or down."""

    connected: bool
    detail: str = ""


class Unknown(ChannelEvent, frozen=True, kw_only=True, tag="unknown"):
    """Something the connector has no word for; it is archived and shown as unsupported."""

    type_name: str
    external_id: str = ""
    chat: str = ""


InboundEvent = (
    MessageIn
    | MessageEcho
    | Edited
    | Deleted
    | Reaction
    | Receipt
    | Typing
    | ReadMark
    | ConsentChange
    | IdentityChange
    | ChatNamed
    | ConnectionChange
    | Unknown
)
