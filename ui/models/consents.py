"""Reads where a client's consents stand, for one channel or for all, and puts that into words.

It never decides whether a message may go.
"""

from __future__ import annotations

from contract.wire import Channel, Consent, ConsentKind, ConsentStatus, Contact

_WORDS = {
    ConsentStatus.NOT_ASKED: "Not asked",
    ConsentStatus.NOTIFIED: "Notice given",
    ConsentStatus.PENDING: "Asked, waiting",
    ConsentStatus.ACCEPTED: "Accepted",
    ConsentStatus.REFUSED: "Refused",
    ConsentStatus.OPTED_OUT: "Opted out",
}


def consent_status(
    contact: Contact, kind: ConsentKind, channel: Channel | None = None
) -> ConsentStatus:
    """Return where one consent stands on a channel; without one the newest word counts.

    The channel's own word counts before what holds for all channels.
    """
    found = [consent for consent in contact.consents if consent.kind is kind]
    if channel is not None:
        own = [consent for consent in found if consent.channel is channel]
        found = own or [consent for consent in found if consent.channel is None]
    if not found:
        return ConsentStatus.NOT_ASKED
    return max(found, key=_decided_at).status


def consent_words(contact: Contact, kind: ConsentKind, channel: Channel | None = None) -> str:
    """Return "Accepted", "Not asked" …"""
    return _WORDS[consent_status(contact, kind, channel)]


def _decided_at(consent: Consent) -> int:
    return consent.decided_at_utc_ms or 0
