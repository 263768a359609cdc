"""The JSON of LINE's Messaging API as far as Parley reads it: webhooks, answers.

It never refuses a field it does not know.

Shapes: LINE's published OpenAPI documents of the Messaging API and its webhooks.
"""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct):
    """Where an event happened; a group's event may not tell by whom."""

    type: str = ""
    user_id: str = msgspec.field(default="", name="userId")
    group_id: str = msgspec.field(default="", name="groupId")
    room_id: str = msgspec.field(default="", name="roomId")


class Provider(msgspec.Struct):
    """Who keeps a file: LINE, or an address elsewhere."""

    type: str = "line"
    url: str = msgspec.field(default="", name="originalContentUrl")


class Message(msgspec.Struct):
    """A client's message."""

    id: str = ""
    type: str = ""
    text: str = ""
    quote_token: str = msgspec.field(default="", name="quoteToken")
    mark_as_read_token: str = msgspec.field(default="", name="markAsReadToken")
    quoted_message_id: str = msgspec.field(default="", name="quotedMessageId")
    file_name: str = msgspec.field(default="", name="fileName")
    file_size: int = msgspec.field(default=0, name="fileSize")
    provider: Provider = msgspec.field(default_factory=Provider, name="contentProvider")
    title: str | None = None
    address: str | None = None
    latitude: float = 0.0
    longitude: float = 0.0
    keywords: list[str] = []


class Unsend(msgspec.Struct):
    """A message taken back."""

    message_id: str = msgspec.field(default="", name="messageId")


class Postback(msgspec.Struct):
    """A pressed button."""

    data: str = ""


class Event(msgspec.Struct):
    """One event of a webhook."""

    type: str
    timestamp: int = 0
    source: Source = msgspec.field(default_factory=Source)
    event_id: str = msgspec.field(default="", name="webhookEventId")
    message: Message | None = None
    unsend: Unsend | None = None
    postback: Postback | None = None


class Webhook(msgspec.Struct):
    """A whole webhook."""

    destination: str = ""
    events: list[Event] = []


class BareMessage(msgspec.Struct):
    """A message without what it says."""

    id: str = ""


class BareEvent(msgspec.Struct):
    """An event of an unknown shape: when it happened, where, and to which message."""

    type: str
    timestamp: int = 0
    source: Source = msgspec.field(default_factory=Source)
    event_id: str = msgspec.field(default="", name="webhookEventId")
    message: BareMessage | None = None


class Apart(msgspec.Struct):
    """A webhook whose events are read one by one."""

    events: list[msgspec.Raw] = []


class Sent(msgspec.Struct):
    """A message as sent."""

    id: str
    quote_token: str = msgspec.field(default="", name="quoteToken")


class PushAnswer(msgspec.Struct):
    """The answer to a push, also to one that was accepted before."""

    sent: list[Sent] = msgspec.field(default_factory=list, name="sentMessages")


class Failure(msgspec.Struct):
    """The answer to a request that was not taken."""

    message: str = ""


class BotInfo(msgspec.Struct):
    """The account itself."""

    name: str = msgspec.field(default="", name="displayName")
    basic_id: str = msgspec.field(default="", name="basicId")


class Endpoint(msgspec.Struct):
    """Where LINE sends webhooks."""

    endpoint: str = ""
    active: bool = False


class Profile(msgspec.Struct):
    """What a person or a group is called."""

    name: str = msgspec.field(default="", name="displayName")
    group_name: str = msgspec.field(default="", name="groupName")
