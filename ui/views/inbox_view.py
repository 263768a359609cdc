"""The inbox pane: title, channel filter, search button, filter chips and the list.

It never reads the store: its presenter does.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.domain.inbox import MOST_EXPIRING, InboxCounts, InboxFilter
from contract.ids import ConversationId
from contract.wire import Channel
from ui.delegates.inbox_delegate import InboxDelegate
from ui.models.inbox_model import InboxRole
from ui.models.inbox_presenter import InboxPresenter
from ui.theme.channels import channel_name
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label
from ui.views.inbox_list import InboxList

_FILTER_NAMES = {
    InboxFilter.ALL: "All",
    InboxFilter.UNREAD: "Unread",
    InboxFilter.AWAITING: "Awaiting me",
    InboxFilter.EXPIRING: "Expiring",
}
# Filters with a number, in the order in which it gives way where the pane is narrow.
_NUMBERS = (InboxFilter.AWAITING, InboxFilter.UNREAD, InboxFilter.EXPIRING)
_SIDE_PX, _CHIP_GAP_PX = 16, 6
_EMPTY = {
    InboxFilter.ALL: ("No conversations yet", "They appear here as soon as a client writes."),
    InboxFilter.UNREAD: ("Nothing unread", "You have read every message."),
    InboxFilter.AWAITING: ("No one is waiting", "Every client has your answer."),
    InboxFilter.EXPIRING: (
        "Nothing expires soon",
        "No reply window closes within the next six hours.",
    ),
}


class InboxView(QWidget):
    """The pane; emits which conversation the user wants and that search is wanted."""

    conversation_selected = Signal(str)
    conversation_activated = Signal(str)
    search_requested = Signal()

    def __init__(
        self, presenter: InboxPresenter, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._presenter = presenter
        self._selecting = False
        self._wanted: ConversationId | None = None
        self.setObjectName("inbox")
        self.setAccessibleName("Inbox")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("pane", "panel")
        self._delegate = InboxDelegate(tokens, self)
        self._chips: dict[InboxFilter, QPushButton] = {}
        self._build()
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.clicked.connect(self._on_clicked)
        self.list.doubleClicked.connect(self._on_double_clicked)
        self.list.entered_by_key.connect(self.conversation_activated)
        presenter.counts_changed.connect(self._on_counts_changed)
        presenter.loaded.connect(self._on_loaded)
        presenter.query_changed.connect(self._on_query_changed)

    def select_conversation(self, conversation_id: ConversationId) -> None:
        """Mark a conversation as the open one without emitting anything.

        When it is not in the list yet, it is marked as soon as it comes.
        """
        self._wanted = conversation_id
        self._presenter.keep(conversation_id)
        self._select_wanted()

    def selected_conversation(self) -> ConversationId | None:
        """Return the marked conversation, None without one."""
        index = self.list.currentIndex()
        return ConversationId(index.data(InboxRole.CONVERSATION_ID)) if index.isValid() else None

    def focus_list(self) -> None:
        """Bring the keyboard to the list."""
        self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._delegate.set_tokens(tokens)
        self.list.viewport().update()

    def step(self, rows: int) -> None:
        """Select the conversation `rows` below (negative: above) and say so."""
        model = self._presenter.model
        if model.rowCount():
            number = min(max(self.list.currentIndex().row() + rows, 0), model.rowCount() - 1)
            self.list.setCurrentIndex(model.index(number))

    # -- parts ---------------------------------------------------------------------------------

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(label("Inbox", "title"))
        head.addStretch(1)
        head.addWidget(self._channel_button())
        column = QVBoxLayout()
        column.setContentsMargins(_SIDE_PX, 14, _SIDE_PX, 10)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._search_button())
        column.addLayout(self._chip_row())
        self.list = InboxList()
        # Connected before the list is: a row that goes makes Qt choose another current row,
        # which is not the user's choice.
        self._presenter.model.rowsAboutToBeRemoved.connect(self._on_rows_going)
        self._presenter.model.rowsRemoved.connect(self._on_rows_gone)
        self.list.follow(self._presenter.model)
        self.list.setItemDelegate(self._delegate)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(column)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty_page())
        whole.addLayout(self._stack, 1)

    def _channel_button(self) -> QPushButton:
        self._channels = button("All channels ▾", "accent-chip", "Channel filter: all channels")
        self._channels.setObjectName("inbox-channel-filter")
        menu = QMenu(self._channels)
        group = QActionGroup(menu)
        for channel in (None, *Channel):
            action = QAction(channel_name(channel) if channel else "All channels", menu)
            action.setCheckable(True)
            action.setChecked(channel is None)
            action.setData(channel)
            group.addAction(action)
            menu.addAction(action)
        group.triggered.connect(lambda action: self._presenter.set_channel(action.data()))
        self._channels.setMenu(menu)
        return self._channels

    def _search_button(self) -> QPushButton:
        search = button("Search people and messages", "search", "Search people and messages")
        search.setObjectName("inbox-search")
        search.setAccessibleDescription("Opens the search. Shortcut Ctrl K")
        search.clicked.connect(self.search_requested)
        cap = label("Ctrl K", "keycap")
        cap.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        cap.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inner = QHBoxLayout(search)
        inner.setContentsMargins(8, 0, 12, 0)
        inner.addStretch(1)
        inner.addWidget(cap)
        return search

    def _chip_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(_CHIP_GAP_PX)
        group = QButtonGroup(self)
        for wanted, name in _FILTER_NAMES.items():
            chip = button(name, "chip")
            chip.setObjectName(f"inbox-filter-{wanted}")
            chip.setAccessibleName(name)
            chip.setCheckable(True)
            chip.setChecked(wanted is self._presenter.query.filter)
            chip.clicked.connect(
                lambda _checked=False, wanted=wanted: self._presenter.set_filter(wanted)
            )
            group.addButton(chip)
            self._chips[wanted] = chip
            row.addWidget(chip)
        row.addStretch(1)
        return row

    def _empty_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(32, 48, 32, 16)
        self._empty_title = label("", "name")
        self._empty_words = label("", "secondary")
        for words in (self._empty_title, self._empty_words):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setWordWrap(True)
            column.addWidget(words)
        column.addStretch(1)
        return page

    # -- what happens --------------------------------------------------------------------------

    def _on_counts_changed(self, counts: InboxCounts) -> None:
        numbers = {
            InboxFilter.UNREAD: counts.unread,
            InboxFilter.AWAITING: counts.awaiting,
            InboxFilter.EXPIRING: counts.expiring,
        }
        for wanted, number in numbers.items():
            said = str(number) if number < MOST_EXPIRING else f"{MOST_EXPIRING - 1}+"
            text = f"{_FILTER_NAMES[wanted]} {said}" if number else _FILTER_NAMES[wanted]
            self._chips[wanted].setAccessibleName(text)
        self._fit_chips()

    def _fit_chips(self) -> None:
        """Show each filter's number as far as all names are in sight; what hides is still said."""
        room_px = self.width() - 2 * _SIDE_PX - (len(self._chips) - 1) * _CHIP_GAP_PX
        for wanted in _NUMBERS:
            self._chips[wanted].setText(self._chips[wanted].accessibleName())
        for wanted in _NUMBERS:
            if sum(chip.sizeHint().width() for chip in self._chips.values()) <= room_px:
                return
            self._chips[wanted].setText(_FILTER_NAMES[wanted])

    def _on_query_changed(self) -> None:
        query = self._presenter.query
        self._chips[query.filter].setChecked(True)
        name = channel_name(query.channel) if query.channel else "All channels"
        self._channels.setText(f"{name} ▾")
        self._channels.setAccessibleName(f"Channel filter: {name}")

    def _on_loaded(self) -> None:
        query = self._presenter.query
        title, words = _EMPTY[query.filter]
        if query.channel is not None:
            words = f"Only {channel_name(query.channel)} is shown."
        self._empty_title.setText(title)
        self._empty_words.setText(words)
        self._stack.setCurrentIndex(0 if self._presenter.model.rowCount() else 1)
        self._select_wanted()

    def _on_rows_going(self) -> None:
        self._selecting = True

    def _on_rows_gone(self) -> None:
        self._selecting = False

    def _select_wanted(self) -> None:
        if self._wanted is None or self._wanted == self.selected_conversation():
            return
        number = self._presenter.model.number_of(self._wanted)
        self._selecting = True
        try:
            index = self._presenter.model.index(number) if number >= 0 else QModelIndex()
            self.list.setCurrentIndex(index)
        finally:
            self._selecting = False

    def _on_current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if self._selecting or not current.isValid():
            return
        chosen = ConversationId(current.data(InboxRole.CONVERSATION_ID))
        if chosen != self._wanted:
            self._wanted = chosen
            self._presenter.keep(chosen)
            self.conversation_selected.emit(chosen)

    def _on_clicked(self, index: QModelIndex) -> None:
        self._on_current_changed(index, index)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.conversation_activated.emit(str(index.data(InboxRole.CONVERSATION_ID)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_chips()
