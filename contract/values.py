"""The resources of the governed API (people, conversations, messages) as frozen msgspec structs.

It never holds requests or pages: those stand in wire, which hands these names on.
All times are Unix milliseconds in UTC; all sizes are bytes.
"""

from __future__ import annotations

from enum import StrEnum

from contract.base import Command, Wire
from contract.capability import IdempotencyClass, SendCapability
from contract.ids import (
    AccountId,
    AttachmentId,
    ContactId,
    ContactPointId,
    ConversationId,
    EmployeeId,
    FirmId,
    MessageId,
)
from contract.states import DeliveryState

__all__ = ["Command", "IdempotencyClass", "SendCapability", "Wire"]


class Channel(StrEnum):
    """The clients' channels."""

    WHATSAPP = "whatsapp"
    WECHAT = "wechat"
    SIGNAL = "signal"
    TELEGRAM = "telegram"
    LINE = "line"
    SMS = "sms"
    IMESSAGE = "imessage"
    MATRIX = "matrix"


class Mode(StrEnum):
    """Governed: through the backend. Native: made in the consumer app, imported, read-only."""

    GOVERNED = "governed"
    NATIVE = "native"


class Role(StrEnum):
    """What a person may do in the firm's workspace; auditors read only."""

    EMPLOYEE = "employee"
    SUPERVISOR = "supervisor"
    COMPLIANCE = "compliance"
    AUDITOR = "auditor"
    SUPPORT = "support"
    ADMINISTRATOR = "administrator"


class Direction(StrEnum):
    """Who wrote a message; `system` is the backend's own line in a conversation."""

    IN = "in"
    OUT = "out"
    SYSTEM = "system"


class MessageKind(StrEnum):
    """How a message is shown."""

    TEXT = "text"
    SYSTEM = "system"
    UNSUPPORTED = "unsupported"


class Origin(StrEnum):
    """Live messages passed the backend; imported ones came from a consumer app's export.

    Native ones were written in the consumer app, too, and the channel told of them at once.
    """

    LIVE = "live"
    IMPORTED = "imported"
    NATIVE = "native"


class ConsentKind(StrEnum):
    """What a client is asked to agree to."""

    RECORDING = "recording"
    MARKETING = "marketing"


class ConsentStatus(StrEnum):
    """Where a consent stands; `notified` was told and not asked (a notice that asks nothing)."""

    NOT_ASKED = "not_asked"
    NOTIFIED = "notified"
    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    OPTED_OUT = "opted_out"


# -- who and what ------------------------------------------------------------------------------


class Limits(Wire):
    """Figures a client respects; `undo_send_s` is 0–10 and set by the firm's policy.

    `sync_page_max` is the most rows of a page of the first sync or of a back-log; 0 tells that
    `page_max` holds for these, too.
    """

    attachment_max_bytes: int
    text_max_chars: int
    page_max: int
    undo_send_s: int
    heartbeat_s: float
    sync_page_max: int = 0


class ArchiveKeys(Wire):
    """Who signs the archive's checkpoints, as C2SP verifier keys; `quorum` witnesses cosign.

    Clients pin these from managed settings; only the sample workspace's are believed at first use.
    """

    origin: str
    log_key: str
    witness_keys: tuple[str, ...]
    quorum: int


class CapabilitiesDocument(Wire):
    """What this backend is and asks of its clients; served without a token.

    `workspace` is `sample` or `firm`; `auth` is `secret` (embedded) or `bearer`. `policy_keys`
    sign the policy bundle; like the archive's they are believed in the sample workspace alone.
    A client below `min_client_version` is refused with 426 by all other calls. IT installs
    `newest_client_version` ("": nothing is told); `client_page` is the firm's own page about it.
    `history_id` ("": not told) is another one once the backend was restored from a back-up:
    positions and versions known from before mean nothing then.
    """

    api_version: str
    backend_version: str
    min_client_version: str
    workspace: str
    auth: str
    instance_id: str
    features: tuple[str, ...]
    limits: Limits
    archive: ArchiveKeys | None = None
    policy_keys: tuple[str, ...] = ()
    newest_client_version: str = ""
    client_page: str = ""
    client_note: str = ""
    history_id: str = ""


class ChannelAccount(Wire):
    """A corporate number or bot the employee writes from; `label` is what clients see.

    `mode` is the employee's own on this channel. Of a native account `captured_at_utc_ms` tells
    when something was last captured, `captured_upto_utc_ms` the newest message of it (None:
    nothing yet), and `silent_after_h` the hours of silence after which Compliance is told.
    """

    account_id: AccountId
    channel: Channel
    mode: Mode
    label: str
    pooled: bool = False
    captured_at_utc_ms: int | None = None
    captured_upto_utc_ms: int | None = None
    silent_after_h: int = 0


