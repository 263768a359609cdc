"""Knows the decisions on unknown senders: whom they go to, which need a note, what came of each.

It never reads or keeps the queue by itself: what all waiting queues share does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from contract.ids import EmployeeId
from contract.triage import TriageAction, TriageItem
from ui.bridge.spawn import Spawner
from ui.models.triage_model import TriageModel
from ui.models.waiting_presenter import Decision, WaitingPresenter, WaitingWords

_WORDS = WaitingWords(
    reading="read unknown senders",
    deciding="decide unknown sender",
    taken="Somebody decided this meanwhile. The list is read anew.",
)


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


class TriagePresenter(WaitingPresenter[TriageItem]):
    """`claimed` carries the id of a conversation that is the user's own now."""

    claimed = Signal(str)

    def __init__(
        self,
        queue: TriageQueue,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(TriageModel(), queue.read, _WORDS, spawner, now_utc_ms, parent)
        self._queue = queue

    def decide(self, item: TriageItem, action: TriageAction, employee_id: str = "") -> bool:
        """Decide on a sender; False while another is decided, or when a note is missing."""
        note = self.note(item.conversation_id).strip()
        if self.state.deciding:
            return False
        if action is TriageAction.DISMISS and not note:
            self.tell("Say why, for the archive. The messages stay there.")
            return False
        return self.put(
            Decision(
                item,
                (action, employee_id, note),
                lambda key: self._queue.decide(
                    item, action, employee_id=employee_id, note=note, key=key
                ),
                lambda _: _outcome(item, action, employee_id),
                lambda: self._on_decided(item, action),
            )
        )

    def _on_decided(self, item: TriageItem, action: TriageAction) -> None:
        if action is TriageAction.CLAIM:
            self.claimed.emit(item.conversation_id)


def _outcome(item: TriageItem, action: TriageAction, employee_id: str) -> str:
    if action is TriageAction.CLAIM:
        return f"{item.title} is in your inbox now."
    if action is TriageAction.DISMISS:
        return f"{item.title} was dismissed. The messages stay in the archive."
    names = {one.employee_id: one.display_name for one in item.candidates}
    return (
        f"{names.get(EmployeeId(employee_id), 'Your colleague')} has {item.title} in the inbox now."
    )
