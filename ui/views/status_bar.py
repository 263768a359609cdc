"""The line at the foot of the window: connection, outbox (a button to its queue), policy, archive.

It never decides what is true; it shows words it is handed.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.models.status_words import StatusWords
from ui.theme.tokens import STATUS_HEIGHT_PX, Tokens, qcolor
from ui.theme.widgets import button, label


class StatusDot(QWidget):
    """The coloured dot before the connection's words, which say the same."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = "#000000"
        self.setFixedSize(8, 8)
        self.setAccessibleName("Connection")

    def set_color(self, color: str) -> None:
        """Show another colour (`#RRGGBB`)."""
        if color != self._color:
            self._color = color
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(qcolor(self._color))
        painter.drawEllipse(QRectF(0.5, 0.5, 7, 7))
        painter.end()


class StatusBar(QWidget):
    """26 pixels high; the outbox's words open the queue, the button at the end diagnostics."""

    diagnostics_requested = Signal()
    outbox_requested = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._tone = "warn"
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("pane", "panel")
        self.setObjectName("statusBar")
        self.setFixedHeight(STATUS_HEIGHT_PX)
        self.setAccessibleName("Status")
        self._dot = StatusDot()
        self._link = label("", "secondary")
        self._outbox = button("", "quiet", "Outbox")
        self._outbox.setObjectName("statusOutbox")
        self._outbox.setToolTip("Show what waits (Ctrl+Shift+O)")
        self._outbox.clicked.connect(self.outbox_requested)
        self._policy = label("", "secondary")
        self._archive = label("", "secondary")
        diagnostics = button("Diagnostics F12", "quiet", "Open diagnostics")
        diagnostics.setObjectName("statusDiagnostics")
        diagnostics.clicked.connect(self.diagnostics_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self._link)
        for part in (self._outbox, self._policy, self._archive):
            row.addSpacing(12)
            row.addWidget(part)
        row.addStretch(1)
        row.addWidget(diagnostics)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self._dot.set_color(tokens.ok if self._tone == "ok" else tokens.warn)
        self.setStyleSheet(
            f"QWidget#statusBar {{ border-top: 1px solid {tokens.line}; }}"
            "QPushButton#statusDiagnostics, QPushButton#statusOutbox"
            " { font-size: 12px; padding: 0 4px; }"
        )

    def show_words(self, words: StatusWords) -> None:
        """Show other words; the dot follows their tone."""
        self._tone = words.tone
        self._dot.set_color(self._tokens.ok if words.tone == "ok" else self._tokens.warn)
        self._link.setText(words.link)
        self._outbox.setText(words.outbox)
        self._outbox.setAccessibleName(f"{words.outbox}, show what waits")
        self._policy.setText(words.policy)
        self._archive.setText(words.archive)
        self._archive.setVisible(bool(words.archive))

    def texts(self) -> tuple[str, ...]:
        """Return the parts shown, from the left."""
        parts = (self._link, self._outbox, self._policy, self._archive)
        return tuple(part.text() for part in parts if part.text())
