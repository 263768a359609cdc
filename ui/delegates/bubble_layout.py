"""Measures one bubble: where its quote, text, files, footer and reactions stand.

It never paints and reads no model; equal words at an equal width give the same layout.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QTextLayout, QTextOption

from contract.ids import MessageId
from contract.wire import Attachment, Message
from ui.delegates.bubble_text import MeasuredText
from ui.models.message_words import BubbleWords, Part
from ui.theme.fonts import BOLD, REGULAR, ui_font
from ui.theme.tokens import BODY_PX, META_PX, SECONDARY_PX

LINE_HEIGHT_PX = 19.0
GAP_PX = 8.0
SIDE_PX = 28.0
PAD_X_PX = 14.0
PAD_TOP_PX = 9.0
PAD_BOTTOM_PX = 8.0
QUOTE_HEIGHT_PX = 22.0
FILE_HEIGHT_PX = 56.0
FILE_WIDTH_PX = 300.0
FOOTER_HEIGHT_PX = 16.0
BELOW_HEIGHT_PX = 24.0
REACTION_HEIGHT_PX = 20.0
ICON_PX = 12.0
_MAX_BUBBLE_PX = 560.0
_MIN_BUBBLE_PX = 120.0
_CACHED_LAYOUTS = 160
# About how wide a character is, for guesses only.
_LATIN_PX = 7.0
_WIDE_PX = 13.0

Placed = tuple[Part, QRectF]


@dataclass(frozen=True, slots=True)
class Hit:
    """What lies under a point: `part`, `file`, `quote`, `text`, `bubble` or `` (nothing)."""

    what: str = ""
    part: Part | None = None
    file: Attachment | None = None


@dataclass(slots=True)
class BubbleLayout:
    """Rectangles relative to the row's top left corner, in logical pixels."""

    words: BubbleWords
    text: MeasuredText
    bubble: QRectF = field(default_factory=QRectF)
    author: QRectF | None = None
    quote: QRectF | None = None
    text_origin: QPointF = field(default_factory=QPointF)
    files: list[tuple[Attachment, QRectF]] = field(default_factory=list)
    footer: list[Placed] = field(default_factory=list)
    below: list[Placed] = field(default_factory=list)
    reactions: list[tuple[str, QRectF]] = field(default_factory=list)
    height_px: float = 0.0

    def hit(self, point: QPointF) -> Hit:
        """Return what lies under a point of the row."""
        for part, rect in (*self.footer, *self.below):
            if part.act and rect.adjusted(-3, -3, 3, 3).contains(point):
                return Hit("part", part=part)
        for file, rect in self.files:
            if rect.contains(point):
                return Hit("file", file=file)
        if self.quote is not None and self.quote.contains(point):
            return Hit("quote")
        if self.text.holds(point - self.text_origin):
            return Hit("text")
        return Hit("bubble") if self.bubble.contains(point) else Hit()

    def part_at(self, point: QPointF) -> Part | None:
        """Return the words of the footer under a point, buttons or not."""
        for part, rect in (*self.footer, *self.below):
            if rect.contains(point):
                return part
        return None


def part_font(part: Part, size_px: int = META_PX) -> QFont:
    """Return the face of a part of a footer."""
    return ui_font(size_px, BOLD if part.bold else REGULAR, part.text)


@lru_cache(maxsize=4096)
def part_width(part: Part, size_px: int = META_PX) -> float:
    """Return a part's width with its icon."""
    width = QFontMetricsF(part_font(part, size_px)).horizontalAdvance(part.text) + 1
    return width + (ICON_PX + 3 if part.icon else 0)


@lru_cache(maxsize=1)
def separator_width() -> float:
    """Return the width of the dot between two parts."""
    return QFontMetricsF(ui_font(META_PX)).horizontalAdvance(" · ")


