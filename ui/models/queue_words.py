"""Puts the queue of waiting messages into words: what each waits for, how far the sending is.

It never claims that a message can be cancelled which the service may already have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from app.domain.queue import QueueRow, Wait
from app.domain.status import CoreStatus, Link
from contract.states import DeliveryState
from ui.models.times import clock_time, local

PREVIEW_CHARS = 300


@dataclass(frozen=True, slots=True)
class QueueSetting:
    """What the words depend on beside the row: the time, the connection, the alarm."""

    now_utc_ms: int = 0
    online: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class QueueWords:
    """One row: whose conversation, since when, the text, a short state and the reason in full."""

    title: str
    when: str
    preview: str
    state: str
    tone: str
    reason: str

    @property
    def accessible(self) -> str:
        """Return the row as it is read out: state first, the text last."""
        return f"{self.title}, {self.state}. {self.reason} Written {self.when}: {self.preview}"


def queue_words(row: QueueRow, setting: QueueSetting, zone: tzinfo | None = None) -> QueueWords:
    """Return what the queue says of one entry."""
    state, tone, reason = _state(row, setting, zone)
    text = " ".join(row.entry.text[:PREVIEW_CHARS].split())
    return QueueWords(
        title=row.title or "A conversation that is no longer here",
        when=clock_time(row.entry.composed_at_utc_ms, zone),
        preview=text or _files(len(row.entry.attachment_ids)),
        state=state,
        tone=tone,
        reason=reason,
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _state(row: QueueRow, setting: QueueSetting, zone: tzinfo | None) -> tuple[str, str, str]:
    wait = row.wait
    if wait is Wait.PERSON:
        detail = row.entry.problem_detail.strip()
        said = f" {detail.rstrip('.')}." if detail else ""
        return "Not sent", "block", f"The service refused it.{said} Edit it to send it again."
    if wait is Wait.RECEIPT:
        return _at_the_service(row.delivery)
    if wait is Wait.ANSWER:
        return "On its way", "accent", "The service may already have it: it can’t be cancelled."
    if wait is Wait.UNDO_PERIOD:
        left_s = max(1, -(-(row.entry.undo_until_utc_ms - setting.now_utc_ms) // 1000))
        return f"Undo: {left_s} s", "neutral", "It goes once its undo period is over."
    if setting.paused:
        return "Paused", "block", "Sending is paused: the archive’s proof does not hold."
    if not setting.online:
        return "Offline", "warn", "It waits for the connection."
    return _in_line(row, zone)


def _at_the_service(delivery: DeliveryState | None) -> tuple[str, str, str]:
    no_way_back = "It can’t be cancelled any more."
    if delivery is DeliveryState.HELD:
        return "Held", "warn", f"The service has it; it waits for a supervisor. {no_way_back}"
    if delivery is DeliveryState.UNKNOWN:
        why = "Whether it arrived is unknown, and what follows waits: decide in the conversation."
        return "Unknown", "warn", why
    return (
        "At the service",
        "ok",
        f"The service has it; its receipt is being checked. {no_way_back}",
    )


def _in_line(row: QueueRow, zone: tzinfo | None) -> tuple[str, str, str]:
    if row.wait is Wait.EARLIER_MESSAGE:
        return "In line", "neutral", "It waits for the messages before it in this conversation."
    due = row.entry.next_attempt_utc_ms
    if row.wait is Wait.ANOTHER_TRY and due:
        at = f"{local(due, zone):%H:%M:%S}"
        return f"Again {at}", "warn", f"The last try did not succeed; the next one is at {at}."
    return "Next", "accent", "It goes as soon as one of the messages on their way is taken."


def total_words(status: CoreStatus) -> str:
    """Return the sentence above the list."""
    parts = []
    if status.outbox_waiting:
        what = "1 message waits" if status.outbox_waiting == 1 else ""
        parts.append(what or f"{_number(status.outbox_waiting)} messages wait")
    if status.outbox_refused:
        was = "was" if status.outbox_refused == 1 else "were"
        parts.append(f"{_number(status.outbox_refused)} {was} refused")
    if not parts:
        return "Nothing waits: everything written here was taken by the service."
    if status.archive_alarm is not None:
        why = " Sending is paused by the archive’s alarm."
    elif status.link is not Link.ONLINE and status.outbox_waiting:
        why = " They go when the connection is back."
    else:
        why = ""
    return f"{', '.join(parts)}.{why}"


def progress_words(sent: int, whole: int, left_s: float | None) -> str:
    """Return how far the sending is, and how long it still takes where that can be told."""
    if not whole:
        return ""
    words = f"{_number(sent)} of {_number(whole)} sent"
    if left_s is None or sent >= whole:
        return words
    if left_s < 50:
        return f"{words} · less than a minute left"
    minutes = max(1, round(left_s / 60))
    return f"{words} · about {minutes} minute{'s' if minutes > 1 else ''} left"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")
