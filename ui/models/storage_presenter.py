"""Keeps the storage card true to the local files and their upkeep.

It never runs a job itself: it asks the desk that owns them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.upkeep import StorageUse, UpkeepJob, UpkeepState
from ui.bridge.spawn import Spawner


class StorageSource(Protocol):
    """What the presenter needs; `UpkeepDesk` offers it."""

    state: UpkeepState

    def start(self, job: UpkeepJob) -> None:
        """Begin a job unless one runs."""
        ...

    def cancel(self) -> None:
        """Cut the running job short."""
        ...

    async def use(self) -> StorageUse:
        """Return what the files take."""
        ...

    def subscribe(self, callback: Callable[[UpkeepState], None]) -> Callable[[], None]:
        """Call `callback` with each new state; return how to stop that."""
        ...


class StoragePresenter(QObject):
    """`state_changed` carries the upkeep's state, `use_changed` the sizes."""

    state_changed = Signal(object)
    use_changed = Signal(object)

    def __init__(
        self, source: StorageSource, spawner: Spawner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._spawner = spawner
        self._is_shown = False
        self._unsubscribe = source.subscribe(self._on_state)

    @property
    def state(self) -> UpkeepState:
        """Return what is being done now."""
        return self._source.state

    def set_shown(self, shown: bool) -> None:
        """Follow the sizes while the card is in front; they are read only then."""
        self._is_shown = shown
        if shown:
            self.state_changed.emit(self._source.state)
            self._read_use()

    def start(self, job: UpkeepJob) -> None:
        """Begin a job unless one runs."""
        self._source.start(job)

    def cancel(self) -> None:
        """Cut the running job short."""
        self._source.cancel()

    def close(self) -> None:
        """Hear nothing any more."""
        self._unsubscribe()

    def _on_state(self, state: UpkeepState) -> None:
        self.state_changed.emit(state)
        if state.job is None and self._is_shown:
            self._read_use()

    def _read_use(self) -> None:
        self._spawner.spawn(self._use(), "storage sizes")

    async def _use(self) -> None:
        self.use_changed.emit(await self._source.use())
