"""What one banner says: its tone, its words, what can be done about it.

It never decides which banners there are.
"""

from __future__ import annotations

from dataclasses import dataclass

# The act of a banner that leads to the import from a phone; the banner bears the same key.
OPEN_IMPORT = "import"


@dataclass(frozen=True, slots=True)
class BannerWords:
    """One strip: `key` tells strips apart, `actions` are (key, text) pairs."""

    key: str
    tone: str
    lead: str
    text: str
    actions: tuple[tuple[str, str], ...] = ()
