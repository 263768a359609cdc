"""Knows the decisions on unknown senders: whom they go to, which need a note, what came of each.

It never reads or keeps the queue by itself: what all waiting queues share does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from contract.ids import ContactId, EmployeeId
from contract.triage import TriageAction, TriageCommand, TriageItem
from contract.wire import Contact
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

    async def book(self) -> tuple[Contact, ...]:
        """Return the clients of the own book by name."""
        ...

    async def decide(self, item: TriageItem, command: TriageCommand, *, key: str) -> TriageItem:
        """Claim, assign or dismiss one, who may be a client of the own book."""
        ...


class TriagePresenter(WaitingPresenter[TriageItem]):
    """`claimed` carries the id of a conversation that is the user's own now.

    `link_changed` tells that another client was chosen for some sender, or none any more.
    """

    claimed = Signal(str)
    link_changed = Signal()

    def __init__(
        self,
        queue: TriageQueue,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(TriageModel(), queue.read, _WORDS, spawner, now_utc_ms, parent)
        self._queue = queue
        self._links: dict[str, Contact] = {}
        self.model.rowsRemoved.connect(self._on_rows_removed)

    async def book(self) -> tuple[Contact, ...]:
        """Return the clients that a sender may be."""
        return await self._queue.book()

    def link(self, item: TriageItem) -> Contact | None:
        """Return which client a sender was said to be, None while nobody said so."""
        return self._links.get(item.conversation_id)

    def set_link(self, item: TriageItem, client: Contact | None) -> None:
        """Say which client a sender is, None: none; it counts with the next decision."""
        if client is None:
            self._links.pop(item.conversation_id, None)
        else:
            self._links[item.conversation_id] = client
        self.link_changed.emit()

    def decide(self, item: TriageItem, action: TriageAction, employee_id: str = "") -> bool:
        """Decide on a sender; False while another is decided, or when a note is missing."""
        note = self.note(item.conversation_id).strip()
        if self.state.deciding:
            return False
        if action is TriageAction.DISMISS and not note:
            self.tell("Say why, for the archive. The messages stay there.")
            return False
        client = None if action is TriageAction.DISMISS else self.link(item)
        command = TriageCommand(
            action=action,
            employee_id=EmployeeId(employee_id),
            contact_id=ContactId("") if client is None else client.contact_id,
            note=note,
        )
        return self.put(
            Decision(
                item,
                (command,),
                lambda key: self._queue.decide(item, command, key=key),
                lambda decided: _outcome(decided, command),
                lambda: self._on_decided(item, action),
            )
        )

    def _on_rows_removed(self) -> None:
        known = set(self.model.keys())
        self._links = {home: link for home, link in self._links.items() if home in known}

    def _on_decided(self, item: TriageItem, action: TriageAction) -> None:
        if action is TriageAction.CLAIM:
            self.claimed.emit(item.conversation_id)


def _outcome(item: TriageItem, command: TriageCommand) -> str:
    if command.action is TriageAction.CLAIM:
        return f"{item.title} is in your inbox now."
    if command.action is TriageAction.DISMISS:
        return f"{item.title} was dismissed. The messages stay in the archive."
    names = {one.employee_id: one.display_name for one in item.candidates}
    who = names.get(command.employee_id, "Your colleague")
    return f"{who} has {item.title} in the inbox now."
