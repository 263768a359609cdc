"""SMS by SMPP 3.4: the module that accounts name as `smpp`.

It never queries, replaces or cancels a message at the SMS centre.
"""

from __future__ import annotations

from backend.channels.smpp.module import MODULE

__all__ = ["MODULE"]
