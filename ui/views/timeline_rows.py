"""Keeps the rows of a timeline laid out: measured near the view, guessed beyond, the place kept.

It never paints and never loads rows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QModelIndex, QTimer
from PySide6.QtWidgets import QAbstractItemView

from ui.delegates.bubble_delegate import BubbleDelegate
from ui.models.timeline_model import TimelineModel
from ui.views.timeline_geometry import Anchor, RowGeometry

_AT_END_PX = 4
_CORRECTIONS = 12
_ROWS_PER_SLICE = 4


class TimelineRows:
    """The rows of one view; a view tells what changed and asks where rows stand.

    Heights are measured once a row, width and content: when a row first shows, or a little
    ahead of that between the window's events. While it is `at_end` the newest row stays at
    the bottom, else what shows stays where it is.
    """

    def __init__(
        self,
        view: QAbstractItemView,
        model: TimelineModel,
        bubbles: BubbleDelegate,
        is_newest_here: Callable[[], bool],
    ) -> None:
        self.geometry = RowGeometry()
        self.at_end = True
        self.is_moving = False
        self._held = False
        self._view = view
        self._model = model
        self._bubbles = bubbles
        self._is_newest_here = is_newest_here
        self._width_px = 0
        self._anchors: list[Anchor] = []
        self._stale = False
        self._ahead = QTimer(view)
        self._ahead.setSingleShot(True)
        self._ahead.setInterval(0)
        self._ahead.timeout.connect(self._measure_ahead)
        model.rowsInserted.connect(self._on_inserted)
        model.rowsRemoved.connect(self._on_removed)
        model.rowsMoved.connect(self._on_moved)
        model.replaced.connect(self._on_replaced)

    def change(self, first: int, last: int) -> bool:
        """Measure rows anew whose content changed; return whether rows moved by it."""
        fresh = {
            number: self._height(number)
            for number in range(first, min(last + 1, self.geometry.count()))
            if not self.geometry.unsure((number,))
        }
        differing = {
            number: height
            for number, height in fresh.items()
            if height != self.geometry.height(number)
        }
        if differing:
            self.geometry.measured(differing)
            self._changed()
        return bool(differing)

    def resize(self) -> None:
        """Lay out for the view's size of now."""
        if self._view.viewport().width() != self._width_px:
            self._width_px = self._view.viewport().width()
            self.geometry.forget()
        self.settle()

    def settle(self) -> None:
        """Put the rows where they were, as far as they are still there, and measure what shows."""
        self._lay_out()
        self._view.viewport().update()

    def _lay_out(self) -> None:
        self._stale = False
        bar = self._view.verticalScrollBar()
        with self._moving():
            self.geometry.view_height_px = self._view.viewport().height()
            bar.setPageStep(max(1, self._view.viewport().height() - 40))
            for _ in range(_CORRECTIONS):
                bar.setRange(0, self.geometry.scroll_range())
                bar.setValue(self._place())
                if not self._measure(self.geometry.visible(bar.value())):
                    break
        self._remember()
        self._ahead.start()

    def hold(self) -> None:
        """Lay nothing out before `begin`: the rows of another conversation are coming."""
        self._held = True

    def begin(self, number: int = -1, offset_px: int = 0) -> None:
        """Stand at the newest row, or with the top of the row of that number below the view's."""
        self._held, self.at_end, self._anchors = False, True, []
        if number < 0:
            self.settle()
        else:
            self.show(number, offset_px)

    def show(self, number: int, offset_px: int) -> None:
        """Put a row's top that far below the view's."""
        self.at_end = False
        self._anchors = [Anchor(self._model.keys()[number], offset_px)]
        self.settle()
        bar = self._view.verticalScrollBar()
        self.at_end = bar.value() >= bar.maximum() - _AT_END_PX and self._is_newest_here()

    def measure(self, number: int) -> int:
        """Return a row's height, measured now when it was not."""
        self._measure((number,))
        return self.geometry.height(number)

    def scrolled(self) -> None:
        """Take where the user scrolled to: rows that come into sight are measured, none jumps."""
        bar, rows = self._view.verticalScrollBar(), self.geometry
        value = bar.value()
        self.at_end = value >= bar.maximum() - _AT_END_PX and self._is_newest_here()
        seen = rows.visible(value)
        if not rows.unsure(seen):
            self._remember()
            self._ahead.start()
            return
        known = [number for number in seen if not rows.unsure((number,))]
        number = known[-1] if known and value > 0 else seen[0]
        self._anchors = [Anchor(self._model.keys()[number], rows.top(number) - value)]
        self.settle()

    # -- places --------------------------------------------------------------------------------

    def _place(self) -> int:
        bar = self._view.verticalScrollBar()
        if self.at_end:
            return bar.maximum()
        kept = self.geometry.scroll_for(self._model.keys(), self._anchors)
        return bar.value() if kept is None else kept

    def _remember(self) -> None:
        bar = self._view.verticalScrollBar()
        if self.geometry.count() == self._model.rowCount():
            anchors = self.geometry.anchors(self._model.keys(), bar.value())
            # A day stays above its first message whatever comes between: no place to keep.
            self._anchors = [anchor for anchor in anchors if _is_message(anchor.key)]

    @contextmanager
    def _moving(self) -> Iterator[None]:
        before, self.is_moving = self.is_moving, True
        try:
            yield
        finally:
            self.is_moving = before

    def _changed(self) -> None:
        """Lay out once for all operations that make up one change of the model."""
        self._stale = True
        if not self._model.is_replacing and not self._held:
            self.settle()

    # -- heights -------------------------------------------------------------------------------

    def _height(self, number: int) -> int:
        index = self._model.index(number)
        return self._bubbles.row_height(index, self._width_px, self._view.isRightToLeft())

    def _measure(self, rows: Iterable[int]) -> bool:
        """Measure those of the rows that were not; return whether there were such."""
        fresh = {number: self._height(number) for number in self.geometry.unsure(rows)}
        if fresh:
            self.geometry.measured(fresh)
        return bool(fresh)

    def _measure_ahead(self) -> None:
        """Measure a few of the rows that will show next, between the window's events."""
        bar, rows = self._view.verticalScrollBar(), self.geometry
        if rows.count() != self._model.rowCount() or not rows.count():
            return
        shown = rows.visible(bar.value())
        near = rows.visible(bar.value(), self._view.viewport().height())
        unsure = rows.unsure(near)
        if unsure:
            unsure.sort(key=lambda number: min(abs(number - shown[0]), abs(number - shown[-1])))
            before = bar.value()
            self._measure(unsure[:_ROWS_PER_SLICE])
            self._lay_out()
            if bar.value() != before:
                self._view.viewport().update()

    # -- what happens --------------------------------------------------------------------------

    def _on_inserted(self, parent: QModelIndex, first: int, last: int) -> None:
        items, width = self._model.rows(), self._width_px
        guesses = [self._bubbles.guessed_height(items[n], width) for n in range(first, last + 1)]
        self.geometry.splice(first, 0, guesses)
        self._changed()

    def _on_removed(self, parent: QModelIndex, first: int, last: int) -> None:
        self.geometry.splice(first, last - first + 1, ())
        self._changed()

    def _on_moved(
        self, parent: QModelIndex, first: int, last: int, into: QModelIndex, before: int
    ) -> None:
        heights = [self.geometry.height(number) for number in range(first, last + 1)]
        self.geometry.splice(first, len(heights), ())
        self.geometry.splice(before if before < first else before - len(heights), 0, heights)
        self._changed()

    def _on_replaced(self) -> None:
        if self._stale and not self._held:
            self.settle()


def _is_message(key: Hashable) -> bool:
    return isinstance(key, tuple) and key[0] == "m"
