"""What a message says besides its text: author, quote, files, state, and the acts it offers.

It never measures or paints; a screen reader's sentence is made from the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo

from app.domain.timeline import OutboxEntry, TimelineRow
from contract.ids import MessageId
from contract.policy.model import Inspection
from contract.states import DeliveryState, OutboxState
from contract.wire import (
    Attachment,
    Direction,
    Message,
    MessageKind,
    Origin,
    Reaction,
    SendCapability,
)
from ui.models.times import clock_time

# Acts a part of a bubble offers; the view turns each into its signal.
UNDO, CANCEL, EDIT, ASK, SEND_AGAIN, RECEIPT = (
    "undo",
    "cancel",
    "edit",
    "ask",
    "send_again",
    "receipt",
)
# What inspection says of a file; a file from elsewhere was not inspected and gets no words.
_SCANS = {
    Inspection.CLEAN.value: "scanned, no restrictions",
    Inspection.FLAGGED.value: "scanned, with findings",
    Inspection.NOT_EVALUATED.value: "content not read",
}
_SHORT_DESCRIPTION_CHARS = 40
_FIRST_EAST_ASIAN = 0x2E80


@dataclass(frozen=True, slots=True)
class Part:
    """A few words of a footer; `tone` names a colour of the tokens, `act` makes it a button."""

    text: str
    tone: str = "ink3"
    bold: bool = False
    act: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class BubbleWords:
    """Everything one bubble shows, in the order it shows it."""

    message_id: MessageId
    own: bool
    text: str
    author: str = ""
    quote: tuple[str, str] | None = None
    files: tuple[Attachment, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    footer: tuple[Part, ...] = ()
    below: tuple[Part, ...] = ()
    dashed: bool = False
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What a conversation adds: the client's short name, whether it is a group, the link, time.

    `paused` tells that the archive's alarm stands. `me_id` and `me_name` tell the user's own
    messages from colleagues' ones; empty: unknown. `send` is what the channel can do here.
    """

    client_name: str = "the client"
    group: bool = False
    online: bool = True
    paused: bool = False
    now_utc_ms: int = 0
    me_id: str = ""
    me_name: str = ""
    send: SendCapability | None = None
    zone: tzinfo | None = field(default=None, compare=False)


def short_name(title: str) -> str:
    """Return the name to use in sentences: the first word, of "Li Wei 李伟" Li.

    Chinese, Japanese and Korean names begin with the family's name, so they stay whole.
    """
    words = title.split()
    if not words:
        return "the client"
    return title if any(ord(letter) >= _FIRST_EAST_ASIAN for letter in words[0]) else words[0]


def bubble_words(row: TimelineRow, setting: Setting) -> BubbleWords:
    """Return what the bubble of `row` shows."""
    message = row.message
    own = message.direction is Direction.OUT
    quote = message.quote
    text, faint = _text(message, setting)
    unsupported = message.kind is MessageKind.UNSUPPORTED
    return BubbleWords(
        message_id=message.message_id,
        own=own,
        text=text,
        author=_author(message, setting),
        quote=(_quoted(quote.author_name, setting), " ".join(quote.text.split()))
        if quote
        else None,
        files=() if message.deleted else message.attachments,
        reactions=message.reactions,
        footer=own_footer(row, setting) if own else _client_footer(message, setting),
        below=_below(row, setting),
        dashed=unsupported,
        faint=faint,
    )


def accessible_words(row: TimelineRow, setting: Setting) -> str:
    """Return one sentence for a screen reader: who, text, files, state and time."""
    words = bubble_words(row, setting)
    message = row.message
    if message.kind is MessageKind.SYSTEM:
        return f"{message.text}, {clock_time(message.place_at_utc_ms, setting.zone)}"
    colleague = words.author if words.own else message.author_name
    said = [colleague or ("You" if words.own else setting.client_name)]
    if words.quote:
        said.append(f"answering {words.quote[0]}: {words.quote[1]}")
    said.append(words.text)
    said += [f"file {file.name}, {file_words(file)}" for file in words.files]
    said += [f"{reaction.emoji} {reaction.count}" for reaction in words.reactions]
    said.append(" ".join(part.text for part in words.footer))
    said.append(" ".join(part.text for part in words.below))
    return ", ".join(part for part in said if part)


