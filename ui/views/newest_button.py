"""The button over a timeline that leads to its newest message, there while that one is not seen.

It never scrolls by itself and counts nothing: it is told what is unread.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractScrollArea, QPushButton

from ui.theme.painting import count_text

_MARGIN_PX = 16


class NewestButton(QPushButton):
    """Stands at the lower trailing corner of `area`; End on the keyboard does the same."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._area = area
        self.setObjectName("timeline-newest")
        self.setProperty("kind", "secondary")
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_unread(0)
        self.hide()
        area.installEventFilter(self)

    def show_unread(self, count: int) -> None:
        """Say how many messages of this conversation are not read yet."""
        text = f"↓ {count_text(count)} new" if count else "↓ Newest"
        if text != self.text():
            self.setText(text)
            new = f"Go to the newest of {count} new messages"
            self.setAccessibleName(new if count else "Go to the newest message")
            self._place()

    def offer(self, wanted: bool) -> None:
        """Show or hide the button."""
        if wanted is self.isHidden():
            self.setVisible(wanted)
            self._place()

    def _place(self) -> None:
        self.adjustSize()
        inside = self._area.contentsRect()
        left = inside.right() - self.width() - _MARGIN_PX
        if self._area.isRightToLeft():
            left = inside.left() + _MARGIN_PX
        self.move(left, inside.bottom() - self.height() - _MARGIN_PX)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutDirectionChange):
            self._place()
        return super().eventFilter(watched, event)
