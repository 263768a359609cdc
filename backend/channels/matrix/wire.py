"""The JSON of Matrix as far as Parley reads it: transactions, answers, errors.

It never refuses a field it does not know.

Shapes: Matrix specification v1.12, Client-Server and Application Service APIs.
"""

from __future__ import annotations

import msgspec


class InReplyTo(msgspec.Struct):
    """The event that is answered."""

    event_id: str = ""


class Relation(msgspec.Struct):
    """How an event relates to another one."""

    rel_type: str = ""
    event_id: str = ""
    key: str = ""
    in_reply_to: InReplyTo | None = msgspec.field(default=None, name="m.in_reply_to")


class Info(msgspec.Struct):
    """What is told of a file."""

    mimetype: str = ""
    size: int = 0


class NewContent(msgspec.Struct):
    """The new words of an edited message."""

    body: str = ""


class Content(msgspec.Struct):
    """What an event says."""

    msgtype: str = ""
    body: str = ""
    filename: str = ""
    url: str = ""
    geo_uri: str = ""
    displayname: str = ""
    membership: str = ""
    info: Info = msgspec.field(default_factory=Info)
    relates_to: Relation | None = msgspec.field(default=None, name="m.relates_to")
    new_content: NewContent | None = msgspec.field(default=None, name="m.new_content")
    key: str = msgspec.field(default="", name="app.parley.key")


class Event(msgspec.Struct):
    """One event of a room."""

    type: str = ""
    room_id: str = ""
    event_id: str = ""
    sender: str = ""
    state_key: str | None = None
    origin_server_ts: int = 0
    redacts: str = ""
    content: msgspec.Raw = msgspec.Raw(b"{}")


class Transaction(msgspec.Struct):
    """What a homeserver pushes at once; one without `events` is none."""

    events: list[Event]
    ephemeral: list[Event] = []


class Redaction(msgspec.Struct):
    """The event taken back, where newer rooms tell it."""

    redacts: str = ""


class RoomName(msgspec.Struct):
    """What a room is called."""

    name: str = ""


class TypingContent(msgspec.Struct):
    """Who types in a room."""

    user_ids: list[str] = []


class Sent(msgspec.Struct):
    """An event as sent."""

    event_id: str


class Uploaded(msgspec.Struct):
    """A file as kept."""

    content_uri: str


class Room(msgspec.Struct):
    """A room as made."""

    room_id: str


class Failure(msgspec.Struct):
    """The answer to a request that was not taken."""

    errcode: str = ""
    error: str = ""
    retry_after_ms: int = 0


class Page(msgspec.Struct):
    """Events of a room, newest first."""

    chunk: list[Event] = []


class Summary(msgspec.Struct):
    """How many are in a room."""

    joined: int = msgspec.field(default=0, name="m.joined_member_count")
    invited: int = msgspec.field(default=0, name="m.invited_member_count")


class JoinedRoom(msgspec.Struct):
    """A room one is in."""

    summary: Summary = msgspec.field(default_factory=Summary)


class Rooms(msgspec.Struct):
    """What changed about rooms."""

    join: dict[str, JoinedRoom] = {}
    invite: dict[str, msgspec.Raw] = {}


class SyncAnswer(msgspec.Struct):
    """The answer to a sync."""

    next_batch: str = ""
    rooms: Rooms = msgspec.field(default_factory=Rooms)


class WhoAmI(msgspec.Struct):
    """Whom a token stands for."""

    user_id: str = ""


class JoinedRooms(msgspec.Struct):
    """The rooms one is in."""

    joined_rooms: list[str] = []


class JoinedMembers(msgspec.Struct):
    """Who is in a room, by Matrix id."""

    joined: dict[str, msgspec.Raw] = {}
