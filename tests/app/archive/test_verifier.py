"""Shows that no changed bit of a receipt passes, whichever of its parts it is in.

They never take the leaf from a reply: it is built as the client does, from what was sent.
"""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest

from app.archive.mismatch import Mismatch, SecondCheckPending
from app.archive.pins import ManagedKeys, Policy, found
from app.archive.verifier import check_body_is_of, own_leaf, prove, prove_checkpoint
from app.domain.archive import AlarmKind
from app.domain.submission import submission_of
from app.domain.timeline import OutboxEntry
from contract.ids import AttachmentId, ConversationId, EmployeeId, FirmId, MessageId
from contract.receipts.bodies import submission_body
from contract.receipts.leaf import leaf_hash
from contract.states import OutboxState
from contract.wire import Attachment, Direction, Me, Message, MessageKind
from tests.app.archive.logged_backend import DECISION_HASH, LoggedBackend, new_log, witness

ENTRY = OutboxEntry(
    message_id=MessageId("m1"),
    revision=1,
    conversation_id=ConversationId("c1"),
    text="Guten Morgen 李伟",
    salt="5a" * 32,
    state=OutboxState.SENDING,
    composed_at_utc_ms=1_790_000_000_000,
    attachment_ids=(AttachmentId("f1"),),
    justification="agreed by phone",
)
ME = Me(
    employee_id=EmployeeId("e1"),
    firm_id=FirmId("f1"),
    display_name="Ada",
    initials="A",
    roles=(),
    time_zone="UTC",
    language="en",
)
FILES = ["0f" * 32]
LEAF = own_leaf(ENTRY, ME, DECISION_HASH, FILES)
LOG = new_log(b"before", LEAF, *(b"%d" % number for number in range(40)))
POLICY = Policy(LOG.key, tuple(LOG.witness_keys), 1)


def test_the_receipt_of_what_was_sent_verifies() -> None:
    proven = prove(LOG.receipt(1), LEAF, POLICY)
    assert (proven.index, proven.checkpoint.size, proven.witnesses) == (1, 42, 1)
    assert proven.leaf_hash == leaf_hash(LEAF).hex()


@pytest.mark.parametrize(
    "other",
    [
        own_leaf(replace(ENTRY, text="Guten Morgen"), ME, DECISION_HASH, FILES),
        own_leaf(replace(ENTRY, justification=""), ME, DECISION_HASH, FILES),
        own_leaf(replace(ENTRY, conversation_id=ConversationId("c2")), ME, DECISION_HASH, FILES),
        own_leaf(ENTRY, ME, "d2" * 32, FILES),
        own_leaf(ENTRY, ME, DECISION_HASH, ["0e" * 32]),
    ],
    ids=["text", "reason", "conversation", "decision", "file"],
)
def test_another_message_does_not_fit_the_receipt(other: bytes) -> None:
    with pytest.raises(Mismatch) as raised:
        prove(LOG.receipt(1), other, POLICY)
    assert raised.value.kind is AlarmKind.RECEIPT


def test_no_single_changed_bit_of_a_receipt_passes() -> None:
    receipt, honest = LOG.receipt(1), prove(LOG.receipt(1), LEAF, POLICY)
    places = random.Random(20261121).sample(range(8 * len(receipt)), 4_000)
    for place in places:
        flipped = bytearray(receipt)
        flipped[place // 8] ^= 1 << (place % 8)
        try:
            proven = prove(bytes(flipped), LEAF, POLICY)
        except (Mismatch, SecondCheckPending):
            continue
        assert (proven.index, proven.checkpoint) == (honest.index, honest.checkpoint)


def test_a_late_witness_is_told_from_a_wrong_one() -> None:
    bare = new_log(b"one")
    bare.witnesses = ()
    policy = replace(POLICY, log=bare.key)
    with pytest.raises(SecondCheckPending):
        prove_checkpoint(bare.note(), policy)
    bare.witnesses = (witness(9),)
    with pytest.raises(Mismatch) as raised:
        prove_checkpoint(bare.note(), policy)
    assert raised.value.kind is AlarmKind.WITNESS


def test_a_firms_keys_are_never_taken_from_the_service() -> None:
    service = LoggedBackend()
    sample = found(ManagedKeys(), service.capabilities, None)
    assert sample is not None and sample.is_sample
    service.take_keys("firm")
    assert found(ManagedKeys(), service.capabilities, None) is None
    managed = ManagedKeys(str(LOG.key), tuple(map(str, LOG.witness_keys)))
    firm = found(managed, service.capabilities, sample)
    assert firm is not None and firm.log_key == str(LOG.key) and firm.quorum == 1
    assert found(ManagedKeys(), service.capabilities, firm) == firm


SAID = submission_body(submission_of(ENTRY), FILES)
FILE = Attachment(
    attachment_id=AttachmentId("f1"),
    name="f.pdf",
    media_type="application/pdf",
    size_bytes=1,
    sha256=FILES[0],
)
SHOWN = Message(
    message_id=ENTRY.message_id,
    conversation_id=ENTRY.conversation_id,
    version=1,
    revision=1,
    direction=Direction.OUT,
    kind=MessageKind.TEXT,
    text=ENTRY.text,
    author_id="e1",
    author_name="Ada",
    place_at_utc_ms=1,
    place_index=1,
    occurred_at_utc_ms=1,
    attachments=(FILE,),
)


@pytest.mark.parametrize(
    ("salt", "body", "shown"),
    [
        ("5b" * 32, SAID, SHOWN),
        ("5a", SAID, SHOWN),
        (ENTRY.salt, SAID + b" ", SHOWN),
        (ENTRY.salt, SAID, msgspec.structs.replace(SHOWN, text="Good night")),
        (ENTRY.salt, SAID, msgspec.structs.replace(SHOWN, attachments=())),
    ],
    ids=["salt", "short salt", "body", "text shown", "files shown"],
)
def test_what_is_shown_must_be_what_the_leaf_commits_to(
    salt: str, body: bytes, shown: Message
) -> None:
    check_body_is_of(LEAF, ENTRY.salt, SAID, SHOWN)
    with pytest.raises(Mismatch) as raised:
        check_body_is_of(LEAF, salt, body, shown)
    assert raised.value.kind is AlarmKind.RECEIPT


def test_without_its_body_nothing_shown_is_called_verified() -> None:
    with pytest.raises(SecondCheckPending):
        check_body_is_of(LEAF, "", b"", SHOWN)
    check_body_is_of(LEAF, "", b"", msgspec.structs.replace(SHOWN, text="", attachments=()))
