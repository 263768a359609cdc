"""Shows one finding: its mark, its words, and what may be done about it.

It never does any of that: it says what the user chose.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QWidget

from contract.policy.model import Fix
from ui.models.findings import FindingRow, Offer
from ui.models.policy_words import Say, say
from ui.theme.flow_layout import FlowLayout
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label, restyle
from ui.views.tab_order import focus_by_name, focused_name

_ICONS = {"block": "octagon-x", "warn": "triangle-alert", "hint": "info"}
_OFFER_WORDS = {
    Offer.REASON: Say.REASON,
    Offer.ACKNOWLEDGE: Say.ACKNOWLEDGE,
    Offer.REPORT_FALSE: Say.REPORT_FALSE,
    Offer.TAKE_BACK: Say.TAKE_BACK,
    Offer.REMOVE_FILE: Say.REMOVE_FILE,
}
# Actions stand beside the words while the words keep at least this share of the row.
_WORDS_SHARE = 0.6
# A link's own border and padding above its words.
_LINK_INSET_PX = 3


class FindingRowView(QFrame):
    """One row; the same finding keeps its row, and so the focus, while the text goes on."""

    fix_chosen = Signal(object, object)
    offer_chosen = Signal(object, object)
    resized = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._row: FindingRow | None = None
        self._language = ""
        self._beside: bool | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(14, 6, 14, 8)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._mark = QLabel()
        self._words = QLabel()
        for part in (self._mark, self._words):
            part.setContentsMargins(0, _LINK_INSET_PX, 0, 0)
        self._words.setTextFormat(Qt.TextFormat.RichText)
        self._words.setWordWrap(True)
        self._why = label("", "secondary")
        self._why.setWordWrap(True)
        self._why.hide()
        self._actions = QWidget()
        self._line = FlowLayout(8, self._actions)
        self._grid.addWidget(self._mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(self._words, 0, 1)
        self._grid.addWidget(self._why, 2, 1, 1, 2)
        self._arrange()

    @property
    def headline(self) -> str:
        """Return the finding's first words."""
        return self._row.headline if self._row is not None else ""

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self._show_mark()

    def show_row(self, row: FindingRow, language: str, *, top: bool) -> None:
        """Show a finding; one that only moved in the text leaves the widgets as they are."""
        known, self._row = self._row, row
        if self.property("top") != top:
            restyle(self, "top", top)
        if known is not None and _face(known) == _face(row) and language == self._language:
            return
        self._language = language
        restyle(self, "finding", row.severity)
        self._show_mark()
        said = f"{row.headline}. {row.detail}".strip()
        self.setAccessibleName(said)
        self._words.setText(_rich(row))
        self._words.setAccessibleName(said)
        self._why.setText(row.why)
        self._show_actions(row, language)
        self._arrange()

    def _show_actions(self, row: FindingRow, language: str) -> None:
        focused = focused_name(self._actions)
        while (item := self._line.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        links = [self._fix_button(row, fix) for fix in row.fixes]
        links += [self._offer_button(row, offer, language) for offer in row.offers]
        for link in (*links, self._why_button(row, language)):
            self._line.addWidget(link)
            link.show()  # else the layout shows it a turn later, and nothing can be focused yet
        focus_by_name(self._actions, focused)

    def _fix_button(self, row: FindingRow, fix: Fix) -> QPushButton:
        link = button(fix.label, "link", f"{fix.label}: {row.headline}")
        link.clicked.connect(lambda: self.fix_chosen.emit(self._row, fix))
        return link

    def _offer_button(self, row: FindingRow, offer: Offer, language: str) -> QPushButton:
        words = say(_OFFER_WORDS[offer], language)
        link = button(words, "link", f"{words}: {row.headline}")
        link.clicked.connect(lambda: self._on_offer(offer))
        return link

    def _why_button(self, row: FindingRow, language: str) -> QPushButton:
        words = say(Say.WHY, language)
        link = button(words, "link", f"{words} {row.headline}")
        link.setCheckable(True)
        link.setChecked(not self._why.isHidden())
        link.setAccessibleDescription(row.why)
        link.toggled.connect(self._on_why_toggled)
        return link

    def _on_offer(self, offer: Offer) -> None:
        self.offer_chosen.emit(self._row, offer)

    def _on_why_toggled(self, wanted: bool) -> None:
        self._why.setVisible(wanted)
        self.resized.emit()

    def _show_mark(self) -> None:
        row, tokens = self._row, self._tokens
        if row is not None:
            colors = {"block": tokens.block, "warn": tokens.warn}
            color = colors.get(row.severity, tokens.accent)
            self._mark.setPixmap(icon_pixmap(_ICONS[row.severity], color, 16))

    def _arrange(self) -> None:
        """Put the actions beside the words, or below them where they would crowd them out."""
        wanted_px = self._line.sizeHint().width()
        beside = wanted_px <= self.width() * (1 - _WORDS_SHARE)
        if beside != self._beside:
            self._beside = beside
            self._grid.removeWidget(self._actions)
            place = (0, 2) if beside else (1, 1)
            self._grid.addWidget(self._actions, *place)
            self._actions.setMinimumWidth(wanted_px if beside else 0)
        self.resized.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._arrange()


def _face(row: FindingRow) -> tuple[object, ...]:
    """Return what of a finding is seen."""
    return (row.severity, row.headline, row.detail, row.fixes, row.offers, row.why)


def _rich(row: FindingRow) -> str:
    headline, detail = _escaped(row.headline), _escaped(row.detail)
    # Inter's heavy face is drawn at 600; a plain <b> asks for 700 and gets it smeared.
    lead = f'<span style="font-weight:600">{headline}</span>'
    return f"{lead} — {detail}" if detail else lead


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
