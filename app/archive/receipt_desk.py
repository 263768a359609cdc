"""Owns checking one message's receipt because a person asks.

It never changes a message: it notes what was verified and tells what was found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from app.archive.alarm_bell import AlarmBell
from app.archive.confirmer import Confirmer
from app.archive.decision_check import CheckedDecision, check_decision
from app.archive.keeper import CheckpointKeeper
from app.archive.mismatch import Mismatch, SecondCheckPending
from app.archive.pins import Policy
from app.archive.trust_keeper import TrustKeeper
from app.archive.verifier import Proven, check_body_is_of, check_leaf_is_of
from app.domain.archive import AlarmKind, Finding, ReceiptView, VerifiedEntry
from app.domain.clock import Clock
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.receipts.encoding import decode_base64
from contract.receipts.errors import FaultCode
from contract.receipts.leaf import leaf_hash
from contract.receipts.saved import format_saved
from contract.wire import ArchiveProbe, Message, ReceiptDocument


class _Checked(NamedTuple):
    """One message's leaf with what was proven of it, by which keys, and its decision."""

    leaf: bytes
    proven: Proven
    policy: Policy
    decision: CheckedDecision | None


class ReceiptDesk:
    """Fetches, verifies and words nothing: the dialog does."""

    def __init__(
        self,
        api: GovernedApi,
        store: Store,
        clock: Clock,
        keeper: CheckpointKeeper,
        trust: TrustKeeper,
        bell: AlarmBell,
        confirmer: Confirmer,
    ) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._keeper = keeper
        self._trust = trust
        self._bell = bell
        self._confirmer = confirmer

    async def check(self, message: Message) -> ReceiptView:
        """Fetch a message's receipt, verify it and note it; a mismatch rings the alarm."""
        now_utc_ms = self._clock.now_utc_ms()
        if message.archive is None:
            return ReceiptView(Finding.PENDING, now_utc_ms)
        try:
            document = await self._api.archive.receipt(message.message_id, message.revision)
        except ClientError:
            return ReceiptView(Finding.UNREACHABLE, now_utc_ms)
        told = _told(document, now_utc_ms)
        if self._trust.policy is None:
            return told
        before = self._keeper.tree
        known = await self._store.archive.verified(message.message_id)

        async def check(policy: Policy) -> _Checked:
            leaf = _leaf_of(document, message, known)
            proven = await self._confirmer.check(document.receipt.encode(), leaf, policy)
            check_body_is_of(leaf, document.salt, _body_of(document), message)
            return _Checked(leaf, proven, policy, check_decision(leaf, document.decision))

        try:
            found = await self._confirmer.guarded(check)
        except SecondCheckPending:
            return replace(told, finding=Finding.PENDING)
        except ClientError:
            return replace(told, finding=Finding.UNREACHABLE)
        if found is None:
            alarm = self._bell.alarm
            kind = alarm.kind if alarm is not None else AlarmKind.RECEIPT
            return replace(told, finding=Finding.FAILED, alarm=kind)
        own = _is_own(known, message)
        await self._note(message, found.proven, own)
        return replace(
            _verified(told, document, *found),
            own_leaf=own,
            before_size=before.size if before is not None else 0,
        )

    async def check_probe(self, probe: ArchiveProbe) -> Finding:
        """Verify the receipt of a synthetic entry; a mismatch rings the alarm.

        Raises ClientError when the service can't be asked for the consistency proof.
        """

        async def check(policy: Policy) -> bool:
            try:
                leaf = decode_base64(probe.leaf)
            except ValueError as fault:
                raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MALFORMED) from fault
            await self._confirmer.check(probe.receipt.encode(), leaf, policy)
            return True

        if self._trust.policy is None:
            return Finding.NO_KEYS
        try:
            held = await self._confirmer.guarded(check)
        except SecondCheckPending:
            return Finding.PENDING
        return Finding.VERIFIED if held else Finding.FAILED

    async def _note(self, message: Message, proven: Proven, own: bool) -> None:
        await self._store.archive.note_verified(
            VerifiedEntry(
                message_id=message.message_id,
                conversation_id=message.conversation_id,
                revision=message.revision,
                index=proven.index,
                leaf_hash=proven.leaf_hash,
                verified_at_utc_ms=self._clock.now_utc_ms(),
                own_leaf=own,
            )
        )


def _told(document: ReceiptDocument, now_utc_ms: int) -> ReceiptView:
    """Return what the service says of the entry, nothing of it verified."""
    return ReceiptView(
        Finding.NO_KEYS,
        now_utc_ms,
        archived_at_utc_ms=document.archived_at_utc_ms,
        justification=document.justification,
        versions=document.versions,
        kept_until_utc_ms=document.kept_until_utc_ms,
        partner_confirmed_at_utc_ms=document.journal_confirmed_at_utc_ms,
        witnesses_confirmed=document.witnesses_confirmed,
        witnesses_total=document.witnesses_total,
    )


def _verified(
    told: ReceiptView,
    document: ReceiptDocument,
    leaf: bytes,
    proven: Proven,
    policy: Policy,
    decision: CheckedDecision | None,
) -> ReceiptView:
    """Return what the service says with what was verified in its place."""
    receipt = document.receipt.encode()
    return replace(
        told,
        finding=Finding.VERIFIED,
        index=proven.index,
        tree_size=proven.checkpoint.size,
        proof_hashes=proven.proof_hashes,
        witnesses_confirmed=proven.witnesses,
        witnesses_total=len({key.public_key for key in policy.witnesses}),
        log_key=f"{policy.log.name}+{policy.log.key_id.hex()}",
        root=proven.checkpoint.root.hex(),
        saved=format_saved(receipt, leaf, policy.log, policy.witnesses, policy.quorum),
        decided=decision is not None,
        policy_version="" if decision is None else decision.bundle_version,
        policy_action="" if decision is None else decision.action,
    )


def _leaf_of(document: ReceiptDocument, message: Message, known: VerifiedEntry | None) -> bytes:
    """Return the leaf the service gives; it must be this message's, and the one known from here.

    Raises Mismatch.
    """
    try:
        leaf = decode_base64(document.leaf)
    except ValueError as fault:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MALFORMED) from fault
    check_leaf_is_of(leaf, message)
    if known is not None and _is_own(known, message) and known.leaf_hash != leaf_hash(leaf).hex():
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MISMATCH)
    return leaf


def _body_of(document: ReceiptDocument) -> bytes:
    """Return the body the service gives, empty after an erasure; raises Mismatch."""
    try:
        return decode_base64(document.body) if document.body else b""
    except ValueError as fault:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MALFORMED) from fault


def _is_own(known: VerifiedEntry | None, message: Message) -> bool:
    """Tell whether the entry was built here from what was sent, at this revision."""
    return known is not None and known.own_leaf and known.revision == message.revision
