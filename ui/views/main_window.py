"""Puts the window together: rail, pages, conversation, details, status line, palette.

It holds no behaviour of its own beyond showing, hiding and passing a look on.

The inbox and its conversation come first; the other pages, the palette and the find bar are not
even imported before `complete`, so that the first painted frame does not wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ui.models.composer_presenter import ComposerPresenter
from ui.models.conversation_facts import ConversationFacts
from ui.models.inbox_presenter import InboxPresenter
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.tokens import LIST_WIDTH_PX, Tokens
from ui.theme.widgets import label, pane
from ui.views.banners import BannerStack
from ui.views.composer import Composer
from ui.views.conversation_header import ConversationHeader
from ui.views.details import DetailsPanel
from ui.views.inbox_view import InboxView
from ui.views.rail import Page, Rail
from ui.views.status_bar import StatusBar
from ui.views.timeline_view import TimelineView

if TYPE_CHECKING:
    from ui.models.people_model import PeopleModel
    from ui.models.search_presenter import SearchPresenter
    from ui.views.file_drop import FileDrop
    from ui.views.find_bar import FindBar
    from ui.views.pages.approvals import ApprovalsPage
    from ui.views.pages.diagnostics import DiagnosticsPage
    from ui.views.pages.import_page import ImportPage
    from ui.views.pages.people import PeoplePage
    from ui.views.pages.settings import SettingsPage
    from ui.views.pages.triage import TriagePage
    from ui.views.palette import Palette

DETAILS_FROM_WIDTH_PX = 1200
SMALLEST_PX = (900, 600)
# What is built after the first frame and takes another look, too.
_LATER = (
    "people",
    "approvals",
    "triage",
    "diagnostics",
    "settings",
    "find_bar",
    "palette_view",
    "file_drop",
    "imports",
)


@dataclass(frozen=True, slots=True)
class WindowParts:
    """What the panes are fed by; without `search` and `people` the window is completed later."""

    inbox: InboxPresenter
    timeline: TimelinePresenter
    composer: ComposerPresenter
    search: SearchPresenter | None
    people: PeopleModel | None
    version: str


class MainWindow(QMainWindow):
    """The panes are public: the workspace connects their signals.

    `people`, `approvals`, `triage`, `diagnostics`, `settings`, `find_bar`, `palette_view` and
    `file_drop` are there once the window is complete, `imports` once it was first asked for.
    """

    people: PeoplePage
    approvals: ApprovalsPage
    triage: TriagePage
    diagnostics: DiagnosticsPage
    settings: SettingsPage
    find_bar: FindBar
    palette_view: Palette
    file_drop: FileDrop
    imports: ImportPage

    closing = Signal()
    activated = Signal()

    def __init__(self, parts: WindowParts, tokens: Tokens) -> None:
        super().__init__()
        self.setWindowTitle("Parley")
        self.setMinimumSize(*SMALLEST_PX)
        self._tokens = tokens
        self._version = parts.version
        self._details_wanted = True
        self.rail = Rail(tokens)
        self.banners = BannerStack(tokens)
        self.inbox = InboxView(parts.inbox, tokens)
        self.header = ConversationHeader(tokens)
        self.timeline = TimelineView(parts.timeline, tokens)
        self.composer = Composer(parts.composer, tokens)
        self.details = DetailsPanel(tokens)
        self.status_line = StatusBar(tokens)
        self._build()
        self.rail.page_chosen.connect(lambda page: self.show_page(Page(page)))
        self.header.details_toggled.connect(self._on_details_toggled)
        self.show_conversation(None)
        if parts.search is not None and parts.people is not None:
            for _ in self.complete(parts.search, parts.people):
                pass

    def complete(self, search: SearchPresenter, people: PeopleModel) -> Iterator[None]:
        """Build what the first frame does without, a few milliseconds' work at each step."""
        from ui.views.file_drop import FileDrop
        from ui.views.find_bar import FindBar
        from ui.views.pages.approvals import ApprovalsPage
        from ui.views.pages.diagnostics import DiagnosticsPage
        from ui.views.pages.people import PeoplePage
        from ui.views.pages.settings import SettingsPage
        from ui.views.pages.triage import TriagePage
        from ui.views.palette import Palette

        self.find_bar = FindBar(self._tokens)
        self._talk.insertWidget(1, self.find_bar)
        self.palette_view = Palette(search, self._tokens, self._ground)
        self.file_drop = FileDrop(self, self._tokens)
        yield
        self.people = PeoplePage(people, self._tokens)
        self._pages.addWidget(self.people)
        yield
        self.approvals = ApprovalsPage(self._tokens)
        self._pages.addWidget(self.approvals)
        yield
        self.triage = TriagePage(self._tokens)
        self._pages.addWidget(self.triage)
        yield
        self.diagnostics = DiagnosticsPage(self._version, self._tokens)
        self._pages.addWidget(self.diagnostics)
        yield
        self.settings = SettingsPage(self._tokens)
        self._pages.addWidget(self.settings)

    def take_import(self, page: ImportPage) -> None:
        """Take in the import page, behind all others."""
        self.imports = page
        self._pages.addWidget(page)

    def set_tokens(self, tokens: Tokens) -> None:
        """Pass another look to every pane."""
        self._tokens = tokens
        self.rail.set_tokens(tokens)
        self.banners.set_tokens(tokens)
        self.inbox.set_tokens(tokens)
        self.header.set_tokens(tokens)
        self.timeline.set_tokens(tokens)
        self.composer.set_tokens(tokens)
        self.details.set_tokens(tokens)
        self.status_line.set_tokens(tokens)
        for later in _LATER:
            if later in self.__dict__:
                getattr(self, later).set_tokens(tokens)

    def show_page(self, page: Page) -> None:
        """Bring a page to the front and mark it in the rail, the inbox while there is no other."""
        wanted = list(Page).index(page)
        number = wanted if wanted < self._pages.count() else 0
        self._pages.setCurrentIndex(number)
        self.rail.show_page(list(Page)[number])

    def page(self) -> Page:
        """Return the page in front."""
        return list(Page)[self._pages.currentIndex()]

    def show_conversation(self, facts: ConversationFacts | None) -> None:
        """Show the conversation's panes, or the hint to choose one."""
        self._middle.setCurrentIndex(1 if facts is not None else 0)
        if facts is not None:
            self.header.show_facts(facts)
            self.timeline.newest.show_unread(facts.conversation.unread_count)
        self._arrange()

    def cover(self, page: QWidget | None) -> None:
        """Show one page in the place of everything, with None everything again."""
        before = self.takeCentralWidget()
        self._ground.setParent(self)  # it goes with the window, shown or not
        self.setCentralWidget(self._ground if page is None else page)
        self._ground.setVisible(page is None)
        if page is not None:
            page.show()  # Qt alone would show it in the loop's next turn: empty until then
        if before is not None and before is not self._ground:
            before.deleteLater()

    def splitter_state(self) -> bytes:
        """Return the splitter's places, to be kept."""
        return bytes(self._splitter.saveState().data())

    def restore_splitter(self, state: bytes) -> None:
        """Put the splitter where it was."""
        self._splitter.restoreState(state)

    def _build(self) -> None:
        self._ground = pane("background")
        row = QHBoxLayout(self._ground)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._inbox_page())
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        # Above every page: what they say (a draft not saved, offline) holds wherever one is.
        column.addWidget(self.banners)
        column.addWidget(self._pages, 1)
        column.addWidget(self.status_line)
        row.addLayout(column, 1)
        self.setCentralWidget(self._ground)

    def _inbox_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self.inbox.setMinimumWidth(260)
        self._splitter.addWidget(self.inbox)
        self._splitter.addWidget(self._conversation())
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([LIST_WIDTH_PX, 10_000])
        line = QHBoxLayout()
        line.setSpacing(0)
        line.addWidget(self._splitter, 1)
        line.addWidget(self.details)
        column.addLayout(line, 1)
        return page

    def _conversation(self) -> QWidget:
        self._middle = QStackedWidget()
        self._middle.setMinimumWidth(400)
        empty = QWidget()
        hint = QVBoxLayout(empty)
        words = label("Choose a conversation", "secondary")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.addWidget(words)
        talk = QWidget()
        self._talk = column = QVBoxLayout(talk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.timeline, 1)
        column.addWidget(self.composer)
        self._middle.addWidget(empty)
        self._middle.addWidget(talk)
        return self._middle

    def _arrange(self) -> None:
        fits = self.width() >= DETAILS_FROM_WIDTH_PX
        self.details.setVisible(fits and self._details_wanted and self._middle.currentIndex() == 1)

    def _on_details_toggled(self) -> None:
        self._details_wanted = not self._details_wanted
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.activated.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        # The workspace settles drafts and store first and then ends the program.
        event.ignore()
        self.closing.emit()
