"""What this computer has verified of the archive, and the alarm when a proof does not hold.

It never verifies anything by itself and never carries a message's content.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contract.ids import ConversationId, MessageId


class AlarmKind(StrEnum):
    """Why the archive's proof is not believed; the words of `contract.wire.ArchiveAlert`."""

    ROLLBACK = "rollback"
    FORK = "fork"
    GAP = "gap"
    RECEIPT = "receipt"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class ArchiveAlarm:
    """Sending is paused since `at_utc_ms`.

    `seen_…` is the newest tree this computer had verified (size 0: none yet), `got_…` what the
    archive showed instead, as far as it could be read; roots are hex. `told` once Compliance
    has it.
    """

    kind: AlarmKind
    detail_code: str
    at_utc_ms: int
    seen_at_utc_ms: int = 0
    seen_size: int = 0
    seen_root: str = ""
    got_size: int = 0
    got_root: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An archive entry whose receipt this computer has verified; `leaf_hash` is hex."""

    message_id: MessageId
    conversation_id: ConversationId
    revision: int
    index: int
    leaf_hash: str
    verified_at_utc_ms: int
    own_leaf: bool = True


class Finding(StrEnum):
    """What came of checking one message's receipt on demand."""

    VERIFIED = "verified"
    PENDING = "pending"
    FAILED = "failed"
    NO_KEYS = "no_keys"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Everything the receipt's dialog says, in plain values; times are UTC milliseconds.

    `own_leaf` tells that the entry was built here from what was sent, not taken from the
    service. `before_size` is the tree this computer had verified before, 0 for the first.
    `saved` holds the file that proves it offline; empty unless verified. `decided` tells that the
    entry names a decision; `policy_version` and `policy_action` are that decision's, empty when
    the service keeps it to itself.
    """

    finding: Finding
    checked_at_utc_ms: int
    own_leaf: bool = False
    alarm: AlarmKind | None = None
    archived_at_utc_ms: int = 0
    justification: str = ""
    versions: int = 1
    kept_until_utc_ms: int | None = None
    partner_confirmed_at_utc_ms: int | None = None
    witnesses_confirmed: int = 0
    witnesses_total: int = 0
    index: int = 0
    tree_size: int = 0
    before_size: int = 0
    proof_hashes: int = 0
    log_key: str = ""
    root: str = ""
    saved: bytes = b""
    decided: bool = False
    policy_version: str = ""
    policy_action: str = ""
