"""Every request, page and response of the governed API, with the resources they are made of.

It never holds behaviour: rules live in states, policy and receipts.
All times are Unix milliseconds in UTC; all sizes are bytes.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from contract.ids import AttachmentId, ConversationId, MessageId
from contract.values import (
    ArchiveKeys,
    ArchiveRef,
    Attachment,
    CapabilitiesDocument,
    Channel,
    ChannelAccount,
    ChannelTrouble,
    Colleague,
    Command,
    Consent,
    ConsentKind,
    ConsentStatus,
    Contact,
    ContactPoint,
    Conversation,
    Direction,
    IdempotencyClass,
    Limits,
    Me,
    Message,
    MessageKind,
    Mode,
    Origin,
    Preview,
    Quote,
    Reaction,
    Role,
    SendCapability,
    Wire,
)

__all__ = [
    "API_VERSION",
    "MAX_DECISION_CHARS",
    "MAX_PAGE",
    "MAX_TEXT_CHARS",
    "ArchiveAlert",
    "ArchiveKeys",
    "ArchiveProbe",
    "ArchiveRef",
    "ArchiveStatements",
    "Attachment",
    "CapabilitiesDocument",
    "Channel",
    "ChannelAccount",
    "ChannelTrouble",
    "Colleague",
    "Command",
    "Consent",
    "ConsentKind",
    "ConsentStatus",
    "ConsistencyProof",
    "Contact",
    "ContactPage",
    "ContactPoint",
    "Conversation",
    "ConversationPage",
    "CreateAttachment",
    "Direction",
    "Done",
    "Health",
    "HintReport",
    "IdempotencyClass",
    "Limits",
    "MarkRead",
    "Me",
    "Message",
    "MessageKind",
    "MessagePage",
    "Mode",
    "Origin",
    "PositionPage",
    "Preview",
    "Quote",
    "Reaction",
    "ReceiptDocument",
    "ResolveUnknown",
    "Role",
    "SendCapability",
    "SnapshotPage",
    "SubmitMessage",
    "Submitted",
    "TypingNotice",
    "UploadState",
    "Wire",
    "WireFinding",
]

API_VERSION = "1.0"
MAX_TEXT_CHARS = 16_000
MAX_PAGE = 500
MAX_DECISION_CHARS = 16_000


# -- pages -------------------------------------------------------------------------------------


class SnapshotPage(Wire):
    """One page of the first sync: conversations, then contacts, then messages, newest first.

    `seq` is the stream position read before the first page: stream from it, at once or later.
    `at_seq` is the position this page was read at (0: not told, `seq` holds): it shows what every
    event up to there did. `next_cursor` is empty on the last page; the totals are those of the
    whole snapshot as it began.
    """

    seq: int
    next_cursor: str
    total_messages: int
    total_conversations: int
    at_seq: int = 0
    contacts: tuple[Contact, ...] = ()
    conversations: tuple[Conversation, ...] = ()
    messages: tuple[Message, ...] = ()


class PositionPage(Wire):
    """Which of the employee's conversations changed after a stream position, and which there are.

    `seq` is the position this was read at. `changed` maps the id of each conversation that had
    an event after the asked position to the position of its newest one; `others` are the ids of
    all the rest: what stands in neither is no longer the employee's.
    """

    seq: int
    changed: dict[ConversationId, int]
    others: tuple[ConversationId, ...] = ()


class ConversationPage(Wire):
    """Conversations, newest activity first; `next_cursor` is empty on the last page."""

    conversations: tuple[Conversation, ...]
    next_cursor: str = ""


class MessagePage(Wire):
    """Messages of one conversation, newest first; `next_cursor` leads to older ones."""

    messages: tuple[Message, ...]
    next_cursor: str = ""


class ContactPage(Wire):
    """Contacts of the employee's book by name; `next_cursor` is empty on the last page."""

    contacts: tuple[Contact, ...]
    next_cursor: str = ""


# -- commands ----------------------------------------------------------------------------------


class HintReport(Command):
    """The client's own decision on a draft, compared with the backend's.

    `decision` is the canonical JSON of it, at most MAX_DECISION_CHARS long, else empty: an
    incident keeps both decisions.
    """

    evaluator_version: str
    bundle_version: str
    facts_hash: str
    decision_hash: str
    action: str
    decision: str = ""


