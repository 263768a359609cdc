"""The checks every channel shares before a send: window, consent and size.

It does no I/O and never changes a message.
"""

from __future__ import annotations

from backend.channels.contract import Blocked, Capabilities, OutboundFile, OutboundMessage
from backend.channels.text_length import text_length

_WINDOW_CLOSED = "The channel's reply window is closed. Use a template, or wait for the client."
_CONSENT_GONE = "The client opted out of messages on this channel."
_NOTHING = "There is nothing to send."
_NO_FILES = "This channel can't carry files. Send the text alone or use another channel."


def shared_preflight(
    capabilities: Capabilities, outbound: OutboundMessage, now_utc_ms: int
) -> Blocked | None:
    """Return why the message may not go now, or None; the reason is a plain sentence."""
    if not outbound.consented:
        return Blocked(reason=_CONSENT_GONE)
    closes = outbound.window_closes_at_utc_ms
    closed = capabilities.window is not None and closes is not None and closes <= now_utc_ms
    if closed and not (outbound.template_id and capabilities.templates):
        return Blocked(reason=_WINDOW_CLOSED)
    if not outbound.text and not outbound.attachments:
        return Blocked(reason=_NOTHING)
    if text_length(outbound.text, capabilities.text_unit) > capabilities.text_max:
        return Blocked(reason="The text is too long for this channel. Send it in parts.")
    return _check_files(capabilities, outbound.attachments)


def _check_files(
    capabilities: Capabilities, attachments: tuple[OutboundFile, ...]
) -> Blocked | None:
    if attachments and not capabilities.media:
        return Blocked(reason=_NO_FILES)
    for item in attachments:
        kind = item.media_type.partition("/")[0]
        limit = capabilities.media.get(kind) or capabilities.media.get("document")
        if limit is None:
            return Blocked(reason=_NO_FILES)
        if item.size_bytes > limit.max_bytes:
            megabytes = limit.max_bytes // 1_000_000
            return Blocked(reason=f"A file is larger than the {megabytes} MB this channel carries.")
    return None
