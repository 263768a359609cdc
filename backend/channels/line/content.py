"""LINE's message objects: a text with its quote, and files as addresses that LINE fetches.

It never reads a file's bytes but for how long a sound lasts.

Objects: Messaging API, "Message objects" (image, video, audio).
"""

from __future__ import annotations

from typing import Any

from backend.channels import faults
from backend.channels.contract import Attempt, OutboundFile, OutboundMessage
from backend.channels.line.sound import duration_ms
from backend.channels.modules import FileLinks

QUOTE_TOKEN = "quote_token"  # noqa: S105 -- the name of a ref
_MOST_PREVIEW_BYTES = 1_000_000
_NO_LINKS = "Files can't go out on LINE from here: there is no public address for them."
_NO_DURATION = "LINE needs a sound's length, which this file does not tell. Send it as M4A."


async def message_objects(
    outbound: OutboundMessage, attempt: Attempt, links: FileLinks | None
) -> list[dict[str, Any]]:
    """Return what a push holds: the text first, then the files in their order.

    Raises ContentInvalid for a sound without a length, Refusal where there are no links.
    """
    objects: list[dict[str, Any]] = []
    if outbound.text:
        text: dict[str, Any] = {"type": "text", "text": outbound.text}
        if token := outbound.quote_refs.get(QUOTE_TOKEN):
            text["quoteToken"] = token
        objects.append(text)
    if outbound.attachments and links is None:
        raise faults.Refusal(_NO_LINKS)
    for file in outbound.attachments:
        assert links is not None, "looked at above"
        objects.append(await _file_object(file, attempt, links))
    return objects


async def _file_object(file: OutboundFile, attempt: Attempt, links: FileLinks) -> dict[str, Any]:
    kind, link = file.media_type.partition("/")[0], links.link(file, attempt)
    told: dict[str, Any] = {"type": kind, "originalContentUrl": link}
    if kind == "audio":
        lasts_ms = duration_ms(await file.read())
        if lasts_ms is None:
            raise faults.ContentInvalid(_NO_DURATION)
        return told | {"duration": lasts_ms}
    is_its_own_preview = kind == "image" and file.size_bytes <= _MOST_PREVIEW_BYTES
    return told | {"previewImageUrl": link if is_its_own_preview else links.cover()}
