"""Owns who wants to hear of something, and tells them in the order in which they came.

It never keeps what it tells, and never calls anybody on another thread than its caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Listeners(Generic[P]):
    """Callbacks, each until the function that `add` returned is called."""

    def __init__(self) -> None:
        self._callbacks: dict[int, Callable[P, None]] = {}
        self._next_key = 0

    def add(self, callback: Callable[P, None]) -> Callable[[], None]:
        """Call `callback` from now on; return a function that ends this, however often called."""
        key = self._next_key
        self._next_key += 1
        self._callbacks[key] = callback

        def end() -> None:
            self._callbacks.pop(key, None)

        return end

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call all who listen now; who is added or ends meanwhile changes nothing in this round."""
        for callback in tuple(self._callbacks.values()):
            callback(*args, **kwargs)
