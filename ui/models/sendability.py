"""Says whether and how the employee may write in a conversation now, in plain sentences.

It does not look at the draft: findings in a text are the composer presenter's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contract.wire import MAX_TEXT_CHARS, Channel, ConsentStatus, Contact, Conversation, Mode
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


class Gate(StrEnum):
    """Why sending is open or not; only OPEN lets a message go."""

    OPEN = "open"
    WINDOW_CLOSED = "window_closed"
    NATIVE = "native"
    WALLED = "walled"
    OPTED_OUT = "opted_out"
    NO_CHANNEL = "no_channel"


@dataclass(frozen=True, slots=True)
class Sendability:
    """What the composer offers: `note` stands above the text, `window_text` beside the buttons.

    `writable` tells whether a draft may be typed; `text_max_chars` counts code points.
    """

    gate: Gate
    note: str = ""
    window_text: str = ""
    writable: bool = True
    text_max_chars: int = MAX_TEXT_CHARS
    attachments: bool = True


def sendability(
    conversation: Conversation, contacts: Sequence[Contact], now_utc_ms: int
) -> Sendability:
    """Judge a conversation with its contacts at `now_utc_ms` (Unix milliseconds)."""
    channel = CHANNEL_NAMES[conversation.channel]
    who = _who(conversation, contacts)
    if conversation.mode is Mode.NATIVE:
        note = f"Native conversation: read-only here. Answer {who} in {channel} on your phone."
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
    closes_at = conversation.window_closes_at_utc_ms
    if closes_at is None:
        return Sendability(Gate.OPEN, text_max_chars=limit, attachments=files)
    if closes_at <= now_utc_ms:
        note = _closed(conversation.channel, who, closes_at, now_utc_ms)
        return Sendability(Gate.WINDOW_CLOSED, note, "", True, limit, files)
    left = span(closes_at - now_utc_ms)
    return Sendability(Gate.OPEN, "", f"{channel} window closes in {left}", True, limit, files)


def span(duration_ms: int) -> str:
    """Return a duration as shown beside a countdown: "23 h", "45 min"; never "0 min"."""
    if duration_ms >= _HOUR_MS:
        return f"{duration_ms // _HOUR_MS} h"
    return f"{max(1, duration_ms // _MINUTE_MS)} min"


def _closed(channel: Channel, who: str, closes_at_utc_ms: int, now_utc_ms: int) -> str:
    name = CHANNEL_NAMES[channel]
    rule = (
        f"{name} now takes templates only"
        if channel is Channel.WHATSAPP
        else (f"{name} now takes no messages")
    )
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