def measure_bubble(words: BubbleWords, row_width_px: float, mirrored: bool = False) -> BubbleLayout:
    """Lay `words` out in a row of that width; `mirrored` swaps the sides (right to left)."""
    side = SIDE_PX if row_width_px > 420 else 12.0
    room = max(_MIN_BUBBLE_PX, row_width_px - 2 * side)
    wide = min(_MAX_BUBBLE_PX, room * 0.62 if room > 480 else room * 0.86)
    inner_max = max(_MIN_BUBBLE_PX, wide) - 2 * PAD_X_PX
    font = ui_font(BODY_PX, REGULAR, words.text)
    text = MeasuredText(words.text, font, inner_max, LINE_HEIGHT_PX if words.text else 0.0)
    lines = _flow(words.footer, inner_max)
    inner = min(inner_max, _inner_width(words, text, lines))
    layout = BubbleLayout(words, text)
    on_right = words.own is not mirrored
    width = inner + 2 * PAD_X_PX
    left = row_width_px - side - width if on_right else side
    bottom = _place_inside(layout, left, inner, lines)
    layout.bubble = QRectF(left, GAP_PX / 2, width, bottom - GAP_PX / 2)
    bottom = _place_reactions(layout, bottom)
    bottom = _place_below(layout, bottom, on_right)
    layout.height_px = float(-(-(bottom + GAP_PX / 2) // 1))
    return layout


def _inner_width(words: BubbleWords, text: MeasuredText, lines: list[list[Part]]) -> float:
    widths = [text.width_px + 1 if words.text else 0.0]
    widths += [_line_width(line) for line in lines]
    if words.files:
        widths.append(FILE_WIDTH_PX)
    if words.quote is not None:
        shown = f"{words.quote[0]} · {words.quote[1]}"
        advance = QFontMetricsF(ui_font(SECONDARY_PX, BOLD, shown)).horizontalAdvance(shown)
        widths.append(advance + 24)
    if words.author:
        font = ui_font(SECONDARY_PX, BOLD, words.author)
        widths.append(QFontMetricsF(font).horizontalAdvance(words.author) + 2)
    return max(widths)


def _flow(parts: tuple[Part, ...], width_px: float) -> list[list[Part]]:
    """Break a footer into lines; words wider than the bubble go on in the next one.

    A button is never broken: one that is wider stands alone and is elided.
    """
    lines: list[list[Part]] = []
    for part in chain.from_iterable(_pieces(each, width_px) for each in parts):
        if lines and _line_width([*lines[-1], part]) <= width_px:
            lines[-1].append(part)
        else:
            lines.append([part])
    return lines


def _pieces(part: Part, width_px: float) -> tuple[Part, ...]:
    if part.act or part.icon or part_width(part) <= width_px:
        return (part,)
    words = " ".join(part.text.split())
    layout = QTextLayout(words, part_font(part))
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    found: list[Part] = []
    utf16 = words.encode("utf-16-le")
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width_px - 2)
        start, end = 2 * line.textStart(), 2 * (line.textStart() + line.textLength())
        found.append(replace(part, text=utf16[start:end].decode("utf-16-le", "replace").strip()))
    layout.endLayout()
    return tuple(found)


def _line_width(line: list[Part]) -> float:
    return sum(part_width(part) for part in line) + separator_width() * (len(line) - 1)


def _place_inside(
    layout: BubbleLayout, left: float, inner: float, lines: list[list[Part]]
) -> float:
    """Place everything inside the bubble from top to bottom; returns the bubble's bottom."""
    words = layout.words
    x = left + PAD_X_PX
    y = GAP_PX / 2 + PAD_TOP_PX
    if words.author:
        layout.author = QRectF(x, y, inner, 17)
        y += 18
    if words.quote is not None:
        layout.quote = QRectF(x, y + 1, inner, QUOTE_HEIGHT_PX)
        y += QUOTE_HEIGHT_PX + 5
    layout.text_origin = QPointF(x, y)
    if words.text:
        y += layout.text.height_px
    for file in words.files:
        y += 5
        layout.files.append((file, QRectF(x, y, inner, FILE_HEIGHT_PX)))
        y += FILE_HEIGHT_PX
    y += 3
    for line in lines:
        right = x + inner
        at = right - min(inner, _line_width(line))
        for part in line:
            width = min(part_width(part), right - at)
            layout.footer.append((part, QRectF(at, y, width, FOOTER_HEIGHT_PX)))
            at += width + separator_width()
        y += FOOTER_HEIGHT_PX
    return y + PAD_BOTTOM_PX


def _place_reactions(layout: BubbleLayout, bottom: float) -> float:
    if not layout.words.reactions:
        return bottom
    x = layout.bubble.left() + PAD_X_PX
    for reaction in layout.words.reactions:
        text = f"{reaction.emoji} {reaction.count}"
        width = QFontMetricsF(ui_font(SECONDARY_PX)).horizontalAdvance(text) + 14
        if x + width > layout.bubble.right() and layout.reactions:
            break
        layout.reactions.append((text, QRectF(x, bottom - 3, width, REACTION_HEIGHT_PX)))
        x += width + 4
    return bottom + REACTION_HEIGHT_PX - 3


def _place_below(layout: BubbleLayout, bottom: float, on_right: bool) -> float:
    parts = layout.words.below
    if not parts:
        return bottom
    total = sum(part_width(part, SECONDARY_PX) for part in parts) + 10 * (len(parts) - 1)
    x = layout.bubble.right() - total if on_right else layout.bubble.left()
    x = max(x, 8.0)
    for part in parts:
        width = part_width(part, SECONDARY_PX)
        layout.below.append((part, QRectF(x, bottom + 2, width, BELOW_HEIGHT_PX - 4)))
        x += width + 10
    return bottom + BELOW_HEIGHT_PX


def guessed_height(message: Message, row_width_px: float) -> int:
    """Return about how high a message's row will be, from its characters alone."""
    room = max(_MIN_BUBBLE_PX, row_width_px - 2 * SIDE_PX)
    inner = min(_MAX_BUBBLE_PX, room * 0.62 if room > 480 else room * 0.86) - 2 * PAD_X_PX
    text = message.text
    per_line = max(1, int(inner / (_LATIN_PX if text.isascii() else _WIDE_PX)))
    lines = sum(-(-len(line) // per_line) or 1 for line in text.split("\n")) if text else 0
    around = GAP_PX + PAD_TOP_PX + 3 + FOOTER_HEIGHT_PX + PAD_BOTTOM_PX
    files = len(message.attachments) * (FILE_HEIGHT_PX + 5)
    quote = QUOTE_HEIGHT_PX + 5 if message.quote is not None else 0.0
    return round(lines * LINE_HEIGHT_PX + around + files + quote)


class LayoutCache:
    """Layouts by message, width and direction; one made for other words is made anew.

    It holds what shows and what is near it: heights of rows are kept by whoever stacks them.
    """

    def __init__(self, size: int = _CACHED_LAYOUTS) -> None:
        self._size = size
        self._layouts: OrderedDict[tuple[MessageId, int, bool], BubbleLayout] = OrderedDict()

    def __len__(self) -> int:
        return len(self._layouts)

    def layout(self, words: BubbleWords, width_px: int, mirrored: bool = False) -> BubbleLayout:
        """Return the layout, measured only when it is not known."""
        key = (words.message_id, width_px, mirrored)
        known = self._layouts.get(key)
        if known is not None and (known.words is words or known.words == words):
            self._layouts.move_to_end(key)
            return known
        fresh = self._layouts[key] = measure_bubble(words, width_px, mirrored)
        self._layouts.move_to_end(key)
        if len(self._layouts) > self._size:
            self._layouts.popitem(last=False)
        return fresh

    def clear(self) -> None:
        """Forget every layout, as after a change of face."""
        self._layouts.clear()
