"""The list of conversations: keys and clicks choose one, what shows keeps its place.

It never chooses a conversation that nobody chose, as Qt would when the focus comes.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from contract.ids import ConversationId
from ui.delegates.inbox_delegate import ROW_HEIGHT_PX
from ui.models.inbox_model import InboxModel, InboxRole
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.views.uniform_list import UniformList

KEY_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class InboxList(UniformList):
    """The list itself: while it is scrolled down, what shows stays in its place as rows move."""

    entered_by_key = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(ROW_HEIGHT_PX, parent)
        self.setObjectName("inbox-list")
        self.setAccessibleName("Conversations")
        OverlayScrollBar(self)
        self._by_key = False
        self._stood: list[tuple[ConversationId, int]] = []

    def follow(self, model: InboxModel) -> None:
        """Show a model and keep the place when it says that it changes."""
        self.setModel(model)
        model.changing.connect(self._on_changing)
        model.changed.connect(self._on_changed)

    def _on_changing(self) -> None:
        """Note what shows; at the very top what is new is to be seen."""
        top, model = self.verticalScrollBar().value(), self.model()
        self._stood = []
        if top > 0:
            self._stood = [
                (model.index(number, 0).data(InboxRole.CONVERSATION_ID), self._rect(number).top())
                for number in self.shown_rows()
            ]

    def _on_changed(self, moved: frozenset[ConversationId]) -> None:
        """Put the first row that did not move by itself where it was."""
        model = self.model()
        if not self._stood or not isinstance(model, InboxModel):
            return
        self.executeDelayedItemsLayout()
        for conversation_id, top_px in self._stood:
            number = model.number_of(conversation_id)
            if number >= 0 and conversation_id not in moved:
                self.verticalScrollBar().setValue(number * ROW_HEIGHT_PX - top_px)
                return

    def focusInEvent(self, event: QFocusEvent) -> None:
        # Qt makes the first row current when none is: that would open, and so read, a
        # conversation that nobody chose.
        self._by_key = event.reason() in KEY_REASONS
        unchosen = not self.currentIndex().isValid()
        selection = self.selectionModel()
        selection.blockSignals(unchosen)
        super().focusInEvent(event)
        if unchosen:
            selection.clearCurrentIndex()
            selection.blockSignals(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._by_key = False
        super().mousePressEvent(event)

    def initViewItemOption(self, option: QStyleOptionViewItem) -> None:
        super().initViewItemOption(option)
        # Qt itself notes only Tab as the keyboard: Esc and the arrows lead here, too.
        if self._by_key:
            option.state |= QStyle.StateFlag.State_KeyboardFocusChange

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._by_key = True
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.entered_by_key.emit(str(index.data(InboxRole.CONVERSATION_ID)))
            return
        super().keyPressEvent(event)
