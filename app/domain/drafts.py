"""A draft as kept for one conversation.

It never expires: only sending or the user's own deletion ends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.ids import AttachmentId, ConversationId, MessageId
from contract.wire import Attachment


@dataclass(frozen=True, slots=True)
class Draft:
    """Text (as typed), what it answers and files already uploaded, saved at `saved_at_utc_ms`.

    `justification` is the reason typed so far; `acknowledged` and `false_positives` name the
    findings answered so far, each by its rule's id or by id and words; `template_id` is set while
    the text is an approved template of the channel.
    """

    conversation_id: ConversationId
    text: str
    quote_message_id: MessageId | None = None
    attachment_ids: tuple[AttachmentId, ...] = ()
    saved_at_utc_ms: int = 0
    justification: str = ""
    acknowledged: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    template_id: str = ""


@dataclass(frozen=True, slots=True)
class CheckedDraft:
    """What policy is asked about: the text with all that goes with it, in one conversation.

    `quoted_text` is the message it answers, `template_id` the approved template it fills.
    """

    conversation_id: ConversationId
    text: str
    files: tuple[Attachment, ...] = ()
    quoted_text: str = ""
    template_id: str = ""
