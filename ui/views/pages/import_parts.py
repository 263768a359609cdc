"""The parts of the import page that every step shares: the steps' strip, work, figures, buttons.

They never know which file is imported.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.models.import_state import Figure, ImportState, Step, Work
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label, pane

_BAR_PX = 4


def card() -> QFrame:
    """Return an empty card."""
    result = QFrame()
    result.setProperty("card", True)
    return result


def wrapped(text: str, look: str = "body") -> QLabel:
    """Return a label whose words take as many lines as they need."""
    result = label(text, look)
    result.setWordWrap(True)
    return result


class FittingScroll(QScrollArea):
    """As high as what it holds, and scrolling only where the page is lower than that."""

    def __init__(self, name: str, inside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ground = pane("background")
        column = QVBoxLayout(self._ground)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(inside)
        column.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(name)
        self.setWidget(self._ground)
        OverlayScrollBar(self)

    def sizeHint(self) -> QSize:
        hint = self._ground.sizeHint()
        height_px = self._ground.heightForWidth(self.viewport().width())
        return QSize(hint.width(), max(height_px, 0) or hint.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._ground and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


class StepStrip(QWidget):
    """ "✓ File   2 People   3 Preview   4 Archive": done, now, to come."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._step = Step.FILE
        self._done = False
        self._labels = {step: label("", "strong") for step in Step}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(26)
        for one in self._labels.values():
            row.addWidget(one)
        row.addStretch(1)
        self.show_step(Step.FILE, done=False)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.show_step(self._step, done=self._done)

    def show_step(self, step: Step, *, done: bool) -> None:
        """Mark the step one is at; `done` tells that it is over, too."""
        self._step, self._done = step, done
        tokens = self._tokens
        for each, one in self._labels.items():
            over = each < step or (each is step and done)
            color = tokens.ok if over else tokens.accent if each is step else tokens.ink3
            state = "done" if over else "now" if each is step else "to come"
            one.setText(f"✓ {each.title}" if over else f"{each.value} {each.title}")
            one.setStyleSheet(f"color: {color};")
            one.setAccessibleName(f"Step {each.value}, {each.title}, {state}")
        self.setAccessibleName(f"Step {step.value} of {len(Step)}: {step.title}")

    def texts(self) -> list[str]:
        """Return the words shown."""
        return [one.text() for one in self._labels.values()]


class WorkStrip(QFrame):
    """What is being done, how far it is, and Stop; hidden while nothing is."""

    stop_requested = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.setAccessibleName("What is being done")
        self._words = wrapped("")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR_PX)
        self.bar.setAccessibleName("How far it is")
        self.stop = button("Stop", "secondary", "Stop the import")
        self.stop.clicked.connect(self.stop_requested)
        row = QHBoxLayout()
        row.addWidget(self._words, 1)
        row.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 20, 14)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.bar)
        self.set_tokens(tokens)
        self.show_work(None)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self.bar.setStyleSheet(
            f"QProgressBar {{ border: none; border-radius: 2px; background: {tokens.line}; }}"
            f"QProgressBar::chunk {{ border-radius: 2px; background: {tokens.accent}; }}"
        )

    def show_work(self, work: Work | None) -> None:
        """Show what is being done; None hides the strip."""
        self.setVisible(work is not None)
        if work is None:
            return
        self._words.setText(work.words)
        # An unknown end keeps the bar empty: a bar that runs to and fro would cost a core.
        self.bar.setRange(0, 100)
        self.bar.setValue(work.percent or 0)
        self.bar.setVisible(work.percent is not None)
        self.stop.setVisible(work.can_stop)

    def text(self) -> str:
        """Return the words shown."""
        return self._words.text()


class ImportFoot(QFrame):
    """The figures so far, why one can't go on, Back and the button that goes on."""

    back_requested = Signal()
    go_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self._figures = QHBoxLayout()
        self._figures.setSpacing(24)
        self._shown: tuple[Figure, ...] | None = None
        self._why = wrapped("", "secondary")
        self.back = button("Back", "secondary")
        self.go = button("Preview", "primary")
        self.back.clicked.connect(self.back_requested)
        self.go.clicked.connect(self.go_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 14, 18, 14)
        row.setSpacing(24)
        row.addLayout(self._figures)
        row.addWidget(self._why, 1)
        row.addWidget(self.back)
        row.addWidget(self.go)

    def show_state(self, state: ImportState) -> None:
        """Show the figures, and what the buttons do."""
        self._show_figures(state.figures)
        self._why.setText(state.hindrance)
        self.back.setText(state.back)
        self.back.setAccessibleName(state.back or "Back")
        self.back.setVisible(bool(state.back))
        self.go.setText(state.go)
        self.go.setAccessibleName(state.go or "Go on")
        self.go.setVisible(bool(state.go))
        self.go.setEnabled(not state.hindrance and state.work is None)
        self.go.setAccessibleDescription(state.hindrance)

    def _show_figures(self, figures: Sequence[Figure]) -> None:
        if tuple(figures) == self._shown:
            return
        self._shown = tuple(figures)
        while (item := self._figures.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for figure in figures:
            self._figures.addWidget(_figure_view(figure))


def _figure_view(figure: Figure) -> QWidget:
    view = QWidget()
    view.setAccessibleName(f"{figure.number} {figure.words}")
    number = label(figure.number, "title")
    number.setStyleSheet("font-size: 24px;")
    column = QVBoxLayout(view)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(number)
    column.addWidget(label(figure.words, "secondary"))
    return view
