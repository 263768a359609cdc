"""Owns the one value that carries the backend's parts to its HTTP face.

It never builds the parts: the command line does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from backend.archive.desk import ArchiveDesk
from backend.directory.client_versions import ClientVersions
from backend.directory.signins import SignIns
from backend.governance.policy import RunningPolicy
from backend.inbox.notifier import Notifier
from backend.inbox.search_rate import SearchRate
from backend.inbox.uploads import MOST_ATTACHMENT_BYTES
from backend.inspection import FileInspector
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from contract.ids import ConversationId, EmployeeId

BACKEND_VERSION = "0.1.0"
WORKSPACE_SAMPLE = "sample"
WORKSPACE_FIRM = "firm"


class Authenticator(Protocol):
    """Tells whose a bearer token is."""

    scheme: str

    async def employee_of(self, token: str) -> EmployeeId | None:
        """Return the employee, or None for an unknown or expired token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSettings:
    """What the firm's administrator, or the embedded start, has set.

    `workspace` is `sample` or `firm`; `history_id` is the database's; `undo_send_s` is 0–10.
    """

    workspace: str
    instance_id: str
    history_id: str = ""
    undo_send_s: int = 5
    client_versions: ClientVersions = field(default_factory=ClientVersions)
    attachment_max_bytes: int = MOST_ATTACHMENT_BYTES
    heartbeat_s: float = 10.0
    page_max: int = 500
    policy_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The running parts.

    `now_utc_ms` is the clock; `on_typing` tells the channel that an employee types;
    `on_import` tells the import runner that there is work;
    `health_problems` names the parts that are not well, in plain words.
    """

    database: Database
    archive: ArchiveDesk
    blobs: BlobStore
    policy: RunningPolicy
    auth: Authenticator
    notifier: Notifier
    settings: BackendSettings
    sign_ins: SignIns
    now_utc_ms: Callable[[], int]
    inspector: FileInspector = field(default_factory=FileInspector)
    searches: SearchRate = field(default_factory=SearchRate)
    on_typing: Callable[[ConversationId, EmployeeId, bool], None] | None = None
    on_import: Callable[[], object] = bool
    health_problems: Callable[[], tuple[str, ...]] = tuple


def system_clock_utc_ms() -> int:
    """Return the time now in UTC milliseconds."""
    return time.time_ns() // 1_000_000
