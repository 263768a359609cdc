"""The checks every channel shares before a send: window, consent and size.

It does no I/O and never changes a message.
"""

from __future__ import annotations

from backend.channels.contract import (
    Blocked,
    Capabilities,
    MediaLimit,
    OutboundFile,
    OutboundMessage,
)
from backend.channels.text_length import text_length

GROUP = "chat"  # the id type of a group's own address
_WINDOW_CLOSED = "The channel's reply window is closed. Use a template, or wait for the client."
_CONSENT_GONE = "The client opted out of messages on this channel."
_NO_QUOTES = "This channel can't quote a message. Send the text on its own."
_NO_GROUPS = "This account can't write to groups. Write to each client instead."
_NOTHING = "There is nothing to send."
_NOT_THIS_KIND = "This channel can't carry files of this kind. Send another kind of file."
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
    if outbound.quote_external_id and not capabilities.reply:
        return Blocked(reason=_NO_QUOTES)
    if outbound.id_type == GROUP and not capabilities.groups:
        return Blocked(reason=_NO_GROUPS)
    if text_length(outbound.text, capabilities.text_unit) > capabilities.text_max:
        return Blocked(reason="The text is too long for this channel. Send it in parts.")
    return _check_files(capabilities, outbound.attachments)


def carried_as(capabilities: Capabilities, file: OutboundFile) -> str | None:
    """Return the kind a file goes as: its own where type and size allow it, else a document.

    None when the channel carries it neither way.
    """
    for kind in (file.media_type.partition("/")[0], "document"):
        limit = capabilities.media.get(kind)
        if limit is not None and _has_type(limit, file) and file.size_bytes <= limit.max_bytes:
            return kind
    return None


def _check_files(
    capabilities: Capabilities, attachments: tuple[OutboundFile, ...]
) -> Blocked | None:
    if attachments and not capabilities.media:
        return Blocked(reason=_NO_FILES)
    for item in attachments:
        if carried_as(capabilities, item) is not None:
            continue
        kinds = (item.media_type.partition("/")[0], "document")
        limits = [capabilities.media[kind] for kind in kinds if kind in capabilities.media]
        most_bytes = max((each.max_bytes for each in limits if _has_type(each, item)), default=0)
        if not most_bytes:
            return Blocked(reason=_NOT_THIS_KIND)
        megabytes = most_bytes // 1_000_000
        return Blocked(reason=f"A file is larger than the {megabytes} MB this channel carries.")
    return None


def _has_type(limit: MediaLimit, file: OutboundFile) -> bool:
    return not limit.types or file.media_type in limit.types
