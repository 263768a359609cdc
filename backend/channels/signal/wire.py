"""The JSON of a signal-cli daemon: requests, answers, and the envelopes of its event stream.

It never decides what an envelope means.

Source: signal-cli 0.13.19, signal-cli-jsonrpc(5), and what its daemon was seen to send.
"""

from __future__ import annotations

import msgspec

ABSENT = msgspec.Raw(b"null")


class Failure(msgspec.Struct):
    """The error of a JSON-RPC answer; `data` may hold the results of a send."""

    code: int
    message: str = ""
    data: msgspec.Raw = ABSENT


class Answer(msgspec.Struct):
    """A JSON-RPC answer: a result or an error."""

    result: msgspec.Raw = ABSENT
    error: Failure | None = None


class SendOutcome(msgspec.Struct, rename="camel"):
    """What became of a message at one of its recipients; a `token` asks for a proof."""

    type: str
    token: str | None = None
    retry_after_seconds: int | None = None


class Sent(msgspec.Struct):
    """The result of whatever sends: the timestamp is the message's id."""

    timestamp: int = 0
    results: list[SendOutcome] = []


class FailedSend(msgspec.Struct):
    """The data of an error whose send reached nobody."""

    response: Sent = msgspec.field(default_factory=Sent)


class Known(msgspec.Struct):
    """One account of the daemon."""

    number: str | None = None


class Version(msgspec.Struct):
    """The daemon's version."""

    version: str


class FileData(msgspec.Struct):
    """A file in base64."""

    data: str


class Trouble(msgspec.Struct):
    """Why an envelope could not be opened: the class of signal-cli's exception."""

    type: str = ""


class Attachment(msgspec.Struct, rename="camel"):
    """A file that came along; the daemon keeps it under its id."""

    content_type: str | None = None
    filename: str | None = None
    id: str | None = None
    size: int | None = None


class Mention(msgspec.Struct):
    """A person named in a text, in UTF-16 units."""

    start: int
    length: int
    name: str | None = None
    number: str | None = None


class Quote(msgspec.Struct, rename="camel"):
    """The quoted message: its timestamp and who wrote it."""

    id: int
    author_number: str | None = None
    author_uuid: str | None = None


class Reaction(msgspec.Struct, rename="camel"):
    """A reaction set or taken back."""

    emoji: str
    target_sent_timestamp: int
    is_remove: bool = False
    target_author_number: str | None = None
    target_author_uuid: str | None = None


class RemoteDelete(msgspec.Struct):
    """A message taken back."""

    timestamp: int


class Group(msgspec.Struct, rename="camel"):
    """The group a message was written in; `type` is UPDATE where only the group changed."""

    group_id: str
    type: str = "DELIVER"


class Name(msgspec.Struct):
    """A shared contact's name."""

    display: str | None = None
    given: str | None = None
    family: str | None = None


class Phone(msgspec.Struct):
    """A shared contact's number."""

    value: str | None = None


class SharedContact(msgspec.Struct):
    """A card."""

    name: Name | None = None
    phone: list[Phone] | None = None


class DataMessage(msgspec.Struct, rename="camel"):
    """What a client wrote, in any of its kinds."""

    timestamp: int = 0
    message: str | None = None
    reaction: Reaction | None = None
    quote: Quote | None = None
    mentions: list[Mention] | None = None
    attachments: list[Attachment] | None = None
    remote_delete: RemoteDelete | None = None
    contacts: list[SharedContact] | None = None
    group_info: Group | None = None


class EditMessage(msgspec.Struct, rename="camel"):
    """A text in its newer words; the target is what it replaces, perhaps an edit itself."""

    target_sent_timestamp: int
    data_message: msgspec.Raw


class ReceiptMessage(msgspec.Struct, rename="camel"):
    """Which of our messages were delivered or read."""

    when: int = 0
    is_delivery: bool = False
    is_read: bool = False
    is_viewed: bool = False
    timestamps: list[int] = []


class TypingMessage(msgspec.Struct, rename="camel"):
    """STARTED or STOPPED."""

    action: str = ""
    group_id: str | None = None


class SentElsewhere(msgspec.Struct, rename="camel"):
    """To whom another device of the account wrote; the text stands beside it."""

    destination_number: str | None = None
    destination_uuid: str | None = None


class SyncMessage(msgspec.Struct, rename="camel"):
    """What another device of the account did."""

    sent_message: msgspec.Raw = ABSENT


class CallMessage(msgspec.Struct, rename="camel"):
    """A step of a call; an offer is its beginning."""

    offer_message: msgspec.Raw = ABSENT


class Envelope(msgspec.Struct, rename="camel"):
    """One thing that came, with who sent it."""

    timestamp: int = 0
    source_number: str | None = None
    source_uuid: str | None = None
    source_name: str | None = None
    data_message: msgspec.Raw = ABSENT
    edit_message: EditMessage | None = None
    story_message: msgspec.Raw = ABSENT
    sync_message: SyncMessage | None = None
    call_message: CallMessage | None = None
    receipt_message: ReceiptMessage | None = None
    typing_message: TypingMessage | None = None


class Event(msgspec.Struct):
    """One event of the stream."""

    envelope: Envelope
    exception: Trouble | None = None


class BareEnvelope(msgspec.Struct, rename="camel"):
    """Who sent something of an unknown shape, and whether it was a message."""

    timestamp: int = 0
    source_number: str | None = None
    source_uuid: str | None = None
    data_message: msgspec.Raw = ABSENT
    edit_message: msgspec.Raw = ABSENT


class BareEvent(msgspec.Struct):
    """An event without what it says."""

    envelope: BareEnvelope


class BareData(msgspec.Struct, rename="camel"):
    """In which group a message of an unknown shape was written."""

    group_info: Group | None = None


# What a message may hold beside its kinds without being one that a person has to see.
_ORNAMENTS = frozenset(
    {"expiresInSeconds", "viewOnce", "previews", "textStyles", "storyContext", "isExpirationUpdate"}
)
_READ = frozenset(msgspec.structs.fields(DataMessage)[n].encode_name for n in range(9))


def is_there(raw: msgspec.Raw) -> bool:
    """Tell whether a part is there at all."""
    return bytes(raw) != b"null"


def read_data(raw: bytes) -> tuple[DataMessage, str]:
    """Return a message with the name of a kind in it that is not known here, if any.

    Raises msgspec.DecodeError.
    """
    parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    strange = [
        name
        for name, value in parts.items()
        if name not in _READ | _ORNAMENTS and bytes(value) not in {b"null", b"[]", b"false"}
    ]
    return msgspec.json.decode(raw, type=DataMessage), strange[0] if strange else ""
