"""Makes messages and files for connectors' tests.

It never reads a disk.
"""

from __future__ import annotations

import asyncio
from typing import Any

from backend.channels.contract import OutboundFile, OutboundMessage


def outbound_file(name: str, media_type: str, content: bytes = b"bytes") -> OutboundFile:
    """Make a file to send."""

    async def read() -> bytes:
        await asyncio.sleep(0)
        return content

    return OutboundFile(
        name=name, media_type=media_type, size_bytes=len(content), sha256="", read=read
    )


def changed(message: OutboundMessage, **changes: Any) -> OutboundMessage:
    """Return a message with these fields of its own."""
    base = {field: getattr(message, field) for field in OutboundMessage.__struct_fields__}
    return OutboundMessage(**(base | changes))
