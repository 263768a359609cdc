"""Runs the checks when asked, after reading the settings anew, and keeps the figures current.

It never decides what a check finds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.diagnostics.results import CheckResult
from app.domain.settings_account import SettingsAccount
from ui.bridge.spawn import Spawner
from ui.models.figures import Figures

_MEMORY_EVERY_MS = 5_000


class DiagnosticsPresenter(QObject):
    """`results_changed` grows while checks run; `figures_changed` carries the cards.

    `settings_read` carries the account of all settings, once before the checks.
    """

    results_changed = Signal(object)
    settings_read = Signal(object)
    running_changed = Signal(bool)
    figures_changed = Signal(object)

    def __init__(
        self,
        checks: Callable[[], AsyncIterator[CheckResult]],
        account: Callable[[], Awaitable[SettingsAccount]],
        figures: Figures,
        spawner: Spawner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._checks = checks
        self._account = account
        self._figures = figures
        self._spawner = spawner
        self._running = False
        # Only while the page is open: an idle window wakes for nothing.
        self._timer = QTimer(self)
        self._timer.setInterval(_MEMORY_EVERY_MS)
        self._timer.timeout.connect(self.refresh_figures)

    @property
    def is_running(self) -> bool:
        """Tell whether checks run."""
        return self._running

    def set_shown(self, shown: bool) -> None:
        """Follow the figures while the page is in front; checks run when it first is."""
        if shown:
            self._timer.start()
            self.refresh_figures()
            self.run()
        else:
            self._timer.stop()

    def run(self) -> None:
        """Run every check, unless they run already."""
        if not self._running:
            self._running = True
            self.running_changed.emit(True)
            self._spawner.spawn(self._run(), "diagnostics")

    def refresh_figures(self) -> None:
        """Take the memory figure and publish all cards."""
        import psutil

        self._figures.add_memory(psutil.Process().memory_info().rss / 1_000_000)
        self.figures_changed.emit(self._figures.cards())

    async def _run(self) -> None:
        results: list[CheckResult] = []
        try:
            self.settings_read.emit(await self._account())
            async for result in self._checks():
                results.append(result)
                self.results_changed.emit(tuple(results))
        finally:
            self._running = False
            self.running_changed.emit(False)
            self.refresh_figures()
