"""Puts an unknown sender into words: for a row of the queue, and for the owner who decides.

It never decides anything, and it reads no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from contract.triage import TriageItem, TriageMessage
from contract.wire import Direction, MessageKind
from ui.models.times import row_time
from ui.theme.channels import channel_name


@dataclass(frozen=True, slots=True)
class TriageRow:
    """What a row says; `count` is empty for a single message."""

    title: str
    address: str
    preview: str
    when: str
    count: str
    accessible: str


@dataclass(frozen=True, slots=True)
class TriageLine:
    """One message as the owner reads it; `ours` is what went to the sender."""

    head: str
    text: str
    ours: bool


@dataclass(frozen=True, slots=True)
class TriageDetail:
    """Everything an owner reads before deciding; `colleagues` are (id, name).

    `linkable` holds for a single person, who may be a client of the book.
    """

    conversation_id: str
    title: str
    line: str
    lines: tuple[TriageLine, ...]
    older: str
    colleagues: tuple[tuple[str, str], ...]
    linkable: bool


def triage_row(item: TriageItem, now_utc_ms: int, zone: tzinfo | None = None) -> TriageRow:
    """Return what the row of an unknown sender says at `now_utc_ms`."""
    theirs = [one for one in item.messages if one.direction is Direction.IN]
    preview = _text(theirs[-1]) if theirs else ""
    when = row_time(theirs[-1].at_utc_ms if theirs else item.waits_since_utc_ms, now_utc_ms, zone)
    address = f"{item.label} to {item.account_label}"
    count = f"{len(theirs)} messages" if len(theirs) > 1 else ""
    said = (
        f"{item.title}, {channel_name(item.channel)}, {address}",
        " ".join(preview.split()),
        when,
        count,
    )
    return TriageRow(
        title=item.title,
        address=address,
        preview=" ".join(preview.split()),
        when=when,
        count=count,
        accessible=", ".join(part for part in said if part),
    )


def triage_detail(item: TriageItem, now_utc_ms: int, zone: tzinfo | None = None) -> TriageDetail:
    """Return what the open unknown sender says at `now_utc_ms`."""
    kind = "A group" if item.group else "Unknown sender"
    since = row_time(item.waits_since_utc_ms, now_utc_ms, zone)
    older = item.message_count - len(item.messages)
    return TriageDetail(
        conversation_id=item.conversation_id,
        title=item.title,
        line=f"{kind} · {channel_name(item.channel)} {item.label} · wrote to "
        f"{item.account_label} · waits since {since}",
        lines=tuple(_line(one, item, now_utc_ms, zone) for one in item.messages),
        older=f"{older} older messages are in the archive." if older > 0 else "",
        colleagues=tuple((one.employee_id, one.display_name) for one in item.candidates),
        linkable=not item.group,
    )


def _line(
    message: TriageMessage, item: TriageItem, now_utc_ms: int, zone: tzinfo | None
) -> TriageLine:
    ours = message.direction is not Direction.IN
    who = "Parley" if ours else message.author_name or item.title
    at = row_time(message.at_utc_ms, now_utc_ms, zone)
    return TriageLine(head=f"{who} · {at}", text=_text(message), ours=ours)


def _text(message: TriageMessage) -> str:
    if message.kind is MessageKind.UNSUPPORTED:
        return "Something Parley can’t show yet. It is archived as received."
    return "\n".join(part for part in (message.text, ", ".join(message.files)) if part)
