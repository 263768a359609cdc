"""What the window shows of the storage's upkeep: sizes, the job under way, how the last one ended.

It never decides when a job runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UpkeepJob(StrEnum):
    """What can be done to the local files; LET_GO and FINISH_INDEX begin by themselves."""

    CHECK = "check"
    COMPACT = "compact"
    LET_GO = "let_go"
    REBUILD_INDEX = "rebuild_index"
    FINISH_INDEX = "finish_index"


class UpkeepEnd(StrEnum):
    """How a job ended; DAMAGED and INDEX_STALE are findings of a check."""

    DONE = "done"
    CANCELLED = "cancelled"
    DAMAGED = "damaged"
    INDEX_STALE = "index_stale"
    DISK_FULL = "disk_full"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UpkeepOutcome:
    """The last job's end; `amount` is in bytes for COMPACT, in messages for the others."""

    job: UpkeepJob
    end: UpkeepEnd
    amount: int = 0


@dataclass(frozen=True, slots=True)
class UpkeepState:
    """`job` is None while nothing runs; `fraction` says from 0 to 1 how far it came."""

    job: UpkeepJob | None = None
    fraction: float = 0.0
    outcome: UpkeepOutcome | None = None


@dataclass(frozen=True, slots=True)
class StorageUse:
    """What the local files take; a limit of 0 sets none for messages and keeps no file."""

    messages_bytes: int
    messages_limit_bytes: int
    files_bytes: int
    files_limit_bytes: int
