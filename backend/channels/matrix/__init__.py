"""Matrix as an application service: the module that accounts name as `matrix`.

It never reads encrypted rooms: their messages are shown as unsupported.
"""

from __future__ import annotations

from backend.channels.matrix.module import MODULE

__all__ = ["MODULE"]
