"""The JSON of WeCom's customer service as far as Parley reads it.

It never refuses a field it does not know.

Shapes: WeCom's "WeChat Customer Service", sending and receiving of messages and events.
"""

from __future__ import annotations

import msgspec


class Text(msgspec.Struct):
    """A plain text."""

    content: str = ""


class Media(msgspec.Struct):
    """A file at the vendor."""

    media_id: str = ""


class Place(msgspec.Struct):
    """A location."""

    latitude: float = 0.0
    longitude: float = 0.0
    name: str = ""
    address: str = ""


class Link(msgspec.Struct):
    """A shared page."""

    title: str = ""
    desc: str = ""
    url: str = ""


class Event(msgspec.Struct):
    """What happened, where it was no message."""

    event_type: str = ""
    open_kfid: str = ""
    external_userid: str = ""
    fail_msgid: str = ""
    fail_type: int = 0
    recall_msgid: str = ""


class Message(msgspec.Struct):
    """One message or event, as pulled; `origin` is 3 for a client, 5 for an employee in WeCom."""

    msgid: str
    send_time: int = 0
    origin: int = 0
    msgtype: str = ""
    open_kfid: str = ""
    external_userid: str = ""
    text: Text | None = None
    image: Media | None = None
    voice: Media | None = None
    video: Media | None = None
    file: Media | None = None
    location: Place | None = None
    link: Link | None = None
    event: Event | None = None


class Numbered(msgspec.Struct):
    """A message's id alone."""

    msgid: str = ""


class Pulled(msgspec.Struct):
    """The answer to a pull; each message byte for byte."""

    next_cursor: str = ""
    has_more: int = 0
    msg_list: list[msgspec.Raw] = []


class Sent(msgspec.Struct):
    """A message as taken, under the id we gave it."""

    msgid: str = ""


class Desk(msgspec.Struct):
    """A customer service account."""

    open_kfid: str = ""
    name: str = ""


class Desks(msgspec.Struct):
    """The customer service accounts that the application may use."""

    account_list: list[Desk] = []


class Customer(msgspec.Struct):
    """A client as WeChat shows them."""

    nickname: str = ""


class Customers(msgspec.Struct):
    """The clients asked for."""

    customer_list: list[Customer] = []