class ChannelTrouble(Wire):
    """What is wrong with one account's channel, since when; gone from the list once it is well.

    `kind` is `slow` (messages wait, and go out by themselves), `unreachable`, `quota` (used up
    until `until_utc_ms`) or `refused` (the vendor refused the account: an administrator has to
    mend it); show one you don't know as `slow`. `waiting` counts the employee's own messages
    that wait for it; `until_utc_ms` is None where nobody can tell.
    """

    account_id: AccountId
    channel: Channel
    kind: str
    since_utc_ms: int
    label: str = ""
    waiting: int = 0
    until_utc_ms: int | None = None


class Me(Wire):
    """The signed-in person, with what is wrong with the channels they write on."""

    employee_id: EmployeeId
    firm_id: FirmId
    display_name: str
    initials: str
    roles: tuple[Role, ...]
    time_zone: str
    language: str
    accounts: tuple[ChannelAccount, ...] = ()
    troubles: tuple[ChannelTrouble, ...] = ()


class ContactPoint(Wire):
    """One address of a contact on one channel; `label` is masked for display."""

    contact_point_id: ContactPointId
    channel: Channel
    mode: Mode
    label: str


class Consent(Wire):
    """One consent of a contact; `channel` is None when it holds for all channels."""

    kind: ConsentKind
    status: ConsentStatus
    channel: Channel | None = None
    decided_at_utc_ms: int | None = None
    text_version: str = ""


class Colleague(Wire):
    """Another employee with access to a conversation."""

    employee_id: EmployeeId
    display_name: str
    initials: str


class Contact(Wire):
    """A client as the employee may see them; `color` indexes the avatar palette (0–9)."""

    contact_id: ContactId
    version: int
    display_name: str
    initials: str
    organisation: str = ""
    city: str = ""
    time_zone: str = ""
    language: str = "en"
    color: int = 0
    retail: bool = False
    points: tuple[ContactPoint, ...] = ()
    consents: tuple[Consent, ...] = ()
    shared_with: tuple[Colleague, ...] = ()


# -- conversations and messages ----------------------------------------------------------------


class Preview(Wire):
    """The last line of a conversation for the inbox row."""

    message_id: MessageId
    direction: Direction
    text: str
    at_utc_ms: int
    author_name: str = ""


class Conversation(Wire):
    """One chat on one channel account.

    `awaiting` is true while the client's last message has no answer; `window_closes_at_utc_ms`
    is the channel's reply window (past: templates only; None: no window); `archived_count`
    of `message_count` messages hold an archive entry; `walled` conversations refuse sending.
    `window_messages_left` is None without such a limit; `facts_version` grows with every change
    of walls, consents or accounts that concern the conversation. With `consent_first` nothing
    but the notice goes out before the client has accepted it.
    """

    conversation_id: ConversationId
    version: int
    channel: Channel
    account_id: AccountId
    title: str
    mode: Mode
    group: bool = False
    contact_ids: tuple[ContactId, ...] = ()
    color: int = 0
    initials: str = ""
    account_label: str = ""
    tags: tuple[str, ...] = ()
    last_activity_utc_ms: int = 0
    preview: Preview | None = None
    unread_count: int = 0
    read_upto_utc_ms: int = 0
    awaiting: bool = False
    window_closes_at_utc_ms: int | None = None
    message_count: int = 0
    archived_count: int = 0
    kept_until_utc_ms: int | None = None
    send: SendCapability | None = None
    walled: bool = False
    window_messages_left: int | None = None
    facts_version: int = 0
    consent_first: bool = False


class Quote(Wire):
    """What a message answers."""

    message_id: MessageId
    author_name: str
    text: str


class Reaction(Wire):
    """One emoji under a message with how many people set it."""

    emoji: str
    count: int
    mine: bool = False


class Attachment(Wire):
    """A file of a message; `sha256` is lower-case hex of its bytes."""

    attachment_id: AttachmentId
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    scan: str = ""


class ArchiveRef(Wire):
    """Where a sealed entry stands in the log; `entry_hash` is its leaf hash in hex."""

    index: int
    entry_id: str
    entry_hash: str
    archived_at_utc_ms: int


class Message(Wire):
    """One message at its newest version; a higher `version` replaces a lower one.

    Its place in the timeline is (`place_at_utc_ms`, `place_index`): received for live,
    occurred for imported messages, then the order of recording. `archive` is None until the
    quorum of witnesses has cosigned a checkpoint over its newest version. `change_note` says in
    plain words what the client still sees although it was edited or taken back here.
    """

    message_id: MessageId
    conversation_id: ConversationId
    version: int
    revision: int
    direction: Direction
    kind: MessageKind
    text: str
    author_id: str
    author_name: str
    place_at_utc_ms: int
    place_index: int
    occurred_at_utc_ms: int
    origin: Origin = Origin.LIVE
    state: DeliveryState | None = None
    state_detail: str = ""
    state_at_utc_ms: int = 0
    quote: Quote | None = None
    reactions: tuple[Reaction, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    archive: ArchiveRef | None = None
    edited_at_utc_ms: int | None = None
    versions_archived: int = 1
    deleted: bool = False
    change_note: str = ""
