"""Where the rows of a timeline stand: their tops, what is at a height, how to keep the place.

It never asks for heights itself and moves nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

MARGIN_PX = 12


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row that was visible and how far its top was below the top of the view."""

    key: Hashable
    offset_px: int


class RowGeometry:
    """Rows stacked from the top; fewer than fill the view stand at its bottom.

    A row's height is guessed until it was measured; only `sure` rows may be painted.
    """

    def __init__(self) -> None:
        self._heights: list[int] = []
        self._sure: list[bool] = []
        self._tops: list[int] = [MARGIN_PX]
        self.view_height_px = 0

    def splice(
        self, first: int, removed: int, heights_px: Sequence[int], *, sure: bool = False
    ) -> None:
        """Put rows of these heights, guessed or `sure`, where `removed` rows from `first` were."""
        self._heights[first : first + removed] = heights_px
        self._sure[first : first + removed] = [sure] * len(heights_px)
        self._tops = list(accumulate(self._heights, initial=MARGIN_PX))

    def measured(self, heights_px: Mapping[int, int]) -> None:
        """Take measured heights by row number."""
        for number, height in heights_px.items():
            self._heights[number], self._sure[number] = height, True
        self._tops = list(accumulate(self._heights, initial=MARGIN_PX))

    def forget(self) -> None:
        """Take every height for a guess, as after a change of width."""
        self._sure = [False] * len(self._heights)

    def unsure(self, rows: Iterable[int]) -> list[int]:
        """Return those of the rows that were not measured yet."""
        return [number for number in rows if not self._sure[number]]

    def count(self) -> int:
        """Return how many rows there are."""
        return len(self._tops) - 1

    def _content_height(self) -> int:
        """Return the height of all rows with the margins above and below."""
        return self._tops[-1] + MARGIN_PX

    def scroll_range(self) -> int:
        """Return the greatest scroll value."""
        return max(0, self._content_height() - self.view_height_px)

    def top(self, number: int) -> int:
        """Return a row's top within the content, lowered when the rows don't fill the view."""
        return self._tops[number] + max(0, self.view_height_px - self._content_height())

    def height(self, number: int) -> int:
        """Return a row's height."""
        return self._heights[number]

    def row_at(self, content_y_px: int) -> int:
        """Return the row at a height of the content, -1 above the first and below the last."""
        if not self.count():
            return -1
        y = content_y_px - max(0, self.view_height_px - self._content_height())
        if y < self._tops[0] or y >= self._tops[-1]:
            return -1
        return bisect_right(self._tops, y) - 1

    def visible(self, scroll_px: int, beyond_px: int = 0) -> range:
        """Return the rows that show at a scroll value, and those `beyond_px` on both sides."""
        if not self.count():
            return range(0)
        lowered = max(0, self.view_height_px - self._content_height())
        top = scroll_px - lowered
        first = max(0, bisect_right(self._tops, top - beyond_px) - 1)
        last = bisect_right(self._tops, top + self.view_height_px + beyond_px - 1) - 1
        return range(first, min(last, self.count() - 1) + 1)

    def anchors(self, keys: Sequence[Hashable], scroll_px: int) -> list[Anchor]:
        """Return every visible row as an anchor, so that one survives a change."""
        return [
            Anchor(keys[number], self.top(number) - scroll_px)
            for number in self.visible(scroll_px)
            if number < len(keys)
        ]

    def scroll_for(self, keys: Sequence[Hashable], anchors: Sequence[Anchor]) -> int | None:
        """Return the scroll value that puts the first surviving anchor where it was."""
        place = {key: number for number, key in enumerate(keys)}
        for anchor in anchors:
            number = place.get(anchor.key)
            if number is not None and number < self.count():
                return self.top(number) - anchor.offset_px
        return None
