"""Owns reading a decision that the service tells, once it is the one a verified leaf names.

It never believes a decision by itself: its SHA-256 must stand in the leaf.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from app.archive.mismatch import Mismatch
from app.domain.archive import AlarmKind
from contract.receipts.errors import FaultCode

_VERSION_AT, _ACTION_AT = 1, 6


class _Decided(msgspec.Struct, frozen=True):
    """What a leaf says of the decision on its message."""

    decision_hash: str = ""


@dataclass(frozen=True, slots=True)
class CheckedDecision:
    """The policy a message was decided by, and what it decided; both empty when not told."""

    bundle_version: str = ""
    action: str = ""


def check_decision(leaf: bytes, told: str) -> CheckedDecision | None:
    """Return the decision on a message with this verified leaf; None when there was none.

    `told` is the text whose SHA-256 the leaf names, empty when the service keeps it to itself.
    Raises Mismatch when it is another one.
    """
    named = msgspec.json.decode(leaf, type=_Decided).decision_hash
    if not named:
        return None
    if not told:
        return CheckedDecision()
    data = told.encode("utf-8", "surrogatepass")
    if hashlib.sha256(data).hexdigest() != named:
        raise Mismatch(AlarmKind.RECEIPT, FaultCode.PROOF_MISMATCH)
    try:
        fields = msgspec.json.decode(data.partition(b"\n")[2], type=list[Any])
        return CheckedDecision(str(fields[_VERSION_AT]), str(fields[_ACTION_AT]))
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return CheckedDecision()  # of a form this version does not know