def size_words(size_bytes: int) -> str:
    """Return `412 KB` or `1.4 MB`, counted in thousands as file managers do."""
    if size_bytes >= 1_000_000:
        return f"{size_bytes / 1_000_000:.1f} MB"
    return f"{max(1, round(size_bytes / 1000))} KB" if size_bytes else "0 KB"


def file_words(file: Attachment) -> str:
    """Return `412 KB · scanned, no restrictions`; nothing of a scan that is not known."""
    told = _SCANS.get(file.scan, "")
    return f"{size_words(file.size_bytes)} · {told}" if told else size_words(file.size_bytes)


def number_words(number: int) -> str:
    """Return `48 218`, grouped by no-break spaces."""
    return f"{number:,}".replace(",", "\u202f")


def _author(message: Message, setting: Setting) -> str:
    """Return the name above a bubble: a colleague's always, a client's in groups."""
    if message.direction is Direction.OUT:
        others = bool(setting.me_id) and message.author_id not in ("", setting.me_id)
        return message.author_name if others else ""
    return message.author_name if setting.group else ""


def _quoted(author_name: str, setting: Setting) -> str:
    return "You" if setting.me_name and author_name == setting.me_name else author_name


def _text(message: Message, setting: Setting) -> tuple[str, bool]:
    if message.deleted:
        who = "You" if message.direction is Direction.OUT else setting.client_name
        return f"{who} deleted this message. It stays in the archive.", True
    text = message.text.replace("\r\n", "\n").replace("\r", "\n")
    if message.kind is MessageKind.UNSUPPORTED:
        kind = f" ({text})" if 0 < len(text) <= _SHORT_DESCRIPTION_CHARS else ""
        return (
            f"{setting.client_name} sent something Parley can’t show yet{kind}. "
            "It is archived as received.",
            False,
        )
    return text, False


def _client_footer(message: Message, setting: Setting) -> tuple[Part, ...]:
    if message.kind is MessageKind.UNSUPPORTED:
        return (Part("Ask to resend as text", "accent", True, ASK),)
    at = clock_time(message.place_at_utc_ms, setting.zone)
    if message.edited_at_utc_ms is None or message.deleted:
        return (*_native(message), Part(at))
    edited = Part(f"edited {clock_time(message.edited_at_utc_ms, setting.zone)}")
    if message.versions_archived < 2:
        return (*_native(message), edited)
    versions = f"{message.versions_archived} versions archived"
    return (edited, Part(versions, "accent", True, RECEIPT))


def _native(message: Message) -> tuple[Part, ...]:
    """Say of each message of a consumer app that it did not pass through the backend."""
    return () if message.origin is Origin.LIVE else (Part("Native"),)


def own_footer(row: TimelineRow, setting: Setting) -> tuple[Part, ...]:
    """Return the footer of an own message: outbox first, the server's state after it."""
    if row.outbox is not None and row.outbox.state is not OutboxState.ACCEPTED:
        return _outbox_footer(row, row.outbox, setting)
    return _server_footer(row, setting)


