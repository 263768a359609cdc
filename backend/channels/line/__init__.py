"""LINE by its Messaging API: the module that accounts name as `line`.

It never sends with a reply token.
"""

from __future__ import annotations

from backend.channels.line.module import MODULE

__all__ = ["MODULE"]
