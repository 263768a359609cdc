"""Searches people and messages of the cache as the user types.

It never asks the backend and never scans messages: what the index lacks is not found.
"""

from __future__ import annotations

from app.domain.search import SearchResults


class SearchReads:
    """Prefix search, accent-insensitive, CJK by one character or more, newest first."""

    async def search(
        self, text: str, limit_people: int = 5, limit_messages: int = 50
    ) -> SearchResults:
        """Return people and messages that hold every term of `text`; blank text finds nothing.

        Cancel the call when a newer query was typed: one still waiting is then never run.
        """
        raise NotImplementedError
