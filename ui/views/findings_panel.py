"""Shows the rules' findings above the composer's text, each with its ways to mend it.

It never changes the text: it says which way the user chose.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from contract.policy.model import Fix
from ui.models.findings import MAX_ROWS, FindingRow, Verdict
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label
from ui.views.tab_order import focus_by_name, focused_name, join_tab_order

_ICONS = {"block": "octagon-x", "warn": "triangle-alert", "hint": "info"}


class FindingsPanel(QWidget):
    """Rows most severe first; hidden while there is none."""

    fix_chosen = Signal(object, object)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._shown: tuple[FindingRow, ...] = ()
        self._opened: set[str] = set()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.setAccessibleName("What to mend")
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        rows, self._shown = self._shown, ()
        self._build(rows)

    def show_verdict(self, verdict: Verdict) -> None:
        """Show the rows of a decision; equal rows leave the widgets as they are."""
        if verdict.rows != self._shown:
            self._opened &= {row.key for row in verdict.rows}
            self._build(verdict.rows)

    def words(self) -> tuple[str, ...]:
        """Return the headlines on screen, most severe first."""
        return tuple(row.headline for row in self._shown[:MAX_ROWS])

    def _build(self, rows: tuple[FindingRow, ...]) -> None:
        self._shown = rows
        focused = focused_name(self)
        while (item := self._column.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for row in rows[:MAX_ROWS]:
            frame = self._row(row)
            frame.setProperty("top", row is rows[0])
            self._column.addWidget(frame)
            frame.show()
        if len(rows) > MAX_ROWS:
            more = label(f"and {len(rows) - MAX_ROWS} more", "meta")
            more.setContentsMargins(14, 4, 14, 4)
            self._column.addWidget(more)
        self.setVisible(bool(rows))
        join_tab_order(self)
        focus_by_name(self, focused)

    def _row(self, row: FindingRow) -> QFrame:
        frame = QFrame()
        frame.setProperty("finding", row.severity)
        frame.setAccessibleName(f"{row.headline}. {row.detail}")
        line = QHBoxLayout(frame)
        line.setContentsMargins(14, 8, 14, 8)
        line.setSpacing(10)
        mark = QLabel()
        mark.setPixmap(icon_pixmap(_ICONS[row.severity], self._color(row), 16))
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(self._text_of(row), 1)
        for fix in row.fixes:
            line.addWidget(self._fix_button(row, fix), 0, Qt.AlignmentFlag.AlignTop)
        if row.why:
            line.addWidget(self._why_button(row), 0, Qt.AlignmentFlag.AlignTop)
        return frame

    def _text_of(self, row: FindingRow) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(2)
        words = QLabel()
        words.setTextFormat(Qt.TextFormat.RichText)
        words.setText(_rich(row))
        words.setWordWrap(True)
        words.setAccessibleName(f"{row.headline}. {row.detail}")
        column.addWidget(words)
        if row.why and row.key in self._opened:
            why = label(row.why, "secondary")
            why.setWordWrap(True)
            column.addWidget(why)
        return column

    def _fix_button(self, row: FindingRow, fix: Fix) -> QWidget:
        link = button(fix.label, "link", f"{fix.label}: {row.headline}")
        link.clicked.connect(lambda: self.fix_chosen.emit(row, fix))
        return link

    def _why_button(self, row: FindingRow) -> QWidget:
        link = button("Why?", "link", f"Why? {row.headline}")
        link.setCheckable(True)
        link.setChecked(row.key in self._opened)
        link.setAccessibleDescription(row.why)
        link.clicked.connect(lambda: self._on_why_clicked(row))
        return link

    def _on_why_clicked(self, row: FindingRow) -> None:
        self._opened ^= {row.key}
        self._build(self._shown)

    def _color(self, row: FindingRow) -> str:
        tokens = self._tokens
        return {"block": tokens.block, "warn": tokens.warn}.get(row.severity, tokens.accent)


def _rich(row: FindingRow) -> str:
    headline, detail = _escaped(row.headline), _escaped(row.detail)
    # Inter's heavy face is drawn at 600; a plain <b> asks for 700 and gets it smeared.
    lead = f'<span style="font-weight:600">{headline}</span>'
    return f"{lead} — {detail}" if detail else lead


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
