"""The people page: the book of contacts, narrowed while typing, each opening its conversation.

It never reads the store.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from ui.delegates.people_delegate import ROW_HEIGHT_PX, PeopleDelegate
from ui.models.people_model import PeopleModel
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label
from ui.views.pages.page_frame import PageFrame
from ui.views.uniform_list import UniformList


class PeoplePage(PageFrame):
    """Enter, a double click or the button opens the conversation."""

    contact_chosen = Signal(object)
    several_requested = Signal()
    import_requested = Signal()

    def __init__(self, model: PeopleModel, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__("People", "Your clients as your firm's book holds them", parent)
        self._model = model
        self._delegate = PeopleDelegate(tokens, self)
        self.field = QLineEdit()
        self.field.setAccessibleName("Find a person")
        self.field.setPlaceholderText("Find a person, organisation or city")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(model.set_filter)
        self.list = UniformList(ROW_HEIGHT_PX)
        self.list.setAccessibleName("People")
        self.list.setModel(model)
        self.list.setItemDelegate(self._delegate)
        OverlayScrollBar(self.list)
        self.list.activated.connect(self._on_activated)
        self._open = button("Open conversation", "primary")
        self._open.setEnabled(False)
        self._open.clicked.connect(lambda: self._on_activated(self.list.currentIndex()))
        self._notice = label("", "secondary")
        self._notice.hide()
        selection = self.list.selectionModel()
        selection.currentChanged.connect(lambda now, _: self._open.setEnabled(now.isValid()))
        card = QFrame()
        card.setProperty("card", True)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(1, 8, 1, 8)
        inner.addWidget(self.list)
        several = button("Write to several…", "secondary")
        several.clicked.connect(self.several_requested)
        phone = button("Import from a phone…", "secondary")
        phone.clicked.connect(self.import_requested)
        self.buttons.addWidget(phone)
        self.buttons.addWidget(several)
        self.buttons.addWidget(self._open)
        self.body.addWidget(self.field)
        self.body.addWidget(self._notice)
        self.body.addWidget(card, 1)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._delegate.set_tokens(tokens)
        self.list.viewport().update()

    def show_notice(self, words: str) -> None:
        """Say a sentence above the list; "" says none."""
        self._notice.setText(words)
        self._notice.setVisible(bool(words))

    def focus_field(self) -> None:
        """Put the keyboard into the search field."""
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_activated(self, index: QModelIndex) -> None:
        contact = self._model.contact_at(index.row())
        if contact is not None:
            self.show_notice("")
            self.contact_chosen.emit(contact)
