"""Shows that an event without an end is given up, and that long streams of events are not.

It uses no network: what counts is where the text is cut.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

import pytest

from backend_client.bounded_text import MAX_EVENT_CHARS, BoundedText
from backend_client.errors import Garbled


class _Pieces:
    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = pieces

    @property
    def headers(self) -> Mapping[str, str]:
        return {}

    async def aiter_text(self) -> AsyncIterator[str]:
        for piece in self._pieces:
            yield piece


@pytest.mark.parametrize("piece", ["x" * 65_536, "data: x\n" * 8_192])
async def test_an_event_without_an_end_is_given_up(piece: str) -> None:
    """Neither a line nor an event may grow for ever."""
    taken = 0
    with pytest.raises(Garbled):
        async for text in BoundedText(_Pieces(piece for _ in range(100_000))).aiter_text():
            taken += len(text)
    assert taken <= MAX_EVENT_CHARS


async def test_many_events_pass() -> None:
    """The limit is for one event, however many came before it."""
    event = "data: " + "x" * 60_000 + "\n\n"
    count = 3 * MAX_EVENT_CHARS // len(event)
    passed = [text async for text in BoundedText(_Pieces([event] * count)).aiter_text()]
    assert passed == [event] * count
