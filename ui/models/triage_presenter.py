"""Holds the queue of unknown senders: reads it, keeps the note being typed, decides each once.

It never touches a widget, and it forgets a note only when its sender has left the queue.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.errors import AppError, Conflict
from contract.ids import EmployeeId
from contract.triage import TriageAction, TriageItem
from ui.bridge.spawn import Spawner
from ui.models.sentences import sentence_of
from ui.models.triage_model import TriageModel
from ui.models.waiting_state import WaitingState

MAX_NOTE_CHARS = 1_000


class TriageQueue(Protocol):
    """What the presenter asks of the core's desk."""

    async def read(self) -> tuple[TriageItem, ...]:
        """Return the unknown senders that wait, oldest first."""
        ...

    async def decide(
        self, item: TriageItem, action: TriageAction, *, employee_id: str, note: str, key: str
    ) -> TriageItem:
        """Claim, assign or dismiss one."""
        ...


class TriagePresenter(QObject):
    """`state_changed` carries WaitingState, `announced` a sentence for screen readers.

    `claimed` carries the id of a conversation that is the user's own now.
    """

    state_changed = Signal(object)
    announced = Signal(str)
    claimed = Signal(str)

    def __init__(
        self,
        queue: TriageQueue,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._queue = queue
        self._spawner = spawner
        self.now_utc_ms = now_utc_ms
        self.model = TriageModel(parent=self)
        self.state = WaitingState()
        self._notes: dict[str, str] = {}
        self._keys: dict[tuple[str, TriageAction, str, str], str] = {}
        self._again = False

    def refresh(self) -> None:
        """Read the queue; while it is being read, read it once more afterwards."""
        if self.state.reading:
            self._again = True
            return
        self._show(replace(self.state, reading=True))
        if self._spawner.spawn(self._read(), "read unknown senders") is None:
            self._show(replace(self.state, reading=False))

    def look_again(self) -> None:
        """Say times as they are now."""
        self.model.set_now(self.now_utc_ms())

    def note(self, conversation_id: str) -> str:
        """Return the note typed so far about a sender."""
        return self._notes.get(conversation_id, "")

    def set_note(self, conversation_id: str, words: str) -> None:
        """Keep the note as typed."""
        self._notes[conversation_id] = words[:MAX_NOTE_CHARS]

    def decide(self, item: TriageItem, action: TriageAction, employee_id: str = "") -> bool:
        """Decide on a sender; False while another is decided, or when a note is missing."""
        note = self.note(item.conversation_id).strip()
        if self.state.deciding:
            return False
        if action is TriageAction.DISMISS and not note:
            self._tell("Say why, for the archive. The messages stay there.")
            return False
        self._show(replace(self.state, deciding=True, said=""))
        # The same decision sent again (the line was cut) goes under the same key.
        what = (item.conversation_id, action, employee_id, note)
        key = self._keys.setdefault(what, str(uuid.uuid4()))
        work = self._decide(item, action, employee_id, note, key)
        if self._spawner.spawn(work, "decide unknown sender") is None:
            self._show(replace(self.state, deciding=False))
        return self.state.deciding

    async def _read(self) -> None:
        fault = ""
        try:
            while True:
                self._again = False
                self._take(await self._queue.read())
                if not self._again:
                    break
        except AppError as error:
            # Said on the page itself, where one can try again.
            fault = sentence_of(error)
        finally:
            loaded = self.state.loaded or not fault
            self._show(replace(self.state, reading=False, loaded=loaded, fault=fault))

    def _take(self, rows: tuple[TriageItem, ...]) -> None:
        self.model.set_now(self.now_utc_ms())
        self.model.set_rows(rows)
        known = {row.conversation_id for row in rows}
        self._notes = {key: note for key, note in self._notes.items() if key in known}

    async def _decide(
        self, item: TriageItem, action: TriageAction, employee_id: str, note: str, key: str
    ) -> None:
        home = item.conversation_id
        try:
            await self._queue.decide(item, action, employee_id=employee_id, note=note, key=key)
        except Conflict:
            self._tell("Somebody decided this meanwhile. The list is read anew.")
            self.refresh()
        except AppError as fault:
            self._tell(sentence_of(fault))
        else:
            self._tell(_outcome(item, action, employee_id))
            self._take(tuple(row for row in self.model.rows() if row.conversation_id != home))
            self.refresh()
            if action is TriageAction.CLAIM:
                self.claimed.emit(home)
        finally:
            self._show(replace(self.state, deciding=False))

    def _tell(self, words: str) -> None:
        self._show(replace(self.state, said=words))
        self.announced.emit(words)

    def _show(self, state: WaitingState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)


def _outcome(item: TriageItem, action: TriageAction, employee_id: str) -> str:
    if action is TriageAction.CLAIM:
        return f"{item.title} is in your inbox now."
    if action is TriageAction.DISMISS:
        return f"{item.title} was dismissed. The messages stay in the archive."
    names = {one.employee_id: one.display_name for one in item.candidates}
    return (
        f"{names.get(EmployeeId(employee_id), 'Your colleague')} has {item.title} in the inbox now."
    )
