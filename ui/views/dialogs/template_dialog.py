"""The picker of approved templates: a list narrowed by words, fields for its places, a preview.

It never sends and never decides: who opened it does, and tells what stands in the way.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from contract.supervision import Template
from ui.delegates.choice_delegate import END_ROLE, NAME_ROLE
from ui.models.finding_answers import MAX_REASON_CHARS, Answers
from ui.models.template_choice import TemplateChoice
from ui.theme.fonts import REGULAR, ui_font
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import BODY_PX, Tokens
from ui.theme.tool_tips import plain_tip
from ui.theme.widgets import label
from ui.views.choice_list import choice_rows, find_field
from ui.views.dialogs.plain_dialog import PlainDialog, field_label

SIZE_PX = (820, 520)
_ROLE = Qt.ItemDataRole.UserRole
_SEND = "Send template"
_EMPTY = "Your firm has no approved template for this channel. Ask your administrator."
_NO_MATCH = "No template has these words."


class TemplateDialog(PlainDialog):
    """`send_requested` carries the filled text and the reason; `choice` holds what was chosen."""

    send_requested = Signal(str, str)

    def __init__(
        self,
        choice: TemplateChoice,
        channel: str,
        note: str,
        tokens: Tokens,
        parent: QWidget | None = None,
    ) -> None:
        """`note` says in a sentence why a template is needed, or that the list may be old."""
        super().__init__("Choose a template", note, parent)
        self.choice = choice
        self.resize(*SIZE_PX)
        columns = QHBoxLayout()
        columns.setSpacing(20)
        columns.addLayout(self._build_list(channel, tokens), 2)
        columns.addLayout(self._build_form(), 3)
        self.fields.addLayout(columns, 1)
        self._why = self.add_reason_line()
        self.add_button("Cancel", "secondary", accepts=False)
        self.use = self.add_button(_SEND, "primary", accepts=True)
        self.use.setDefault(False)  # Return in a field must not send by itself
        self.use.clicked.disconnect()
        self.use.clicked.connect(self._on_send)
        self._fill_list()
        self._find.setFocus()

    def value_fields(self) -> tuple[QLineEdit, ...]:
        """Return the fields of the chosen template's places."""
        items = (self._values.itemAt(number) for number in range(self._values.count()))
        found = (None if item is None else item.widget() for item in items)
        return tuple(widget for widget in found if isinstance(widget, QLineEdit))

    def show_finding(self, words: str, button: str, *, needs_reason: bool) -> None:
        """Say what policy found in the filled text, and what the button does against it."""
        self.show_error(words)
        self.use.setText(button)
        for widget in (self._reason_label, self.reason):
            widget.setVisible(needs_reason)
        if needs_reason:
            self.reason.setFocus()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))
        self._show()

    def _build_list(self, channel: str, tokens: Tokens) -> QVBoxLayout:
        self._find = find_field(f"Find a {channel} template", "Find a template")
        self._find.textChanged.connect(self._on_words)
        self.list = choice_rows("Templates", tokens)
        self.list.currentItemChanged.connect(self._on_chosen)
        self._empty = label("", "secondary")
        self._empty.setWordWrap(True)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(self._find)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        return column

    def _build_form(self) -> QVBoxLayout:
        """Return the preview above the fields; many places scroll, the buttons stay in sight."""
        self._title = label("", "strong")
        self._title.setWordWrap(True)
        self._preview = label("", "body", selectable=True)
        self._preview.setWordWrap(True)
        self._preview.setAccessibleName("Preview")
        self._values = QVBoxLayout()
        self._values.setSpacing(6)
        inside = QWidget()
        form = QVBoxLayout(inside)
        form.setContentsMargins(0, 0, 12, 0)
        form.setSpacing(8)
        form.addWidget(self._title)
        form.addWidget(self._preview)
        form.addLayout(self._values)
        form.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("The template")
        self._scroll.setWidget(inside)
        OverlayScrollBar(self._scroll)
        self.reason = QLineEdit()
        self.reason.setMaxLength(MAX_REASON_CHARS)
        self.reason.textChanged.connect(lambda _: self._show())
        self._reason_label = field_label("Reason, kept with the message", self.reason)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self._scroll, 1)
        for widget in (self._reason_label, self.reason):
            column.addWidget(widget)
            widget.hide()
        return column

    def _on_send(self) -> None:
        self.send_requested.emit(self.choice.text(), self.reason.text().strip())

    def _on_words(self, words: str) -> None:
        self.choice.words = words
        self._fill_list()

    def _fill_list(self) -> None:
        kept = self.choice.chosen
        self.list.blockSignals(True)
        self.list.clear()
        for template in self.choice.shown():
            item = _item(template)
            self.list.addItem(item)
            if template == kept:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None and self.list.count():
            self.list.setCurrentRow(0)
        self.list.blockSignals(False)
        self._empty.setText(_NO_MATCH if self.choice.templates else _EMPTY)
        self._empty.setVisible(not self.list.count())
        self._on_chosen(self.list.currentItem())

    def _on_chosen(self, item: QListWidgetItem | None, _before: object = None) -> None:
        template = None if item is None else item.data(_ROLE)
        self.choice.chosen = template if isinstance(template, Template) else None
        self._title.setText(self.choice.chosen.name if self.choice.chosen else "")
        self._build_values()
        self._scroll.verticalScrollBar().setValue(0)
        self._forget_finding()

    def _build_values(self) -> None:
        while (item := self._values.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        before: QWidget = self.list
        for number, value in enumerate(self.choice.values()):
            field = QLineEdit(value)
            field.textChanged.connect(lambda text, at=number: self._on_value(at, text))
            self._values.addWidget(field_label(f"Place {number + 1}", field))
            self._values.addWidget(field)
            QWidget.setTabOrder(before, field)
            before = field

    def _on_value(self, number: int, text: str) -> None:
        self.choice.values()[number] = text
        self._forget_finding()

    def _forget_finding(self) -> None:
        self.show_error("")
        self.use.setText(_SEND)
        for widget in (self._reason_label, self.reason):
            widget.hide()
        self._show()

    def _show(self) -> None:
        words = self.choice.preview()
        self._preview.setFont(ui_font(BODY_PX, REGULAR, words))
        self._preview.setText(words)
        problem = self.choice.problem() if self.choice.shown() else ""
        given = Answers(justification=self.reason.text())
        if self.reason.isVisibleTo(self) and not given.has_reason:
            problem = "Give a reason in a few words."
        self.use.setEnabled(bool(self.choice.text()) and not problem)
        self.use.setToolTip(problem)
        self.use.setAccessibleDescription(problem)
        self._why.setText(problem)


def _item(template: Template) -> QListWidgetItem:
    item = QListWidgetItem(f"{template.name} · {template.language}")
    item.setData(_ROLE, template)
    item.setData(NAME_ROLE, template.name)
    item.setData(END_ROLE, template.language)
    item.setToolTip(plain_tip(f"{template.name}\n{template.body}"))
    return item
