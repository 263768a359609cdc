"""Lists the rules' findings above the composer's text, a few at a time.

It never changes the text: it says which way the user chose.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ui.models.findings import Verdict
from ui.models.policy_words import FALLBACK_LANGUAGE, Say, say
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import button
from ui.views.finding_row import FindingRowView
from ui.views.tab_order import join_tab_order

# The list grows to this many rows, then it scrolls.
ROWS_AT_ONCE = 3
# In a low window it gives way to the text and the conversation.
_MOST_OF_WINDOW = 0.35


class FindingsPanel(QWidget):
    """Rows most severe first; hidden while there is none."""

    fix_chosen = Signal(object, object)
    offer_chosen = Signal(object, object)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._rows: dict[str, FindingRowView] = {}
        self._language = FALLBACK_LANGUAGE
        self._build()
        self.setAccessibleName("What to mend")
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        for view in self._rows.values():
            view.set_tokens(tokens)

    def show_verdict(self, verdict: Verdict) -> None:
        """Show the rows of a decision; a finding that stays keeps its widget and the focus."""
        self._language = verdict.language
        wanted = [row.key for row in verdict.rows]
        changed = wanted != list(self._rows)
        for key in set(self._rows) - set(wanted):
            self._drop(self._rows.pop(key))
        views = {}
        for place, row in enumerate(verdict.rows):
            view = self._rows.get(row.key) or self._new_row()
            views[row.key] = view
            if changed:
                self._column.insertWidget(place, view)
            view.show_row(row, verdict.language, top=place == 0)
            view.show()
        self._rows = views
        if changed:
            self.setVisible(bool(views))
            join_tab_order(self)
        self._fit()

    def words(self) -> tuple[str, ...]:
        """Return the headlines, most severe first."""
        return tuple(view.headline for view in self._rows.values())

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self._list = QWidget()
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setAccessibleName("What to mend, list")
        self._scroll.setWidget(self._list)
        self._scroll.verticalScrollBar().valueChanged.connect(self._count_rest)
        OverlayScrollBar(self._scroll)
        self._more = button("", "link")
        self._more.clicked.connect(self._on_more)
        self._more.hide()
        outer.addWidget(self._scroll)
        outer.addWidget(self._more, 0, Qt.AlignmentFlag.AlignHCenter)
        # Heights are known only once the rows were laid out for their width.
        self._fit_timer = QTimer(self)
        self._fit_timer.setSingleShot(True)
        self._fit_timer.timeout.connect(self._fit)

    def _new_row(self) -> FindingRowView:
        view = FindingRowView(self._tokens, self._list)
        view.fix_chosen.connect(self.fix_chosen)
        view.offer_chosen.connect(self.offer_chosen)
        view.resized.connect(lambda: self._fit_timer.start(0))
        return view

    def _drop(self, view: FindingRowView) -> None:
        self._column.removeWidget(view)
        view.hide()
        view.deleteLater()

    def _fit(self) -> None:
        """Take the height of the first rows; the rest is scrolled to."""
        width = self.width()
        heights = [_height(view, width) for view in self._rows.values()]
        least_px = heights[0] if heights else 0
        most_px = max(least_px, round(self.window().height() * _MOST_OF_WINDOW))
        self._scroll.setFixedHeight(min(sum(heights[:ROWS_AT_ONCE]), most_px))
        self._list.setMinimumHeight(sum(heights))
        self._count_rest()

    def _count_rest(self) -> None:
        """Say how many findings stand below what is seen."""
        bar = self._scroll.verticalScrollBar()
        seen_px = bar.value() + self._scroll.height()
        top_px, below = 0, 0
        for view in self._rows.values():
            top_px += _height(view, self.width())
            below += top_px > seen_px + 2
        self._more.setText(say(Say.MORE, self._language, count=below))
        self._more.setAccessibleName(self._more.text())
        self._more.setVisible(below > 0)

    def _on_more(self) -> None:
        bar = self._scroll.verticalScrollBar()
        bar.setValue(bar.value() + self._scroll.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.window().installEventFilter(self)  # once, however often it is asked for
        self._fit_timer.start(0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.window():
            self._fit_timer.start(0)
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit_timer.start(0)


def _height(view: FindingRowView, width_px: int) -> int:
    wanted = view.heightForWidth(width_px) if view.hasHeightForWidth() else -1
    return wanted if wanted > 0 else view.sizeHint().height()
