"""Holds the supervisor's queue: reads it, keeps the note being typed, decides each once.

It never touches a widget, and it forgets a note only when its decision was taken.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.errors import AppError, Conflict
from contract.supervision import Approval, ApprovalState
from ui.bridge.spawn import Spawner
from ui.models.approvals_model import ApprovalsModel
from ui.models.sentences import sentence_of
from ui.models.waiting_state import WaitingState

MAX_NOTE_CHARS = 1_000


class ApprovalQueue(Protocol):
    """What the presenter asks of the core's desk."""

    async def read(self) -> tuple[Approval, ...]:
        """Return the held messages, oldest first."""
        ...

    async def decide(self, approval: Approval, *, approve: bool, note: str, key: str) -> Approval:
        """Let a held message go or turn it down."""
        ...


class ApprovalsPresenter(QObject):
    """`state_changed` carries WaitingState, `announced` a sentence for screen readers."""

    state_changed = Signal(object)
    announced = Signal(str)

    def __init__(
        self,
        queue: ApprovalQueue,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._queue = queue
        self._spawner = spawner
        self.now_utc_ms = now_utc_ms
        self.model = ApprovalsModel(parent=self)
        self.state = WaitingState()
        self._notes: dict[str, str] = {}
        self._keys: dict[tuple[str, bool, str], str] = {}
        self._again = False

    def refresh(self) -> None:
        """Read the queue; while it is being read, read it once more afterwards."""
        if self.state.reading:
            self._again = True
            return
        self._show(reading=True)
        if self._spawner.spawn(self._read(), "read approvals") is None:
            self._show(reading=False)

    def look_again(self) -> None:
        """Say times and spans as they are now."""
        self.model.set_now(self.now_utc_ms())

    def note(self, approval_id: str) -> str:
        """Return the note typed so far for a held message."""
        return self._notes.get(approval_id, "")

    def set_note(self, approval_id: str, words: str) -> None:
        """Keep the note as typed."""
        self._notes[approval_id] = words[:MAX_NOTE_CHARS]

    def decide(self, approval: Approval, *, approve: bool) -> bool:
        """Decide on a held message; False while another is decided, or when a note is missing."""
        note = self.note(approval.approval_id).strip()
        if self.state.deciding:
            return False
        if not approve and not note:
            self._tell(f"Say why, so that {approval.author_name} can mend it.")
            return False
        self._show(deciding=True, said="")
        # The same decision sent again (the line was cut) goes under the same key.
        key = self._keys.setdefault((approval.approval_id, approve, note), str(uuid.uuid4()))
        work = self._decide(approval, approve, note, key)
        if self._spawner.spawn(work, "decide approval") is None:
            self._show(deciding=False)
        return self.state.deciding

    async def _read(self) -> None:
        fault = ""
        try:
            while True:
                self._again = False
                rows = await self._queue.read()
                self._take(rows)
                if not self._again:
                    break
        except AppError as error:
            # Said on the page itself, where one can try again.
            fault = sentence_of(error)
        finally:
            self._show(reading=False, loaded=self.state.loaded or not fault, fault=fault)

    def _take(self, rows: tuple[Approval, ...]) -> None:
        self.model.set_now(self.now_utc_ms())
        self.model.set_rows(rows)
        known = {row.approval_id for row in rows}
        self._notes = {key: note for key, note in self._notes.items() if key in known}

    async def _decide(self, approval: Approval, approve: bool, note: str, key: str) -> None:
        try:
            decided = await self._queue.decide(approval, approve=approve, note=note, key=key)
        except Conflict:
            self._tell("This was decided meanwhile. The list is read anew.")
            self.refresh()
        except AppError as fault:
            self._tell(sentence_of(fault))
        else:
            self._tell(_outcome(decided))
            rows = [row for row in self.model.rows() if row.approval_id != approval.approval_id]
            self._take(tuple(rows))
            self.refresh()
        finally:
            self._show(deciding=False)

    def _tell(self, words: str) -> None:
        self._show(said=words)
        self.announced.emit(words)

    def _show(
        self,
        *,
        loaded: bool | None = None,
        reading: bool | None = None,
        deciding: bool | None = None,
        fault: str | None = None,
        said: str | None = None,
    ) -> None:
        old = self.state
        self.state = WaitingState(
            loaded=old.loaded if loaded is None else loaded,
            reading=old.reading if reading is None else reading,
            deciding=old.deciding if deciding is None else deciding,
            fault=old.fault if fault is None else fault,
            said=old.said if said is None else said,
        )
        if self.state != old:
            self.state_changed.emit(self.state)


def _outcome(decided: Approval) -> str:
    to = decided.title
    return {
        ApprovalState.APPROVED: f"Approved. The message to {to} is on its way.",
        ApprovalState.REJECTED: f"Rejected. {decided.author_name} reads your note.",
        ApprovalState.EXPIRED: "Too late: the request had expired. Nothing was sent.",
    }.get(decided.state, "Noted.")
