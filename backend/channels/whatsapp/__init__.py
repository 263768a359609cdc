"""WhatsApp by Meta's Cloud API: the module that accounts name as `whatsapp`.

It never talks to the consumer app; its exports come in by import.
"""

from __future__ import annotations

from backend.channels.whatsapp.module import MODULE

__all__ = ["MODULE"]
