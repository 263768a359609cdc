"""Says whether and how the employee may write in a conversation now, in plain sentences.

It does not look at the draft: findings in a text are the composer presenter's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from contract.wire import (
    MAX_TEXT_CHARS,
    Channel,
    ConsentKind,
    ConsentStatus,
    Contact,
    Conversation,
    Mode,
)
from ui.models.consents import consent_status
from ui.models.message_words import short_name

CHANNEL_NAMES = {
    Channel.WHATSAPP: "WhatsApp",
    Channel.WECHAT: "WeChat",
    Channel.SIGNAL: "Signal",
    Channel.TELEGRAM: "Telegram",
    Channel.LINE: "LINE",
    Channel.SMS: "SMS",
    Channel.IMESSAGE: "iMessage",
    Channel.MATRIX: "Matrix",
}
_HOUR_MS = 3_600_000
_MINUTE_MS = 60_000
# How long a client's message keeps the channel open for free text (vendors' rules).
_WINDOW_MS = {Channel.WHATSAPP: 24 * _HOUR_MS, Channel.WECHAT: 48 * _HOUR_MS}
# WeChat's customer messages: this many between two messages of the client.
_MESSAGES_PER_WINDOW = 5
_PLENTY_MS = 12 * _HOUR_MS
_LIVE_MS = 5 * _MINUTE_MS


class Gate(StrEnum):
    """Why sending is open or not; only OPEN lets a message go."""

    OPEN = "open"
    WINDOW_CLOSED = "window_closed"
    NATIVE = "native"
    WALLED = "walled"
    OPTED_OUT = "opted_out"
    CONSENT_FIRST = "consent_first"
    NO_CHANNEL = "no_channel"


@dataclass(frozen=True, slots=True)
class Sendability:
    """What the composer offers: `note` stands above the text, `window_text` beside the buttons.

    `writable` tells whether a draft may be typed; `text_max_chars` counts code points.
    `templates` tells that an approved template may go although free text may not, and
    `changes_in_ms` when the words change by the clock alone, None when they don't.
    """

    gate: Gate
    note: str = ""
    window_text: str = ""
    writable: bool = True
    text_max_chars: int = MAX_TEXT_CHARS
    attachments: bool = True
    templates: bool = False
    changes_in_ms: int | None = None


def sendability(
    conversation: Conversation, contacts: Sequence[Contact], now_utc_ms: int
) -> Sendability:
    """Judge a conversation with its contacts at `now_utc_ms` (Unix milliseconds)."""
    channel = CHANNEL_NAMES[conversation.channel]
    who = _who(conversation, contacts)
    if conversation.mode is Mode.NATIVE:
        note = (
            f"Native conversation: it is held on your phone and only kept here. Write to "
            f"{'the group' if conversation.group else who} in {channel} on the phone; what was "
            "said there is imported."
        )
        return Sendability(Gate.NATIVE, note, writable=False)
    if conversation.walled:
        note = "You may not write in this conversation. Ask Compliance if you need to."
        return Sendability(Gate.WALLED, note, writable=False)
    if _opted_out(conversation, contacts):
        note = f"{who} asked for no more messages on {channel}. Reach them another way."
        return Sendability(Gate.OPTED_OUT, note, writable=False)
    if conversation.send is None:
        note = f"{channel} takes no messages from Parley here. Your administrator can connect it."
        return Sendability(Gate.NO_CHANNEL, note, writable=False)
    limit = min(conversation.send.text_max_chars or MAX_TEXT_CHARS, MAX_TEXT_CHARS)
    files = conversation.send.attachments
    open_ = Sendability(Gate.OPEN, text_max_chars=limit, attachments=files)
    if conversation.consent_first:
        open_ = _consent_first(open_, conversation, contacts, who)
        if open_.gate is not Gate.OPEN:
            return open_
    return _in_window(open_, conversation, who, now_utc_ms)


def span(duration_ms: int) -> tuple[str, int]:
    """Return a duration as a countdown shows it, and in how many milliseconds that changes.

    "23 h" while there is plenty, then "3 h 12 min", "12 min", and the last minutes live as
    "4 min 32 s"; never "0 s".
    """
    if duration_ms >= _PLENTY_MS:
        return f"{duration_ms // _HOUR_MS} h", _until_less(duration_ms, _HOUR_MS)
    minutes = duration_ms // _MINUTE_MS
    if duration_ms >= _HOUR_MS:
        return f"{minutes // 60} h {minutes % 60} min", _until_less(duration_ms, _MINUTE_MS)
    if duration_ms >= _LIVE_MS:
        return f"{minutes} min", _until_less(duration_ms, _MINUTE_MS)
    seconds = max(1, duration_ms // 1000)
    left = f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
    return left, _until_less(duration_ms, 1000)


def _until_less(duration_ms: int, unit_ms: int) -> int:
    """Return when a duration that shrinks has one whole unit less than now."""
    return duration_ms % unit_ms + 1


def _consent_first(
    open_: Sendability, conversation: Conversation, contacts: Sequence[Contact], who: str
) -> Sendability:
    """Return what an account that asks first leaves open before the client has accepted."""
    name = CHANNEL_NAMES[conversation.channel]
    if conversation.group:
        note = (
            "This account asks each client first, and a group can’t be asked: write to them alone."
        )
        return replace(open_, gate=Gate.CONSENT_FIRST, note=note, writable=False)
    statuses = {
        consent_status(person, ConsentKind.RECORDING, conversation.channel) for person in contacts
    }
    if statuses == {ConsentStatus.ACCEPTED}:
        return open_
    if ConsentStatus.REFUSED in statuses:
        note = f"{who} refused to be recorded on {name}. Reach them another way."
        return replace(open_, gate=Gate.CONSENT_FIRST, note=note, writable=False)
    if ConsentStatus.PENDING in statuses:
        note = f"{who} was asked to agree to recording on {name}. You can send once they have."
        return replace(open_, gate=Gate.CONSENT_FIRST, note=note)
    note = f"Sending has {who} asked first whether {name} may be recorded; your text waits here."
    return replace(open_, note=note)


def _in_window(
    open_: Sendability, conversation: Conversation, who: str, now_utc_ms: int
) -> Sendability:
    """Return what the channel's reply window leaves open; without one nothing changes."""
    closes_at, left = conversation.window_closes_at_utc_ms, conversation.window_messages_left
    name = CHANNEL_NAMES[conversation.channel]
    if closes_at is not None and closes_at <= now_utc_ms:
        note = _closed(conversation.channel, who, closes_at, now_utc_ms)
        return replace(open_, gate=Gate.WINDOW_CLOSED, note=note, templates=True)
    if left is not None and left <= 0:
        note = (
            f"{who} has not written since your last {_MESSAGES_PER_WINDOW} messages. "
            f"{name} now takes templates only. You can go on once {who} writes again."
        )
        return replace(open_, gate=Gate.WINDOW_CLOSED, note=note, templates=True)
    parts, changes_in_ms = [], None
    if left is not None:
        parts.append(f"{left} of {max(left, _MESSAGES_PER_WINDOW)} messages left")
    if closes_at is not None:
        words, changes_in_ms = span(closes_at - now_utc_ms)
        parts.append(f"{name} window closes in {words}")
    return replace(open_, window_text=" · ".join(parts), changes_in_ms=changes_in_ms)


def _closed(channel: Channel, who: str, closes_at_utc_ms: int, now_utc_ms: int) -> str:
    rule = f"{CHANNEL_NAMES[channel]} now takes templates only"
    window_ms = _WINDOW_MS.get(channel)
    if closes_at_utc_ms <= 0 or window_ms is None:
        return f"{who} has not written yet. {rule}. You can go on once {who} writes."
    hours = (now_utc_ms - (closes_at_utc_ms - window_ms)) // _HOUR_MS
    since = f"{hours} hours" if hours < 72 else f"{hours // 24} days"
    return f"{who} last wrote {since} ago. {rule}. You can go on once {who} writes again."


def _opted_out(conversation: Conversation, contacts: Sequence[Contact]) -> bool:
    return any(
        consent.status is ConsentStatus.OPTED_OUT
        and consent.channel in (None, conversation.channel)
        for contact in contacts
        for consent in contact.consents
    )


def _who(conversation: Conversation, contacts: Sequence[Contact]) -> str:
    if conversation.group or len(contacts) != 1:
        return "The group" if conversation.group else conversation.title
    return short_name(contacts[0].display_name)
