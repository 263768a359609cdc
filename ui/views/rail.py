"""The rail at the window's edge: a button for each page that has one, and who is signed in.

It never switches a page itself.
"""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QLabel, QToolButton, QVBoxLayout, QWidget

from ui.theme.icons import icon, icon_pixmap
from ui.theme.painting import count_pill_width, paint_count_pill
from ui.theme.tokens import RAIL_WIDTH_PX, Tokens
from ui.theme.tool_tips import plain_tip
from ui.theme.widgets import Avatar


class Page(StrEnum):
    """The pages that exist."""

    INBOX = "inbox"
    PEOPLE = "people"
    APPROVALS = "approvals"
    TRIAGE = "triage"
    DIAGNOSTICS = "diagnostics"
    SETTINGS = "settings"
    IMPORT = "import"


_ICONS = {
    Page.INBOX: ("inbox", "Inbox", "Ctrl+1"),
    Page.PEOPLE: ("users", "People", "Ctrl+2"),
    Page.APPROVALS: ("shield-check", "Approvals", "Ctrl+5"),
    Page.TRIAGE: ("circle-question-mark", "Unknown senders", "Ctrl+6"),
    Page.DIAGNOSTICS: ("activity", "Diagnostics", "F12"),
    Page.SETTINGS: ("settings", "Settings", "Ctrl+4"),
}
# Pages whose count is of what waits for a decision.
_QUEUES = (Page.APPROVALS, Page.TRIAGE)
# A page without a button of its own belongs to another's.
_BELONGS_TO = {Page.IMPORT: Page.PEOPLE}


class RailButton(QToolButton):
    """An icon with an optional count at its corner."""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__()
        self._page = page
        self._tokens = tokens
        self._count = 0
        self.setProperty("kind", "rail")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(44, 44)
        self.setIconSize(QSize(20, 20))
        self.set_tokens(tokens)
        self.set_count(0)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.setIcon(icon(_ICONS[self._page][0], tokens.rail_ink, 20))

    def set_count(self, count: int) -> None:
        """Show a count; 0 shows none."""
        if count != self._count:
            self._count = count
            self.update()
        _, name, keys = _ICONS[self._page]
        what = "waiting" if self._page in _QUEUES else "unread"
        self.setAccessibleName(f"{name}, {count} {what}" if count else name)
        self.setToolTip(f"{name} ({keys})")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._count:
            width = count_pill_width(self._count)
            painter = QPainter(self)
            rect = QRectF(self.width() - width - 1, 3, width, 17)
            paint_count_pill(painter, rect, self._count, self._tokens.badge, "#FFFFFF")
            painter.end()


class Rail(QWidget):
    """Inbox, people and the queues one decides on above, diagnostics, settings and avatar below."""

    page_chosen = Signal(str)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("pane", "rail")
        self.setFixedWidth(RAIL_WIDTH_PX)
        self.setAccessibleName("Pages")
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons = {page: RailButton(page, tokens) for page in _ICONS}
        self._avatar = Avatar(34, tokens)
        self._avatar.set_person("Not signed in", "", 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 14, 10, 10)
        column.setSpacing(6)
        mark = QLabel()
        mark.setPixmap(icon_pixmap("parley", "#FFFFFF", 34, 2.0))
        mark.setAccessibleName("Parley")
        column.addWidget(mark, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(14)
        for page, one in self._buttons.items():
            if page is Page.DIAGNOSTICS:
                column.addStretch(1)
            self._group.addButton(one)
            one.clicked.connect(lambda _checked=False, page=page: self.page_chosen.emit(page))
            column.addWidget(one, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(4)
        column.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        for queue in _QUEUES:
            self._buttons[queue].hide()
        self.show_page(Page.INBOX)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        for one in self._buttons.values():
            one.set_tokens(tokens)
        self._avatar.set_tokens(tokens)

    def show_page(self, page: Page) -> None:
        """Mark the page on screen."""
        self._buttons[_BELONGS_TO.get(page, page)].setChecked(True)

    def show_unread(self, count: int) -> None:
        """Show how many conversations are unread."""
        self._buttons[Page.INBOX].set_count(count)

    def show_queue(self, page: Page, wanted: bool, count: int) -> None:
        """Offer a queue's page to those who decide about it, with how many wait."""
        self._buttons[page].setVisible(wanted)
        self._buttons[page].set_count(count)

    def show_person(self, name: str, initials: str) -> None:
        """Show who is signed in."""
        self._avatar.set_person(f"Signed in as {name}", initials, 3)
        self._avatar.setToolTip(plain_tip(name))

    def button_of(self, page: Page) -> QToolButton:
        """Return a page's button."""
        return self._buttons[_BELONGS_TO.get(page, page)]
