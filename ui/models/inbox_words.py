"""What an inbox row says: its preview, tags, marks, and its sentence for a screen reader.

It never decides how words are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from app.domain.inbox import InboxRow
from contract.wire import Channel, Direction, Mode
from ui.models.times import HOUR_MS, row_time, span_left
from ui.theme.channels import channel_name

# A reply window that closes within this span is shown and counted as expiring.
EXPIRING_WITHIN_MS = 6 * HOUR_MS
_MAX_TAGS = 2

_KNOWN_TAGS = {
    "opted_out": ("Opted out", "block"),
    "pending": ("Pending", "neutral"),
    "consent_pending": ("Pending", "neutral"),
    "consent_refused": ("Consent refused", "block"),
    "template_only": ("Template only", "warn"),
}


@dataclass(frozen=True, slots=True)
class RowWords:
    """Everything an inbox row shows. `tags` are (text, tone); `mark` is waiting, failed or ""."""

    title: str
    initials: str
    color: int
    channel: Channel
    when: str
    lead: str
    preview: str
    tags: tuple[tuple[str, str], ...]
    unread: int
    mark: str
    accessible: str


def row_words(row: InboxRow, now_utc_ms: int, zone: tzinfo | None = None) -> RowWords:
    """Return what `row` says at `now_utc_ms`."""
    talk = row.conversation
    lead, preview = _preview(row)
    tags = _tags(row, now_utc_ms)
    when = row_time(talk.last_activity_utc_ms, now_utc_ms, zone)
    mark = "failed" if row.refused_count else "waiting" if row.waiting_count else ""
    unread = f"{talk.unread_count} unread" if talk.unread_count else ""
    waiting = f"{row.waiting_count} waiting to be sent" if row.waiting_count else ""
    said = [talk.title, channel_name(talk.channel), unread, *(text for text, _ in tags)]
    said += [waiting, f"{lead} {preview}".strip(), when]
    return RowWords(
        title=talk.title,
        initials=talk.initials or talk.title[:1].upper(),
        color=talk.color,
        channel=talk.channel,
        when=when,
        lead=lead,
        preview=preview,
        tags=tags[:_MAX_TAGS],
        unread=talk.unread_count,
        mark=mark,
        accessible=", ".join(part for part in said if part),
    )


def _preview(row: InboxRow) -> tuple[str, str]:
    """Return the bold lead and the line after it."""
    if row.draft_text.strip():
        return "", "Draft: " + _one_line(row.draft_text)
    preview = row.conversation.preview
    if preview is None:
        return "", "No messages yet"
    text = _one_line(preview.text)
    if preview.direction is Direction.OUT:
        return "You:", text
    if preview.direction is Direction.IN and row.conversation.group and preview.author_name:
        return f"{preview.author_name}:", text
    return "", text


def _one_line(text: str) -> str:
    return " ".join(text[:400].split())


def _tags(row: InboxRow, now_utc_ms: int) -> tuple[tuple[str, str], ...]:
    """Return the tags, what needs an act first, each once."""
    talk = row.conversation
    tags: list[tuple[str, str]] = []
    if row.refused_count:
        tags.append(("Not sent", "block"))
    closes = talk.window_closes_at_utc_ms
    if closes is not None and talk.mode is Mode.GOVERNED:
        if closes <= now_utc_ms:
            tags.append(("Template only", "warn"))
        elif closes - now_utc_ms <= EXPIRING_WITHIN_MS:
            tags.append((span_left(closes - now_utc_ms), "warn"))
    if row.draft_text.strip():
        tags.append(("Draft", "neutral"))
    if talk.mode is Mode.NATIVE:
        tags.append(("Native", "neutral"))
    for tag in talk.tags:
        tags.append(
            _KNOWN_TAGS.get(tag.lower().replace(" ", "_"), (tag[:1].upper() + tag[1:], "neutral"))
        )
    if talk.walled:
        tags.append(("Read-only", "neutral"))
    return tuple(dict.fromkeys(tags))
