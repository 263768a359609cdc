"""The picker of approved templates: a list narrowed by words, fields for its places, a preview.

It never sends and never decides: who opened it does, and tells what stands in the way.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from contract.supervision import Template
from ui.models.finding_answers import Answers
from ui.models.template_choice import TemplateChoice
from ui.theme.widgets import label
from ui.views.dialogs.plain_dialog import PlainDialog, field_label

WIDTH_PX = 560
_LIST_HEIGHT_PX = 180
_ROLE = Qt.ItemDataRole.UserRole
_SEND = "Send template"
_EMPTY = "Your firm has no approved template for this channel. Ask your administrator."


class TemplateDialog(PlainDialog):
    """`send_requested` carries the filled text and the reason; `choice` holds what was chosen."""

    send_requested = Signal(str, str)

    def __init__(
        self, choice: TemplateChoice, channel: str, note: str, parent: QWidget | None = None
    ) -> None:
        """`note` says in a sentence why a template is needed, or that the list may be old."""
        super().__init__("Choose a template", note, parent)
        self.choice = choice
        self.setMinimumWidth(WIDTH_PX)
        self._find = QLineEdit()
        self._find.setPlaceholderText(f"Find a {channel} template")
        self._find.setAccessibleName("Find a template")
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._on_words)
        self.list = QListWidget()
        self.list.setAccessibleName("Templates")
        self.list.setFixedHeight(_LIST_HEIGHT_PX)
        self.list.currentItemChanged.connect(self._on_chosen)
        self._values = QVBoxLayout()
        self._values.setSpacing(6)
        self._preview = label("", "body", selectable=True)
        self._preview.setWordWrap(True)
        self._preview.setAccessibleName("Preview")
        self.fields.addWidget(self._find)
        self.fields.addWidget(self.list)
        self.fields.addLayout(self._values)
        self.fields.addWidget(label("Preview", "secondary"))
        self.fields.addWidget(self._preview)
        self.reason = QLineEdit()
        self.reason.textChanged.connect(lambda _: self._show())
        self._reason_label = field_label("Reason, kept with the message", self.reason)
        for widget in (self._reason_label, self.reason):
            widget.hide()
            self.fields.addWidget(widget)
        self.add_button("Cancel", "secondary", accepts=False)
        self.use = self.add_button(_SEND, "primary", accepts=True)
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
            item = QListWidgetItem(f"{template.name} · {template.language}")
            item.setData(_ROLE, template)
            item.setToolTip(template.body.replace("<", "&lt;"))
            self.list.addItem(item)
            if template == kept:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        if self.list.currentItem() is None and self.list.count():
            self.list.setCurrentRow(0)
        self._on_chosen(self.list.currentItem())

    def _on_chosen(self, item: QListWidgetItem | None, _before: object = None) -> None:
        template = None if item is None else item.data(_ROLE)
        self.choice.chosen = template if isinstance(template, Template) else None
        self._build_values()
        self._forget_finding()

    def _build_values(self) -> None:
        while (item := self._values.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for number, value in enumerate(self.choice.values()):
            field = QLineEdit(value)
            field.textChanged.connect(lambda text, at=number: self._on_value(at, text))
            self._values.addWidget(field_label(f"Place {number + 1}", field))
            self._values.addWidget(field)

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
        nothing = not self.choice.templates
        self._preview.setText(_EMPTY if nothing else self.choice.preview())
        problem = "" if nothing else self.choice.problem()
        given = Answers(justification=self.reason.text())
        if self.reason.isVisibleTo(self) and not given.has_reason:
            problem = "Give a reason in a few words."
        self.use.setEnabled(bool(self.choice.text()) and not problem)
        self.use.setToolTip(problem)
        self.use.setAccessibleDescription(problem)
