"""Owns how the facts and the draft of an evaluation come from the governed API's values.

It never evaluates, and it never asks for anything: both sides give what they hold, so that
equal values give equal facts and equal hashes.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.policy.book import BookFacts
from contract.policy.model import (
    AccountFacts,
    Attachment,
    ContactPointFacts,
    Draft,
    Facts,
    Recipient,
    WallFacts,
)
from contract.wire import Channel, Consent, ConsentKind, ConsentStatus, Contact, Conversation

_REFERENCE_DIGITS = 4


def conversation_facts(
    conversation: Conversation,
    contacts: Iterable[Contact],
    now_utc_ms: int,
    accounts: AccountFacts | None = None,
    book: BookFacts | None = None,
) -> Facts:
    """Return what policy may know of a conversation; `contacts` may hold others too.

    `accounts` are the keyed hashes of the clients' accounts and `book` the names of the
    employee's own book, where the caller holds them. What only the server knows (pairs of a
    wall, reach, gifts) it adds itself.
    """
    members = _members(conversation, contacts)
    points = tuple(_point_facts(conversation, contact, now_utc_ms) for contact in members)
    walls = WallFacts()
    if conversation.walled:
        walls = WallFacts(
            version=conversation.facts_version,
            denied_contact_ids=frozenset(conversation.contact_ids),
            reference=compliance_reference("wall", conversation.conversation_id),
        )
    return Facts(
        now_utc_ms=now_utc_ms,
        version=max((point.version for point in points), default=0),
        contact_points=points,
        walls=walls,
        accounts=accounts or AccountFacts(),
        book=book or BookFacts(),
    )


def conversation_draft(
    conversation: Conversation,
    contacts: Iterable[Contact],
    text: str,
    attachments: Sequence[Attachment] = (),
    language: str = "en",
    *,
    template_id: str = "",
    quoted_text: str = "",
    several: int = 0,
) -> Draft:
    """Return the draft of a text typed in a conversation, addressed to all its contacts.

    `several` is to how many people the text goes as separate chats, 0 for this one alone.
    """
    recipients = tuple(
        Recipient(contact_id=contact.contact_id, contact_point_id=_point_id(conversation, contact))
        for contact in _members(conversation, contacts)
    )
    return Draft(
        text=text,
        conversation_id=conversation.conversation_id,
        channel=conversation.channel.value,
        recipients=recipients,
        attachments=tuple(attachments),
        template_id=template_id,
        language=language,
        quoted_text=quoted_text,
        several=several,
    )


def account_hash(key: str, account: str) -> str:
    """Return the keyed hash (HMAC-SHA-256, hex) of an account number, however it is spaced."""
    bare = "".join(char for char in account.upper() if char.isalnum())
    return hmac.new(key.encode("utf-8"), bare.encode("utf-8"), hashlib.sha256).hexdigest()


def compliance_reference(*parts: str) -> str:
    """Return a short reference such as "7F3A" for Compliance; it tells nothing by itself."""
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:_REFERENCE_DIGITS].upper()


def _members(conversation: Conversation, contacts: Iterable[Contact]) -> list[Contact]:
    by_id = {contact.contact_id: contact for contact in contacts}
    return [by_id[contact_id] for contact_id in conversation.contact_ids if contact_id in by_id]


def _point_id(conversation: Conversation, contact: Contact) -> str:
    for point in contact.points:
        if point.channel is conversation.channel:
            return point.contact_point_id
    return f"{contact.contact_id}:{conversation.channel.value}"


def _point_facts(
    conversation: Conversation, contact: Contact, now_utc_ms: int
) -> ContactPointFacts:
    channel = conversation.channel
    recording = consent_of(contact.consents, ConsentKind.RECORDING, channel)
    marketing = consent_of(contact.consents, ConsentKind.MARKETING, channel)
    return ContactPointFacts(
        contact_point_id=_point_id(conversation, contact),
        contact_id=contact.contact_id,
        version=contact.version,
        recording_notice=recording,
        opt_in=marketing,
        opted_out=ConsentStatus.OPTED_OUT in (recording, marketing),
        window_closes_at_utc_ms=conversation.window_closes_at_utc_ms,
        window_messages_left=conversation.window_messages_left,
        retail=contact.retail,
        utc_offset_min=utc_offset_min(contact.time_zone, now_utc_ms),
        language=contact.language,
    )


def utc_offset_min(time_zone: str, now_utc_ms: int) -> int | None:
    """Return a zone's offset from UTC in minutes at a time; None when the zone is not known."""
    zone = _zone(time_zone) if time_zone else None
    if zone is None:
        return None
    offset = datetime.fromtimestamp(now_utc_ms / 1_000, UTC).astimezone(zone).utcoffset()
    return None if offset is None else round(offset.total_seconds() / 60)


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def consent_of(consents: Sequence[Consent], kind: ConsentKind, channel: Channel) -> ConsentStatus:
    """Return where a consent stands: the channel's own word counts before the general one."""
    general = ConsentStatus.NOT_ASKED
    for consent in consents:
        if consent.kind is kind and consent.channel is channel:
            return consent.status
        if consent.kind is kind and consent.channel is None:
            general = consent.status
    return general
