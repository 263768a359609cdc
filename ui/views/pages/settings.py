"""The settings page: a line for each setting, locked ones with who set them.

It never stores a setting: it says what the user chose.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ui.models.settings_rows import SettingRow
from ui.theme.icons import icon_pixmap
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import hairline, label, pane
from ui.views.pages.page_frame import PageFrame
from ui.views.pages.storage_card import StorageCard
from ui.views.tab_order import focus_by_name, focused_name, join_tab_order


class ChoiceBox(QComboBox):
    """A box to choose from, with the chevron of our own look."""

    def __init__(self, name: str, chevron_color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.view().setAccessibleName(name)
        self.set_chevron(chevron_color)
        self.setStyleSheet(
            "QComboBox::drop-down { border: none; width: 24px; }"
            "QComboBox::down-arrow { image: none; }"
        )

    def set_chevron(self, color: str) -> None:
        """Draw the chevron in another colour."""
        self._chevron = icon_pixmap("chevron-down", color, 14, 2.0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.drawPixmap(QPoint(self.width() - 26, (self.height() - 14) // 2), self._chevron)
        painter.end()


class SettingsPage(PageFrame):
    """Each change is said at once; there is no button to apply it."""

    setting_chosen = Signal(str, object)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__("Settings", "Changes hold at once unless it says otherwise", parent)
        self._tokens = tokens
        self._rows: tuple[SettingRow, ...] = ()
        self._card = QFrame()
        self._card.setProperty("card", True)
        self._grid = QGridLayout(self._card)
        self._grid.setContentsMargins(20, 8, 20, 8)
        self._grid.setHorizontalSpacing(20)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnMinimumWidth(1, 220)
        self._service = label("", "body", selectable=True)
        self._service.setWordWrap(True)
        self._fault = label("", "error")
        self._fault.hide()
        service = QFrame()
        service.setProperty("card", True)
        inner = QVBoxLayout(service)
        inner.setContentsMargins(20, 16, 20, 16)
        inner.addWidget(label("Service", "strong"))
        inner.addWidget(self._service)
        self.storage = StorageCard(tokens)
        inside = pane("background")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        for part in (self._fault, self._card, self.storage, service):
            column.addWidget(part)
        column.addStretch(1)
        self.body.addWidget(self._scroll(inside), 1)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.storage.set_tokens(tokens)
        self._build()

    def show_settings(self, rows: Sequence[SettingRow], service: str) -> None:
        """Show the settings as they hold now."""
        self._service.setText(service)
        if tuple(rows) != self._rows:
            self._rows = tuple(rows)
            self._build()

    def show_fault(self, words: str) -> None:
        """Say why a change could not be kept; "" says nothing."""
        self._fault.setText(words)
        self._fault.setVisible(bool(words))

    def _scroll(self, inside: QWidget) -> QScrollArea:
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("Settings")
        scroll.setWidget(inside)
        OverlayScrollBar(scroll)
        return scroll

    def _build(self) -> None:
        focused = focused_name(self)
        while (item := self._grid.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for number, row in enumerate(self._rows):
            if number:
                self._grid.addWidget(hairline(), 2 * number - 1, 0, 1, 2)
            control = self._control(row)
            self._grid.addWidget(self._words(row, control), 2 * number, 0)
            self._grid.addWidget(control, 2 * number, 1)
            control.show()
        join_tab_order(self)
        focus_by_name(self, focused)

    def _words(self, row: SettingRow, control: QWidget) -> QWidget:
        words = QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 8, 0, 8)
        column.setSpacing(2)
        title = label(row.title, "strong")
        # On Linux a box's name for screen readers is its label's.
        title.setBuddy(control)
        column.addWidget(title)
        column.addWidget(label(row.description, "secondary"))
        if row.locked:
            column.addLayout(self._lock(row.locked))
        return words

    def _lock(self, who: str) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(6)
        mark = QLabel()
        mark.setPixmap(icon_pixmap("lock", self._tokens.ink3, 12, 2.0))
        line.addWidget(mark)
        line.addWidget(label(who, "meta"), 1)
        return line

    def _control(self, row: SettingRow) -> QWidget:
        control = self._box(row) if row.choices else self._line(row)
        control.setAccessibleDescription(row.locked or row.description)
        control.setEnabled(not row.locked)
        control.setToolTip(row.locked)
        return control

    def _box(self, row: SettingRow) -> ChoiceBox:
        box = ChoiceBox(row.title, self._tokens.ink2)
        for choice in row.choices:
            box.addItem(choice.words, choice.value)
        values = [choice.value for choice in row.choices]
        box.setCurrentIndex(values.index(row.value) if row.value in values else 0)
        box.activated.connect(
            lambda number: self.setting_chosen.emit(row.key, row.choices[number].value)
        )
        return box

    def _line(self, row: SettingRow) -> QLineEdit:
        line = QLineEdit(str(row.value))
        line.setAccessibleName(row.title)
        line.setPlaceholderText(row.placeholder)
        line.setCursorPosition(0)

        def on_finished() -> None:
            if line.isModified():
                line.setModified(False)
                self.setting_chosen.emit(row.key, line.text().strip())

        line.editingFinished.connect(on_finished)
        return line
