"""Says that a proof of the archive does not hold, or that it is only not complete yet.

It never decides what follows from it.
"""

from __future__ import annotations

from app.domain.archive import AlarmKind
from contract.receipts.checkpoints import Checkpoint
from contract.receipts.errors import FaultCode, ReceiptError


class Mismatch(Exception):
    """The archive's proof is not believed; `got` is what it showed, as far as it could be read."""

    def __init__(self, kind: AlarmKind, code: str, got: Checkpoint | None = None) -> None:
        super().__init__(code)
        self.kind = kind
        self.code = code
        self.got = got


class SecondCheckPending(Exception):
    """All holds so far, but cosignatures or the body are not here yet: a reason to wait."""


_KINDS = {
    FaultCode.LOG_ROLLED_BACK: AlarmKind.ROLLBACK,
    FaultCode.LOG_FORKED: AlarmKind.FORK,
    FaultCode.ORIGIN_WRONG: AlarmKind.FORK,
}


def of_receipt(fault: ReceiptError, got: Checkpoint | None = None) -> Mismatch:
    """Return the mismatch of a receipt or checkpoint that did not verify."""
    return Mismatch(_KINDS.get(fault.code, AlarmKind.RECEIPT), fault.code, got)


def of_growth(fault: ReceiptError, got: Checkpoint) -> Mismatch:
    """Return the mismatch of a tree that is not the one seen before, grown."""
    return Mismatch(_KINDS.get(fault.code, AlarmKind.FORK), fault.code, got)