class SubmitMessage(Command):
    """A message to send; the Idempotency-Key header is `message_id.revision`.

    `salt` is 64 hex digits (32 random bytes) of the body commitment, so that the sender can
    build the archive leaf by itself. `justification` answers a rule that asks for a reason,
    `acknowledged` names the rules whose warning the sender read and goes on against,
    `false_positives` those the sender reports as wrong; `template_id` is the channel's approved
    template whose filled text this is. `several` is to how many people the text goes as separate
    chats, 0 for this one alone.
    """

    message_id: MessageId
    revision: int
    text: str
    salt: str
    composed_at_utc_ms: int
    quote_message_id: MessageId | None = None
    attachment_ids: tuple[AttachmentId, ...] = ()
    justification: str = ""
    acknowledged: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    template_id: str = ""
    several: int = 0
    hint: HintReport | None = None


class Submitted(Wire):
    """The backend's word on a submission: archived (201), or committed and awaiting seal (202).

    `receipt` is a tlog-proof@v1 text over the submission's leaf, empty with 202: a `sealed`
    event brings it then. `decision_hash` is the hex hash the leaf holds.
    """

    message: Message
    findings: tuple[WireFinding, ...] = ()
    receipt: str = ""
    decision_hash: str = ""


class WireFinding(Wire):
    """What a rule found in a text; the span counts Unicode code points, end exclusive.

    `attachment` is the SHA-256 of the file whose text the span counts in, empty for the message
    itself; `contact_ids` are the recipients concerned; `why` names the regulation.
    """

    rule_id: str
    action: str
    start: int
    end: int
    message_key: str
    message: str
    category: str = ""
    why: str = ""
    detail: str = ""
    override_kind: str = ""
    attachment: str = ""
    contact_ids: tuple[str, ...] = ()


class MarkRead(Command):
    """The employee has read everything placed at or before this time."""

    upto_utc_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class TypingNotice(Command):
    """The employee types, or has stopped."""

    typing: bool


class ResolveUnknown(Command):
    """The employee's word on a message whose delivery is unknown.

    `send_again` may repeat it; `treat_as_delivered` and `give_up` free the lane behind it.
    """

    action: str


class CreateAttachment(Command):
    """Announces an upload; `sha256` is lower-case hex of the whole file."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


class UploadState(Wire):
    """How far an upload came; `complete` once all bytes are there and the hash matched."""

    attachment_id: AttachmentId
    offset_bytes: int
    size_bytes: int
    complete: bool


class Done(Wire):
    """A command was carried out; `seq` is the stream position that holds its effect."""

    seq: int = 0


class ArchiveProbe(Wire):
    """The answer to a synthetic diagnostics entry: it was sealed and read back.

    `receipt` is a tlog-proof@v1 text over the `leaf` (base64), for the asking client to verify.
    """

    archive: ArchiveRef
    entries: int
    receipt: str = ""
    leaf: str = ""


# -- the archive's proofs ------------------------------------------------------------------------


class ConsistencyProof(Wire):
    """Proof that the log of `to_size` begins with that of `from_size`; hashes in base64."""

    from_size: int
    to_size: int
    hashes: tuple[str, ...] = ()


class ReceiptDocument(Wire):
    """All that proves and tells of one archived version of a message.

    `receipt` is a tlog-proof@v1 text, `leaf` the base64 of the leaf bytes it proves.
    `kept_until_utc_ms` is None while no retention is set, `journal_confirmed_at_utc_ms` while no
    journal has confirmed it; `versions` counts the archived versions of the message. `body` in
    base64 and `salt` in hex are what the leaf commits to, for the message's newest version only;
    both are empty once they were erased. `decision` is the text whose SHA-256 is `decision_hash`;
    it is empty when it names rules that only the backend knows.
    """

    receipt: str
    leaf: str
    decision_hash: str
    archived_at_utc_ms: int
    versions: int
    witnesses_confirmed: int
    witnesses_total: int
    justification: str = ""
    kept_until_utc_ms: int | None = None
    journal_confirmed_at_utc_ms: int | None = None
    salt: str = ""
    body: str = ""
    decision: str = ""


class ArchiveAlert(Command):
    """A client's alarm to Compliance: what it saw before and what it got; roots in hex.

    `kind` is `rollback`, `fork`, `gap`, `receipt` or `witness`; `detail_code` is a stable code
    of contract.receipts.
    """

    kind: str
    detail_code: str
    seen_size: int = 0
    seen_root: str = ""
    got_size: int = 0
    got_root: str = ""


class ArchiveStatements(Wire):
    """Statements about the log (rotation, restore, move), oldest first, each a signed note."""

    statements: tuple[str, ...] = ()


# -- health --------------------------------------------------------------------------------------


class Health(Wire):
    """`ok`, `starting` or `degraded`, with the parts that are not well."""

    status: str
    backend_version: str
    problems: tuple[str, ...] = ()
