"""Owns the limit to what one event of a stream may weigh before it is whole.

It never looks into an event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from backend_client.errors import Garbled

MAX_EVENT_CHARS = 8 * 1024 * 1024


class StreamedText(Protocol):
    """What is needed of an answer that is being received."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the answer's headers."""
        ...

    def aiter_text(self) -> AsyncIterator[str]:
        """Yield the text piece by piece."""
        ...


class BoundedText:
    """Passes a stream's text on; raises Garbled when an event does not come to its end.

    Whatever parses the stream keeps an event until the blank line after it (WHATWG HTML, section
    9.2.5): a stream without one would fill the memory.
    """

    def __init__(self, source: StreamedText) -> None:
        self._source = source

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the answer's headers."""
        return self._source.headers

    async def aiter_text(self) -> AsyncIterator[str]:
        """Yield the text piece by piece."""
        open_chars = 0
        async for text in self._source.aiter_text():
            blank = max(text.rfind(line) for line in ("\n\n", "\r\r", "\r\n\r\n"))
            open_chars = open_chars + len(text) if blank < 0 else len(text) - blank
            if open_chars > MAX_EVENT_CHARS:
                raise Garbled("An event of the stream is far too long.")
            yield text
