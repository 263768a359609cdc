"""Tests of what a conversation says of consent on its channel, and of native capture.

They never need a backend.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtWidgets import QApplication, QLabel

from contract.ids import AccountId, ContactId
from contract.wire import (
    Channel,
    ChannelAccount,
    Consent,
    ConsentKind,
    ConsentStatus,
    Contact,
    IdempotencyClass,
    Mode,
    Origin,
    SendCapability,
)
from tests.ui.sample_rows import HOUR_MS, NOW_UTC_MS, sample_inbox, sample_timeline
from ui.models.consents import consent_words
from ui.models.conversation_facts import ConversationFacts, capture_lines, header_chips
from ui.models.message_words import Setting, bubble_words
from ui.models.sendability import Gate, sendability
from ui.theme.tokens import LIGHT
from ui.views.details import DetailsPanel

SEND = SendCapability(
    text_max_chars=4_096,
    attachments=True,
    replies=True,
    typing=True,
    receipts_delivered=True,
    receipts_read=True,
    idempotency=IdempotencyClass.NONE,
)
TALK = msgspec.structs.replace(
    sample_inbox()[0].conversation,
    send=SEND,
    channel=Channel.WHATSAPP,
    mode=Mode.GOVERNED,
    group=False,
    window_closes_at_utc_ms=None,
    window_messages_left=None,
    walled=False,
    consent_first=True,
)


def client(*statuses: tuple[ConsentStatus, Channel | None]) -> Contact:
    """Return a client whose recording notice stands so, on a channel or on all."""
    return Contact(
        contact_id=ContactId("hana"),
        version=1,
        display_name="Hana Watanabe",
        initials="HW",
        consents=tuple(
            Consent(
                kind=ConsentKind.RECORDING,
                status=status,
                channel=channel,
                decided_at_utc_ms=NOW_UTC_MS - number,
            )
            for number, (status, channel) in enumerate(statuses)
        ),
    )


@pytest.mark.parametrize(
    ("status", "gate", "writable", "words"),
    [
        (ConsentStatus.ACCEPTED, Gate.OPEN, True, ""),
        (ConsentStatus.NOT_ASKED, Gate.OPEN, True, "asked first"),
        (ConsentStatus.PENDING, Gate.CONSENT_FIRST, True, "You can send once they have."),
        (ConsentStatus.REFUSED, Gate.CONSENT_FIRST, False, "refused to be recorded"),
    ],
)
def test_an_account_that_asks_first_says_what_is_waited_for(
    status: ConsentStatus, gate: Gate, writable: bool, words: str
) -> None:
    found = sendability(TALK, [client((status, Channel.WHATSAPP))], NOW_UTC_MS)
    assert (found.gate, found.writable) == (gate, writable)
    assert words in found.note
    group = msgspec.structs.replace(TALK, group=True)
    assert sendability(group, [client((status, None))], NOW_UTC_MS).gate is Gate.CONSENT_FIRST


def test_a_channels_own_consent_counts_before_the_general_one() -> None:
    hana = client((ConsentStatus.ACCEPTED, None), (ConsentStatus.NOTIFIED, Channel.WHATSAPP))
    assert consent_words(hana, ConsentKind.RECORDING, Channel.WHATSAPP) == "Notice given"
    assert consent_words(hana, ConsentKind.RECORDING, Channel.LINE) == "Accepted"
    assert ("Notice given", "ok") in header_chips(ConversationFacts(TALK, (hana,)))


def phone(ago_h: int | None) -> ChannelAccount:
    """Return a native account captured some hours ago."""
    at = None if ago_h is None else NOW_UTC_MS - ago_h * HOUR_MS
    return ChannelAccount(
        account_id=AccountId("acc"),
        channel=Channel.WHATSAPP,
        mode=Mode.NATIVE,
        label="Elena's phone",
        captured_at_utc_ms=at,
        captured_upto_utc_ms=at,
        silent_after_h=24,
    )


def test_details_tell_when_a_native_account_was_last_captured(qapp: QApplication) -> None:
    assert capture_lines(phone(None), NOW_UTC_MS)[0]["Last captured"] == "Never"
    assert not capture_lines(phone(23), NOW_UTC_MS)[1]
    assert capture_lines(phone(25), NOW_UTC_MS)[1]
    governed = msgspec.structs.replace(phone(25), mode=Mode.GOVERNED)
    assert capture_lines(governed, NOW_UTC_MS) == ({}, False)
    panel = DetailsPanel(LIGHT)
    facts = ConversationFacts(TALK, (client((ConsentStatus.ACCEPTED, None)),))
    panel.show_facts(facts, 0, NOW_UTC_MS, 0, phone(25))
    panel.set_tokens(LIGHT)  # built at once
    words = [one.text() for one in panel.findChildren(QLabel)]
    assert {"NATIVE CAPTURE", "Last captured", "Elena's phone"} <= set(words)
    panel.deleteLater()


def test_what_was_heard_from_the_consumer_app_is_marked_native() -> None:
    row = sample_timeline()[0]
    native = replace(row, message=msgspec.structs.replace(row.message, origin=Origin.NATIVE))
    assert "Native" in [part.text for part in bubble_words(native, Setting()).footer]
    assert "Native" not in [part.text for part in bubble_words(row, Setting()).footer]
