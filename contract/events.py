"""The employee's event stream as a tagged union of frozen msgspec structs.

It never says how events travel: SSE frames and long polling carry the same bytes.
"""

from __future__ import annotations

import msgspec

from contract.ids import ConversationId, MessageId
from contract.wire import ArchiveRef, ChannelTrouble, Contact, Conversation, Message, Wire


class MessageUpserted(Wire, tag="message"):
    """A message is new or changed; apply when its version is higher than the stored one."""

    message: Message


class ConversationUpserted(Wire, tag="conversation"):
    """A conversation is new or changed; apply when its version is higher."""

    conversation: Conversation


class ContactUpserted(Wire, tag="contact"):
    """A contact is new or changed; apply when its version is higher."""

    contact: Contact


class Sealed(Wire, tag="sealed"):
    """The archive sealed a submission, whether its POST got the receipt, 202 or nothing.

    `receipt` is a tlog-proof@v1 text over its leaf, which holds `decision_hash` (hex).
    """

    message_id: MessageId
    conversation_id: ConversationId
    archive: ArchiveRef
    receipt: str = ""
    decision_hash: str = ""


class AccessRevoked(Wire, tag="access_revoked"):
    """The employee lost a conversation: purge its rows, index and attachments."""

    conversation_id: ConversationId


class Erased(Wire, tag="erased"):
    """Messages were lawfully erased: purge their content here, too."""

    conversation_id: ConversationId
    message_ids: tuple[MessageId, ...]


class PolicyChanged(Wire, tag="policy_changed"):
    """A newer policy bundle stands ready."""

    bundle_version: str


class ApprovalsChanged(Wire, tag="approvals_changed"):
    """The supervisor's queue of held messages changed; `pending` is how many wait now."""

    pending: int


class ClientTyping(Wire, tag="typing"):
    """A client types; it has no sequence number and is never stored."""

    conversation_id: ConversationId
    typing: bool


class ChannelsChanged(Wire, tag="channels_changed"):
    """What is wrong with the employee's channels now; what is not named any more is well."""

    troubles: tuple[ChannelTrouble, ...] = ()


class TriageChanged(Wire, tag="triage_changed"):
    """The queue of unknown senders that the employee looks after changed; `pending` wait now."""

    pending: int


class AccountsChanged(Wire, tag="accounts_changed"):
    """The employee's accounts changed (mode, name, last capture): ask who is signed in anew."""


EventBody = (
    MessageUpserted
    | ConversationUpserted
    | ContactUpserted
    | Sealed
    | AccessRevoked
    | Erased
    | PolicyChanged
    | ApprovalsChanged
    | ClientTyping
    | ChannelsChanged
    | TriageChanged
    | AccountsChanged
)


class Event(Wire):
    """One step of the stream; `seq` grows by one per employee, 0 marks a passing event."""

    seq: int
    at_utc_ms: int
    body: EventBody


class EventPage(Wire):
    """The long-polling answer: events after the asked position, maybe none."""

    events: tuple[Event, ...]
    last_seq: int


EVENT_DECODER = msgspec.json.Decoder(Event)
