"""Facts and drafts built from the governed API's values.

It does not evaluate them.
"""

from __future__ import annotations

from contract.ids import AccountId, ContactId, ContactPointId, ConversationId
from contract.policy.facts import account_hash, conversation_draft, conversation_facts
from contract.policy.model import facts_hash
from contract.wire import (
    Channel,
    Consent,
    ConsentKind,
    ConsentStatus,
    Contact,
    ContactPoint,
    Conversation,
    Mode,
)


def contact(*consents: Consent, version: int = 3) -> Contact:
    """Return a client reachable on WhatsApp and LINE."""
    points = (
        ContactPoint(
            contact_point_id=ContactPointId("p-line"),
            channel=Channel.LINE,
            mode=Mode.GOVERNED,
            label="•• 1",
        ),
        ContactPoint(
            contact_point_id=ContactPointId("p-wa"),
            channel=Channel.WHATSAPP,
            mode=Mode.GOVERNED,
            label="•• 2",
        ),
    )
    return Contact(
        contact_id=ContactId("c-1"),
        version=version,
        display_name="A",
        initials="A",
        points=points,
        consents=consents,
    )


def conversation(*, walled: bool = False, closes: int | None = None) -> Conversation:
    """Return a WhatsApp conversation with that client."""
    return Conversation(
        conversation_id=ConversationId("v-1"),
        version=9,
        channel=Channel.WHATSAPP,
        account_id=AccountId("a-1"),
        title="A",
        mode=Mode.GOVERNED,
        contact_ids=(ContactId("c-1"),),
        window_closes_at_utc_ms=closes,
        walled=walled,
    )


def consent(
    status: ConsentStatus,
    channel: Channel | None = None,
    kind: ConsentKind = ConsentKind.RECORDING,
) -> Consent:
    """Return a consent."""
    return Consent(kind=kind, status=status, channel=channel)


def test_the_channels_own_word_counts_before_the_general_one() -> None:
    person = contact(
        consent(ConsentStatus.ACCEPTED),
        consent(ConsentStatus.REFUSED, Channel.WHATSAPP),
        consent(ConsentStatus.OPTED_OUT, Channel.LINE),
    )
    (point,) = conversation_facts(conversation(closes=5), [person], 1).contact_points
    assert point.contact_point_id == "p-wa"
    assert point.recording_notice is ConsentStatus.REFUSED
    assert (point.opted_out, point.window_closes_at_utc_ms, point.version) == (False, 5, 3)


def test_an_opt_out_of_any_kind_counts() -> None:
    person = contact(consent(ConsentStatus.OPTED_OUT, kind=ConsentKind.MARKETING))
    (point,) = conversation_facts(conversation(), [person], 1).contact_points
    assert point.opted_out


def test_a_walled_conversation_denies_its_contacts() -> None:
    walls = conversation_facts(conversation(walled=True), [contact()], 1).walls
    assert walls.denied_contact_ids == {"c-1"}
    assert len(walls.reference) == 4


def test_equal_values_give_equal_hashes_at_any_time() -> None:
    one = conversation_facts(conversation(), [contact()], 1)
    two = conversation_facts(conversation(), [contact()], 2)
    assert facts_hash(one) == facts_hash(two)
    other = conversation_facts(conversation(), [contact(version=4)], 1)
    assert facts_hash(one) != facts_hash(other)


def test_a_draft_is_addressed_to_the_conversations_people() -> None:
    draft = conversation_draft(conversation(), [contact()], "Hello")
    assert draft.channel == "whatsapp"
    assert [to.contact_point_id for to in draft.recipients] == ["p-wa"]


def test_account_hashes_ignore_spacing_and_need_the_key() -> None:
    assert account_hash("k", "DE89 3704") == account_hash("k", "de893704")
    assert account_hash("k", "DE893704") != account_hash("l", "DE893704")
