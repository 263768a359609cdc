"""Holds a queue that waits for decisions: reads it, keeps the notes being typed, decides each once.

It never touches a widget, and it forgets a note only when its row has left the queue.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar

from PySide6.QtCore import QObject, Signal

from app.domain.errors import AppError, Conflict
from ui.bridge.spawn import Spawner
from ui.models.sentences import sentence_of
from ui.models.waiting_model import WaitingModel
from ui.models.waiting_state import WaitingState

MAX_NOTE_CHARS = 1_000
Row = TypeVar("Row")


class WaitingWords(NamedTuple):
    """Names of the two tasks, and what is said when somebody else was quicker."""

    reading: str
    deciding: str
    taken: str


class Decision(NamedTuple, Generic[Row]):
    """One decision on `row`: `what` tells it from others, `ask` puts it under a key.

    `outcome` says what came of it; `then` is called once the queue is being read anew.
    """

    row: Row
    what: tuple[Hashable, ...]
    ask: Callable[[str], Coroutine[Any, Any, Row]]
    outcome: Callable[[Row], str]
    then: Callable[[], None] = lambda: None


class WaitingPresenter(QObject, Generic[Row]):
    """`state_changed` carries WaitingState, `announced` a sentence for screen readers."""

    state_changed = Signal(object)
    announced = Signal(str)

    def __init__(
        self,
        model: WaitingModel[Row],
        read: Callable[[], Coroutine[Any, Any, tuple[Row, ...]]],
        words: WaitingWords,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        model.setParent(self)
        self.model = model
        self.now_utc_ms = now_utc_ms
        self.state = WaitingState()
        self._read_queue = read
        self._words = words
        self._spawner = spawner
        self._notes: dict[str, str] = {}
        self._keys: dict[tuple[Hashable, ...], str] = {}
        self._again = False

    def refresh(self) -> None:
        """Read the queue; while it is being read, read it once more afterwards."""
        if self.state.reading:
            self._again = True
            return
        self._show(reading=True)
        if self._spawner.spawn(self._read(), self._words.reading) is None:
            self._show(reading=False)

    def look_again(self) -> None:
        """Say times and spans as they are now."""
        self.model.set_now(self.now_utc_ms())

    def note(self, key: str) -> str:
        """Return the note typed so far about the row of that key."""
        return self._notes.get(key, "")

    def set_note(self, key: str, words: str) -> None:
        """Keep the note as typed."""
        self._notes[key] = words[:MAX_NOTE_CHARS]

    def put(self, decision: Decision[Row]) -> bool:
        """Put a decision to the backend; False while another is decided."""
        if self.state.deciding:
            return False
        self._show(deciding=True, said="")
        # The same decision sent again (the line was cut) goes under the same key.
        what = (self.model.key(decision.row), *decision.what)
        key = self._keys.setdefault(what, str(uuid.uuid4()))
        if self._spawner.spawn(self._decide(decision, key), self._words.deciding) is None:
            self._show(deciding=False)
        return self.state.deciding

    def tell(self, words: str) -> None:
        """Say something on the page and to screen readers."""
        self._show(said=words)
        self.announced.emit(words)

    async def _read(self) -> None:
        fault = ""
        try:
            while True:
                self._again = False
                self._take(await self._read_queue())
                if not self._again:
                    break
        except AppError as error:
            # Said on the page itself, where one can try again.
            fault = sentence_of(error)
        finally:
            self._show(reading=False, loaded=self.state.loaded or not fault, fault=fault)

    def _take(self, rows: tuple[Row, ...]) -> None:
        self.model.set_now(self.now_utc_ms())
        self.model.set_rows(rows)
        known = set(self.model.keys())
        self._notes = {key: note for key, note in self._notes.items() if key in known}

    async def _decide(self, decision: Decision[Row], key: str) -> None:
        home = self.model.key(decision.row)
        try:
            decided = await decision.ask(key)
        except Conflict:
            self.tell(self._words.taken)
            self.refresh()
        except AppError as fault:
            self.tell(sentence_of(fault))
        else:
            self.tell(decision.outcome(decided))
            self._take(tuple(row for row in self.model.rows() if self.model.key(row) != home))
            self.refresh()
            decision.then()
        finally:
            self._show(deciding=False)

    def _show(self, **changes: Any) -> None:
        state = replace(self.state, **changes)
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
