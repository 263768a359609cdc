"""The contract every connector keeps: its capabilities with the outbound and inbound protocols.

It never talks to a vendor and never touches the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from backend.channels.events import InboundEvent
from contract.ids import AccountId, ConversationId, MessageId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass, SendCapability


class TextUnit(StrEnum):
    """What a channel counts when it limits a text."""

    CHARS = "chars"
    UTF16 = "utf16"
    BYTES = "bytes"
    GSM_PARTS = "gsm_parts"


class InboundWay(StrEnum):
    """How events come in."""

    WEBHOOK = "webhook"
    POLL = "poll"
    STREAM = "stream"
    PUSH_TXN = "push_txn"


class MediaLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The largest file of one kind (bytes) and its media types; empty types mean any."""

    max_bytes: int
    types: tuple[str, ...] = ()


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """How long, and how often, one may answer a client's message."""

    seconds: int
    max_messages: int | None = None


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel can do for one account and conversation; None ages mean unlimited."""

    text_max: int
    text_unit: TextUnit
    messages_per_request: int = 1
    media: Mapping[str, MediaLimit] = msgspec.field(default_factory=dict)
    media_by_url: bool = False
    reply: bool = False
    reactions: bool = False
    edit_out: bool = False
    edit_max_age_s: int | None = None
    delete_out: bool = False
    delete_max_age_s: int | None = None
    edits_in: bool = False
    deletes_in: bool = False
    templates: bool = False
    typing: bool = False
    mark_read: bool = False
    receipt_sent: bool = False
    receipt_delivered: bool = False
    receipt_read: bool = False
    groups: bool = False
    initiate: bool = True
    window: Window | None = None
    idempotency: IdempotencyClass = IdempotencyClass.NONE
    inbound: InboundWay = InboundWay.WEBHOOK
    echo_of_native: bool = False

    def for_client(self) -> SendCapability:
        """Return the part of the capabilities the employee's composer needs."""
        per_char = 3 if self.text_unit is TextUnit.BYTES else 1
        return SendCapability(
            text_max_chars=self.text_max // per_char,
            attachments=bool(self.media),
            replies=self.reply,
            typing=self.typing,
            receipts_delivered=self.receipt_delivered,
            receipts_read=self.receipt_read,
            idempotency=self.idempotency,
            reactions=self.reactions,
            edits=self.edit_out,
            edit_max_age_s=self.edit_max_age_s,
            deletes=self.delete_out,
            delete_max_age_s=self.delete_max_age_s,
        )


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A channel account as its connector sees it; `connector` names the module that serves it."""

    account_id: AccountId
    channel: Channel
    connector: str
    idempotency: IdempotencyClass


class OutboundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to send; `read` returns its bytes, whose SHA-256 is `sha256` (hex).

    `attachment_id` is what a link to it names.
    """

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    read: Callable[[], Awaitable[bytes]]
    attachment_id: str = ""


class OutboundTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """An approved template by its name and language at the vendor, with the words in its places."""

    name: str
    language: str
    values: tuple[str, ...] = ()


class OutboundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One archived message on its way to one address.

    `window_closes_at_utc_ms` is None where no window is known; `consented` is false once the
    client took consent back. `quote_external_id` is the vendor's id of the quoted message,
    `quote_refs` what the vendor wants to hear of it, `quote_text` its words;
    `template_id` names the approved template whose filled text this is, where it is one, and
    `template` is what the vendor has to be told of it.
    """

    account_id: AccountId
    channel: Channel
    conversation_id: ConversationId
    message_id: MessageId
    revision: int
    id_type: str
    address: str
    text: str
    quote_external_id: str = ""
    quote_refs: Mapping[str, str] = msgspec.field(default_factory=dict)
    quote_text: str = ""
    attachments: tuple[OutboundFile, ...] = ()
    window_closes_at_utc_ms: int | None = None
    consented: bool = True
    template_id: str = ""
    template: OutboundTemplate | None = None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver, persisted before any I/O.

    `key` is the same for all tries of one submission; a channel with a server-side key
    de-duplicates on it, a channel with an echo repeats it in its receipts.
    """

    attempt_id: str
    n: int
    key: str
    started_at_utc_ms: int


class SendResult(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor took the message: its id there with the state that answer proves.

    `refs` are what the vendor wants to hear again when this message is quoted.
    """

    external_id: str
    state: DeliveryState = DeliveryState.ACCEPTED
    at_utc_ms: int = 0
    refs: Mapping[str, str] = msgspec.field(default_factory=dict)


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A preflight's no: a plain reason, and from when it may go (None: not by waiting)."""

    reason: str
    until_utc_ms: int | None = None


class Finding(StrEnum):
    """What a connector learned about an attempt whose outcome was unknown."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    CANNOT_TELL = "cannot_tell"


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "did this attempt arrive?"; `result` is set when it was found."""

    finding: Finding
    result: SendResult | None = None


class RawItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the vendor sent, byte for byte; `dedupe_key` is unique per account."""

    dedupe_key: str
    body: bytes
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    url: str = ""


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """What came since a cursor, oldest first, with the cursor to keep once all is committed."""

    items: tuple[RawItem, ...]
    cursor: str


@runtime_checkable
class Outbound(Protocol):
    """The way out. Every method may raise the classes of backend.channels.faults."""

    def capabilities(self, account: Account, conversation_id: ConversationId) -> Capabilities:
        """Return what the channel can do here; no I/O."""

    def preflight(self, outbound: OutboundMessage, now_utc_ms: int) -> Blocked | None:
        """Check window, consent and size without I/O; None means "may go"."""

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Hand the message to the vendor; raises OutcomeUnknown once bytes may have left."""

    async def edit(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Replace a sent text; raises Unsupported where the capability is off."""

    async def delete(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Take a sent message back; raises Unsupported where the capability is off."""

    async def react(self, account: Account, address: str, external_id: str, emoji: str) -> None:
        """Set our reaction (empty: remove it); raises Unsupported where it is off."""

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
        """Tell the client we read up to this message; raises Unsupported where it is off.

        `refs` are what the vendor wants to hear again of it.
        """

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Show the client that we type; raises Unsupported where it is off."""

    async def reconcile(self, outbound: OutboundMessage, attempt: Attempt) -> Reconciliation:
        """Ask the vendor what became of an attempt; "cannot tell" where it has no way to."""


@runtime_checkable
class Inbound(Protocol):
    """The way in. `verify` and `parse` are pure; only `poll` and `fetch_media` do I/O."""

    def verify(self, account: Account, item: RawItem) -> bool:
        """Check the vendor's signature over the raw bytes in constant time."""

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        """Turn raw bytes into events; what it can't read becomes Unknown, never an error."""

    async def poll(self, account: Account, cursor: str) -> Polled:
        """Return what came since `cursor`; waits for something, but no longer than a minute."""

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        """Return a file's bytes; raises Retryable or ContentInvalid."""


class Names(NamedTuple):
    """What a vendor shows of somebody and of their group; empty where it does not tell."""

    sender: str = ""
    chat: str = ""


@runtime_checkable
class Naming(Protocol):
    """What an Inbound has whose events come without names, which have to be asked for."""

    async def names_of(self, account: Account, address: str, chat: str) -> Names:
        """Return the names of a sender and of the group, if any; may raise what a channel may."""


class Connector(NamedTuple):
    """Both ways of one channel."""

    outbound: Outbound
    inbound: Inbound
