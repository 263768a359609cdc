"""One message's text laid out at a width: lines, hit testing, words, links, selection.

It never paints anything but its own text and holds no colours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt, QTextBoundaryFinder
from PySide6.QtGui import (
    QBrush,
    QFont,
    QPainter,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)

from ui.theme.painting import text_direction
from ui.theme.tokens import Tokens, qcolor

# Only what a browser opens; a trailing full stop or bracket belongs to the sentence, and what
# hides or reorders characters (UTR #36) to no address.
_HIDING = "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_NO_LINK = rf"\s<>\"'「」『』（）{_HIDING}"
_LINK = re.compile(rf"https?://[^{_NO_LINK}]+[^{_NO_LINK}.,;:!?)\]}}、。]", re.IGNORECASE)
_LINE_SEPARATOR = "\u2028"


@dataclass(frozen=True, slots=True)
class Link:
    """A web address within a text; positions count UTF-16 units as Qt does."""

    start: int
    end: int
    url: str


class MeasuredText:
    """Text broken into lines no wider than `width_px`; all positions count UTF-16 units."""

    def __init__(
        self,
        text: str,
        font: QFont,
        width_px: float,
        line_height_px: float,
        alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        self.text = text
        self._units = text.encode("utf-16-le", "surrogatepass")
        self._layout = QTextLayout(text.replace("\n", _LINE_SEPARATOR), font)
        self._layout.setCacheEnabled(True)
        direction = text_direction(text)
        self._leftwards = (
            direction is Qt.LayoutDirection.RightToLeft and alignment is Qt.AlignmentFlag.AlignLeft
        )
        option = QTextOption(Qt.AlignmentFlag.AlignRight if self._leftwards else alignment)
        option.setTextDirection(direction)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._layout.setTextOption(option)
        self.links = _links(text)
        self.width_px = 0.0
        self.height_px = 0.0
        self._break_lines(width_px, line_height_px)

    def length(self) -> int:
        """Return how many UTF-16 units the text has."""
        return len(self._units) // 2

    def slice(self, start: int, end: int) -> str:
        """Return the text between two positions, in either order."""
        first, last = sorted((start, end))
        return self._units[2 * first : 2 * last].decode("utf-16-le", "surrogatepass")

    def position_at(self, point: QPointF) -> int:
        """Return the position nearest to a point relative to the text's origin."""
        count = self._layout.lineCount()
        if count == 0:
            return 0
        for number in range(count):
            line = self._layout.lineAt(number)
            below = number + 1 == count or point.y() < self._layout.lineAt(number + 1).y()
            if below:
                return line.xToCursor(point.x())
        return self.length()

    def holds(self, point: QPointF) -> bool:
        """Tell whether a point lies on a line's text, not only beside it."""
        for number in range(self._layout.lineCount()):
            rect = self._layout.lineAt(number).naturalTextRect().adjusted(-2, -2, 2, 2)
            if rect.contains(point):
                return True
        return False

    def word_at(self, position: int) -> tuple[int, int]:
        """Return the start and end of the word around a position."""
        finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Word, self.text)
        finder.setPosition(min(position, max(0, self.length() - 1)))
        start = finder.position() if finder.isAtBoundary() else finder.toPreviousBoundary()
        finder.setPosition(max(0, start))
        end = finder.toNextBoundary()
        return self._widened(max(0, start), end if end >= 0 else self.length())

    def step(self, position: int, forward: bool, by_word: bool) -> int:
        """Return the position one character or word on, never between parts of a character."""
        mode = (
            QTextLayout.CursorMode.SkipWords if by_word else QTextLayout.CursorMode.SkipCharacters
        )
        if forward:
            return self._layout.nextCursorPosition(position, mode)
        return self._layout.previousCursorPosition(position, mode)

    def link_at(self, point: QPointF) -> Link | None:
        """Return the link under a point, None without one."""
        if not self.links or not self.holds(point):
            return None
        position = self.position_at(point)
        return next((link for link in self.links if link.start <= position <= link.end), None)

    def draw(
        self,
        painter: QPainter,
        origin: QPointF,
        ink: str,
        tokens: Tokens,
        selection: tuple[int, int] | None = None,
    ) -> None:
        """Paint the text in `ink`, links in the accent, a selection behind its characters."""
        ranges: list[QTextLayout.FormatRange] = []
        for link in self.links:
            look = QTextCharFormat()
            look.setForeground(QBrush(qcolor(tokens.accent)))
            look.setFontUnderline(True)
            ranges.append(_range(link.start, link.end, look))
        if selection is not None and selection[0] != selection[1]:
            look = QTextCharFormat()
            look.setBackground(QBrush(qcolor(tokens.selection)))
            look.setForeground(QBrush(qcolor(tokens.ink)))
            ranges.append(_range(min(selection), max(selection), look))
        painter.setPen(qcolor(ink))
        self._layout.draw(painter, origin, ranges)

    def _widened(self, start: int, end: int) -> tuple[int, int]:
        """Widen a single Han or kana character to its run: these scripts put no spaces."""
        script = _script(self.slice(start, end))
        if not script:
            return start, end
        while start > 0 and _script(self.slice(start - 1, start)) == script:
            start -= 1
        while end < self.length() and _script(self.slice(end, end + 1)) == script:
            end += 1
        return start, end

    def _break_lines(self, width_px: float, line_height_px: float) -> None:
        self._layout.beginLayout()
        top = 0.0
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(width_px)
            height = max(line_height_px, line.height())
            line.setPosition(QPointF(0, top + (height - line.height()) / 2))
            self.width_px = max(self.width_px, line.naturalTextWidth())
            top += height
        self._layout.endLayout()
        self.height_px = top
        if self._leftwards:
            # Such lines stand at the right edge of the width offered; bring it to the text's own.
            for number in range(self._layout.lineCount()):
                line = self._layout.lineAt(number)
                line.setPosition(QPointF(self.width_px - width_px, line.y()))


def _script(character: str) -> str:
    if len(character) != 1:
        return ""
    code = ord(character)
    if 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or character == "々":
        return "han"
    if 0x3041 <= code <= 0x309F:
        return "hiragana"
    return "katakana" if 0x30A1 <= code <= 0x30FF else ""


def _range(start: int, end: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    result = QTextLayout.FormatRange()
    result.start = start
    result.length = end - start
    result.format = look
    return result


def _links(text: str) -> Sequence[Link]:
    if "://" not in text:
        return ()
    result = []
    for match in _LINK.finditer(text):
        start = _units(text[: match.start()])
        result.append(Link(start, start + _units(match.group()), match.group()))
    return tuple(result)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
