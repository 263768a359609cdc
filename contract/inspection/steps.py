"""Owns the count of a document's drawing steps, the same on a slow computer as on a fast one.

It never looks at a clock.
"""

from __future__ import annotations


class OutOfSteps(BaseException):
    """Ends a library's work; its `except Exception` does not hold it up."""


class Steps:
    """How many operators of content streams may still be carried out."""

    def __init__(self, most: int) -> None:
        self._left = most

    def count(self, *_: object) -> None:
        """Count one operator; raises OutOfSteps beyond the limit."""
        self._left -= 1
        if self._left < 0:
            raise OutOfSteps
