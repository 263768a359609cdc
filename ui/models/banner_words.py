"""What one banner says: its tone, its words, what can be done about it.

It never decides which banners there are.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BannerWords:
    """One strip: `key` tells strips apart, `actions` are (key, text) pairs."""

    key: str
    tone: str
    lead: str
    text: str
    actions: tuple[tuple[str, str], ...] = ()
