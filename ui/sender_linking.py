"""Asks which client of the book an unknown sender is, and keeps the answer with the sender.

It never decides about the sender: the link goes with the decision.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from contract.triage import TriageItem
from ui.bridge.dialogs import ask
from ui.bridge.spawn import Spawner
from ui.models.triage_presenter import TriagePresenter
from ui.theme.tokens import Tokens
from ui.views.dialogs.client_dialog import ClientDialog
from ui.views.pages.triage import TriagePage


class SenderLinking(QObject):
    """Opens one dialog at a time; `dialog` is the one that is open."""

    def __init__(
        self,
        presenter: TriagePresenter,
        page: TriagePage,
        spawner: Spawner,
        tokens: Callable[[], Tokens],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.dialog: ClientDialog | None = None
        self._presenter = presenter
        self._page = page
        self._spawner = spawner
        self._tokens = tokens
        self._asking = False
        page.link_requested.connect(self._on_requested)

    def _on_requested(self, item: TriageItem) -> None:
        if not self._asking:
            self._spawner.spawn(self._ask(item), "link an unknown sender")

    async def _ask(self, item: TriageItem) -> None:
        self._asking = True
        try:
            book = await self._presenter.book()
            self.dialog = dialog = ClientDialog(
                item.title, book, self._tokens(), self._page.window()
            )
            if await ask(dialog) and (client := dialog.chosen()) is not None:
                self._presenter.set_link(item, client)
            dialog.deleteLater()
        finally:
            self.dialog, self._asking = None, False
