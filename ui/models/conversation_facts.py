"""Gathers what header and details panel show of one conversation, in words.

It never reads the store: conversation and contacts come as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.timeline import TimelineRow
from contract.wire import (
    Channel,
    ChannelAccount,
    ConsentKind,
    ConsentStatus,
    Contact,
    Conversation,
    Mode,
)
from ui.models.consents import consent_status
from ui.models.sendability import CHANNEL_NAMES
from ui.models.times import day_number, local, row_time

_TOLD = (ConsentStatus.ACCEPTED, ConsentStatus.NOTIFIED)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """One conversation with its contacts, as read from the store."""

    conversation: Conversation
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One address of the client."""

    channel: Channel
    name: str
    label: str
    native: bool


def header_line(facts: ConversationFacts) -> str:
    """Return "WhatsApp · Sakura Family Office · from +41 44 •• 12"."""
    talk = facts.conversation
    parts = [CHANNEL_NAMES[talk.channel]]
    if len(facts.contacts) == 1 and facts.contacts[0].organisation:
        parts.append(facts.contacts[0].organisation)
    if talk.group and len(facts.contacts) > 1:
        parts.append(f"{len(facts.contacts)} people")
    if talk.account_label:
        parts.append(f"from {talk.account_label}")
    return " · ".join(parts)


def header_chips(facts: ConversationFacts) -> tuple[tuple[str, str], ...]:
    """Return (words, tone) of the chips beside the header's line."""
    channel = facts.conversation.channel
    recording = [consent_status(one, ConsentKind.RECORDING, channel) for one in facts.contacts]
    chips: list[tuple[str, str]] = []
    if ConsentStatus.OPTED_OUT in recording or _opted_out(facts):
        chips.append(("Opted out", "block"))
    elif recording and all(status is ConsentStatus.ACCEPTED for status in recording):
        chips.append(("Consent on record", "ok"))
    elif ConsentStatus.REFUSED in recording:
        chips.append(("Consent refused", "block"))
    elif ConsentStatus.PENDING in recording:
        chips.append(("Consent asked", "warn"))
    elif recording and all(status in _TOLD for status in recording):
        chips.append(("Notice given", "ok"))
    elif recording:
        chips.append(("No consent yet", "warn"))
    native = facts.conversation.mode is Mode.NATIVE
    chips.append(("Native · read-only", "neutral") if native else ("Governed", "accent"))
    return tuple(chips)


def place_line(contact: Contact, now_utc_ms: int) -> str:
    """Return "Sakura Family Office · Tokyo 19:42"; the time is the client's own."""
    place = contact.city
    try:
        zone = ZoneInfo(contact.time_zone) if contact.time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        zone = None
    if zone is not None:
        there = datetime.fromtimestamp(now_utc_ms / 1000, UTC).astimezone(zone)
        place = f"{place} {there:%H:%M}".strip()
    return " · ".join(part for part in (contact.organisation, place) if part)


def channel_lines(contact: Contact) -> tuple[ChannelLine, ...]:
    """Return the client's addresses."""
    return tuple(
        ChannelLine(
            point.channel, CHANNEL_NAMES[point.channel], point.label, point.mode is Mode.NATIVE
        )
        for point in contact.points
    )


def archive_lines(
    conversation: Conversation,
    last_archived_utc_ms: int,
    now_utc_ms: int,
    last_verified_utc_ms: int = 0,
) -> dict[str, str]:
    """Return the archive section's lines.

    `last_verified_utc_ms` tells when this computer last verified a proof, 0 for never.
    """
    lines = {"Messages archived": f"{conversation.archived_count} of {conversation.message_count}"}
    if last_verified_utc_ms > 0:
        lines["Last verified"] = _moment(last_verified_utc_ms, now_utc_ms)
    elif last_archived_utc_ms > 0:
        lines["Last archived"] = _moment(last_archived_utc_ms, now_utc_ms)
    if conversation.kept_until_utc_ms:
        until = local(conversation.kept_until_utc_ms)
        lines["Kept until"] = f"{_MONTHS[until.month - 1]} {until.year}"
    return lines


def capture_lines(account: ChannelAccount | None, now_utc_ms: int) -> tuple[dict[str, str], bool]:
    """Return when something of a native account was last captured, and whether it is silent.

    Nothing for an account that is governed, or not the employee's own.
    """
    if account is None or account.mode is not Mode.NATIVE:
        return {}, False
    lines = {"Account": account.label, "Last captured": "Never"}
    if account.captured_at_utc_ms:
        lines["Last captured"] = _moment(account.captured_at_utc_ms, now_utc_ms)
    if account.captured_upto_utc_ms:
        lines["Newest message"] = _moment(account.captured_upto_utc_ms, now_utc_ms)
    limit_ms = account.silent_after_h * 3_600_000
    last = account.captured_at_utc_ms
    return lines, last is not None and 0 < limit_ms < now_utc_ms - last


def _moment(at_utc_ms: int, now_utc_ms: int) -> str:
    today = day_number(at_utc_ms) == day_number(now_utc_ms)
    return f"{local(at_utc_ms):%H:%M:%S}" if today else row_time(at_utc_ms, now_utc_ms)


def last_archived_utc_ms(rows: Iterable[TimelineRow]) -> int:
    """Return when the newest of these messages was archived, 0 when none was."""
    entries = (row.message.archive for row in rows)
    return max((entry.archived_at_utc_ms for entry in entries if entry is not None), default=0)


def _opted_out(facts: ConversationFacts) -> bool:
    return any(
        consent.status is ConsentStatus.OPTED_OUT
        and consent.channel in (None, facts.conversation.channel)
        for contact in facts.contacts
        for consent in contact.consents
    )