def _outbox_footer(row: TimelineRow, entry: OutboxEntry, setting: Setting) -> tuple[Part, ...]:
    at = clock_time(entry.composed_at_utc_ms, setting.zone)
    if entry.state is OutboxState.UNDO:
        left_s = max(0, -(-(entry.undo_until_utc_ms - setting.now_utc_ms) // 1000))
        return (Part("Undo", "accent", True, UNDO), Part(f"sending in {left_s} s"))
    if entry.state is OutboxState.REFUSED:
        found = entry.findings[0].message if entry.findings else entry.problem_detail
        reason = (Part(found),) if found else ()
        edit = Part("Edit", "accent", True, EDIT)
        return (Part("Not sent", "block", True), *reason, *_refused_seal(row), edit)
    if entry.state is OutboxState.CANCELLED:
        return (Part("Cancelled"), Part(at))
    cancel = Part("Cancel", "accent", True, CANCEL)
    if setting.paused and entry.state is OutboxState.QUEUED:
        return (Part("Sending is paused"), Part(at), cancel)
    if not setting.online:
        waiting = Part("Waiting for the connection")
        return (waiting, Part(at), cancel) if entry.state is OutboxState.QUEUED else (waiting,)
    if entry.state is OutboxState.SENDING:
        return (Part("Sending…"), Part(at))
    return (Part("Waiting to be sent"), Part(at), cancel)


_STATE_WORDS = {
    DeliveryState.ARCHIVED: "on its way",
    DeliveryState.QUEUED: "on its way",
    DeliveryState.SENDING: "on its way",
    DeliveryState.ACCEPTED: "Accepted",
    DeliveryState.SENT: "Sent",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.READ: "Read",
}


def _server_footer(row: TimelineRow, setting: Setting) -> tuple[Part, ...]:
    message, seal = row.message, _seal(row, setting)
    at = Part(clock_time(message.place_at_utc_ms, setting.zone))
    reason = (Part(message.state_detail),) if message.state_detail else ()
    edit = Part("Edit", "accent", True, EDIT)
    match message.state:
        case DeliveryState.HELD:
            return (Part("Waiting for approval", "warn", True), Part(f"asked {at.text}"))
        case DeliveryState.BLOCKED:
            return (Part("Not sent", "block", True), *reason, *_refused_seal(row), edit)
        case DeliveryState.UNKNOWN:
            words = f"We can’t tell whether {setting.client_name} got this"
            return (Part(words, "warn", True),)
        case DeliveryState.FAILED:
            return (*seal, Part("Not delivered", "block", True), *reason, at, edit)
        case DeliveryState.EXPIRED:
            return (*seal, Part("Expired, not delivered", "block", True), *reason, at, edit)
        case None:
            return (*seal, *_native(message), at)
        case _ if message.origin is Origin.IMPORTED:
            return (*seal, *_native(message), at)
        case DeliveryState.ARCHIVED if message.archive is None:
            return (*seal, at)
        case state:
            edited = (Part("edited"),) if message.edited_at_utc_ms else ()
            return (*seal, Part(_STATE_WORDS[state]), *edited, at)


def _refused_seal(row: TimelineRow) -> tuple[Part, ...]:
    """Say that a refused text is archived, once this computer has verified that."""
    if not row.verified:
        return ()
    return (Part("Archived as refused", "ok", True, RECEIPT, "shield-check"),)


def _seal(row: TimelineRow, setting: Setting) -> tuple[Part, ...]:
    """Return where a message stands in the archive; green only what was verified here."""
    archive, entry = row.message.archive, row.outbox
    if archive is not None and row.verified:
        words = f"Archived #{number_words(archive.index)}"
        return (Part(words, "ok", True, RECEIPT, "shield-check"),)
    if entry is not None and entry.state is OutboxState.ACCEPTED:
        if setting.paused:
            return (Part("Not confirmed by the archive", "block", True),)
        return (Part("Archived, second check pending", "ink2", False, RECEIPT),)
    if archive is None:
        return (Part("Being archived"),) if row.message.state is not None else ()
    words = f"Archived #{number_words(archive.index)}"
    return (Part(words, "ink2", False, RECEIPT, "shield-check"),)


def _below(row: TimelineRow, setting: Setting) -> tuple[Part, ...]:
    note = row.message.change_note
    return (*((Part(note, "warn"),) if note else ()), *_acts_below(row, setting))


def _acts_below(row: TimelineRow, setting: Setting) -> tuple[Part, ...]:
    if row.outbox is not None and row.outbox.state is not OutboxState.ACCEPTED:
        return ()
    if row.message.direction is Direction.OUT and row.message.state is DeliveryState.UNKNOWN:
        return (
            Part("Sending again may repeat it.", "ink2"),
            Part(f"Ask {setting.client_name}", "accent", True, ASK),
            Part("Send again…", "accent", True, SEND_AGAIN),
        )
    return ()
