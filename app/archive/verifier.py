"""Owns building the leaf of what was sent here and checking receipts against pinned keys.

It never takes more from a reply than the decision's hash, and does no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.archive.mismatch import Mismatch, SecondCheckPending, of_receipt
from app.archive.pins import Policy
from app.domain.archive import AlarmKind
from app.domain.submission import submission_of
from app.domain.timeline import OutboxEntry
from contract.receipts.bodies import (
    KIND_FILE_ADDED,
    KIND_MESSAGE_OUT,
    edit_envelope,
    submission_envelope,
)
from contract.receipts.checkpoints import Checkpoint, parse_checkpoint
from contract.receipts.cosignatures import open_checkpoint, require_quorum
from contract.receipts.errors import FaultCode, ReceiptError, WitnessesMissing
from contract.receipts.leaf import body_commitment, leaf_bytes, leaf_hash
from contract.receipts.notes import split_note
from contract.receipts.tlog_proof import check_receipt, parse_receipt
from contract.wire import Me, Message, SubmitMessage


@dataclass(frozen=True, slots=True)
class Proven:
    """What a receipt has proved of a leaf; `note` is its checkpoint, signatures included."""

    index: int
    leaf_hash: str
    checkpoint: Checkpoint
    note: bytes
    proof_hashes: int
    witnesses: int


class _LeafIds(msgspec.Struct, frozen=True):
    """What a leaf from the service must say to be that of a message."""

    message_id: str
    conversation_id: str
    revision: int


class _Committed(msgspec.Struct, frozen=True):
    """What a leaf says of the body beside it."""

    kind: str
    body_commitment: str


class _Shown(msgspec.Struct, frozen=True):
    """What a body holds of what people see; a deletion holds no text."""

    text: str | None = None
    attachments: tuple[str, ...] = ()


# The first versions of a message; an edit's body names no files.
_WITH_FILES = frozenset({KIND_MESSAGE_OUT, "message_in", "import", KIND_FILE_ADDED})


def own_leaf(
    entry: OutboxEntry, me: Me, decision_hash: str, attachment_sha256s: Sequence[str]
) -> bytes:
    """Return the leaf of a submission, built from what was sent and who sent it.

    Raises Mismatch when the decision's hash can't stand in a leaf.
    """
    try:
        envelope = submission_envelope(
            submission_of(entry),
            entry.conversation_id,
            firm_id=me.firm_id,
            employee_id=me.employee_id,
            decision_hash=decision_hash,
            attachment_sha256s=attachment_sha256s,
        )
        return leaf_bytes(envelope)
    except ValueError as fault:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MALFORMED) from fault


def edited_leaf(command: SubmitMessage, before: Message, me: Me, decision_hash: str) -> bytes:
    """Return the leaf of an edit of `before`, which must be sealed, as it was sent from here.

    Raises Mismatch when the decision's hash can't stand in a leaf.
    """
    assert before.archive is not None
    try:
        envelope = edit_envelope(
            command,
            before.conversation_id,
            firm_id=me.firm_id,
            employee_id=me.employee_id,
            decision_hash=decision_hash,
            previous=before.archive.entry_hash,
        )
        return leaf_bytes(envelope)
    except ValueError as fault:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MALFORMED) from fault


def check_leaf_is_of(leaf: bytes, message: Message) -> None:
    """Raise Mismatch unless a leaf that the service gave is about this message."""
    try:
        ids = msgspec.json.decode(leaf, type=_LeafIds)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MALFORMED) from fault
    wanted = _LeafIds(message.message_id, message.conversation_id, message.revision)
    if ids != wanted:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MISMATCH)


def check_body_is_of(leaf: bytes, salt: str, body: bytes, message: Message) -> None:
    """Raise Mismatch unless what is shown of a message is what its verified leaf commits to.

    `salt` is hex. Without a body nothing is proven of what is shown: raises SecondCheckPending
    then, unless nothing is shown either, as after an erasure.
    """
    if not body:
        if message.text or message.attachments:
            raise SecondCheckPending
        return
    try:
        said = msgspec.json.decode(leaf, type=_Committed)
        committed = body_commitment(bytes.fromhex(salt), body)
        shown = msgspec.json.decode(body, type=_Shown)
    except (ValueError, msgspec.DecodeError) as fault:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MALFORMED) from fault
    files = sorted(file.sha256 for file in message.attachments)
    if (
        committed != said.body_commitment
        or shown.text not in {None, message.text}
        or (said.kind in _WITH_FILES and sorted(shown.attachments) != files)
    ):
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MISMATCH)


def prove(receipt: bytes, leaf: bytes, policy: Policy) -> Proven:
    """Check a receipt over `leaf` (below a millisecond with three witnesses).

    Raises Mismatch when it does not hold, SecondCheckPending when only witnesses are missing.
    """
    try:
        policy = _policy_for(receipt, policy)
        checked = check_receipt(receipt, leaf, policy.log, policy.witnesses, policy.quorum)
        parts = parse_receipt(receipt)
    except WitnessesMissing as missing:
        raise _missing(parse_receipt(receipt).checkpoint_note, missing, policy) from missing
    except ReceiptError as fault:
        raise of_receipt(fault, _shown(receipt)) from fault
    if policy.until_size is not None and checked.checkpoint.size > policy.until_size:
        # A former key has no say over what came after it.
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.KEY_UNSUITABLE, checked.checkpoint)
    return Proven(
        checked.leaf_index,
        leaf_hash(leaf).hex(),
        checked.checkpoint,
        parts.checkpoint_note,
        len(parts.proof),
        len({each.key.public_key for each in checked.cosignatures}),
    )


def prove_checkpoint(note: bytes, policy: Policy) -> Checkpoint:
    """Check a checkpoint's signatures and quorum; raises as `prove`."""
    try:
        opened = open_checkpoint(note, policy.log, policy.witnesses)
        require_quorum(opened.cosignatures, policy.quorum)
    except WitnessesMissing as missing:
        raise _missing(note, missing, policy) from missing
    except ReceiptError as fault:
        raise of_receipt(fault, _shown_by(note)) from fault
    return opened.checkpoint


def _policy_for(receipt: bytes, policy: Policy) -> Policy:
    """Return the keys in force, or the former ones that a receipt of old times names."""
    lines = split_note(parse_receipt(receipt).checkpoint_note).lines
    named = {(line.name, line.key_id) for line in lines}
    for one in (policy, *reversed(policy.former)):
        if (one.log.name, one.log.key_id) in named:
            return one
    return policy


def _missing(note: bytes, missing: WitnessesMissing, policy: Policy) -> Exception:
    """Tell a late witness from a wrong one: others' signatures in the places of those awaited."""
    known = {(key.name, key.key_id) for key in (policy.log, *policy.witnesses)}
    strangers = [line for line in split_note(note).lines if (line.name, line.key_id) not in known]
    if missing.have + len(strangers) >= missing.need:
        return Mismatch(AlarmKind.WITNESS, FaultCode.WITNESSES_MISSING, _shown_by(note))
    return SecondCheckPending()


def _shown(receipt: bytes) -> Checkpoint | None:
    try:
        return _shown_by(parse_receipt(receipt).checkpoint_note)
    except ReceiptError:
        return None


def _shown_by(note: bytes) -> Checkpoint | None:
    try:
        return parse_checkpoint(split_note(note).text)
    except ReceiptError:
        return None
