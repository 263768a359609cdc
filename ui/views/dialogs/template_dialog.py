"""The picker of approved templates: a list narrowed by words, fields for its places, a preview.

It never sends: who opened it reads the text and the template's id.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from contract.supervision import Template
from ui.models.template_choice import TemplateChoice
from ui.theme.widgets import label
from ui.views.dialogs.plain_dialog import PlainDialog, field_label

WIDTH_PX = 560
_LIST_HEIGHT_PX = 180
_ROLE = Qt.ItemDataRole.UserRole
_EMPTY = "Your firm has no approved template for this channel. Ask your administrator."


class TemplateDialog(PlainDialog):
    """Accepted with Use template once every place is filled; `choice` holds what was chosen."""

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
        for widget in (self._find, self.list):
            self.fields.addWidget(widget)
        self.fields.addLayout(self._values)
        self.fields.addWidget(label("Preview", "secondary"))
        self.fields.addWidget(self._preview)
        self.add_button("Cancel", "secondary", accepts=False)
        self.use = self.add_button("Use template", "primary", accepts=True)
        self._fill_list()
        self._find.setFocus()

    def value_fields(self) -> tuple[QLineEdit, ...]:
        """Return the fields of the chosen template's places."""
        items = (self._values.itemAt(number) for number in range(self._values.count()))
        found = (None if item is None else item.widget() for item in items)
        return tuple(widget for widget in found if isinstance(widget, QLineEdit))

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
        self._show()

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
        self._show()

    def _show(self) -> None:
        nothing = not self.choice.templates
        self._preview.setText(_EMPTY if nothing else self.choice.preview())
        problem = "" if nothing else self.choice.problem()
        self.use.setEnabled(bool(self.choice.text()))
        self.use.setToolTip(problem)
        self.use.setAccessibleDescription(problem)
