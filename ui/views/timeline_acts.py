"""What can be done with one message, as entries of its context menu.

It performs nothing: the view turns an entry into its signal.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.links import link_to_message
from app.domain.timeline import TimelineRow
from contract.states import DeliveryState
from contract.wire import Attachment, Direction, Message, Origin
from ui.models.message_words import (
    ASK,
    CANCEL,
    EDIT,
    RECEIPT,
    SEND_AGAIN,
    UNDO,
    BubbleWords,
    Setting,
)

COPY, REPLY, SAVE, DELIVERED, GIVE_UP, OPEN_LINK, COPY_LINK = (
    "copy",
    "reply",
    "save",
    "treat_as_delivered",
    "give_up",
    "open_link",
    "copy_link",
)
CHANGE, TAKE_BACK, REACT = "change", "take_back", "react"
CHANGES = frozenset({CHANGE, TAKE_BACK, REACT})
REACTIONS = ("👍", "❤️", "🙏", "✅")
_OUT = frozenset(
    {DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ}
)
_PART_NAMES = {
    UNDO: "Undo send",
    CANCEL: "Cancel sending",
    EDIT: "Edit",
    ASK: "Ask the client",
    SEND_AGAIN: "Send again…",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what it says, which act it is, what it works on; `value` is an emoji."""

    text: str
    act: str
    file: Attachment | None = None
    url: str = ""
    value: str = ""


def menu_entries(
    row: TimelineRow, words: BubbleWords, selected_text: str, setting: Setting, url: str = ""
) -> list[Entry]:
    """Return the entries for a message, the likeliest first."""
    message = row.message
    entries: list[Entry] = []
    if url:
        entries += [Entry("Open link…", OPEN_LINK, url=url), Entry("Copy link", COPY_LINK, url=url)]
    entries.append(Entry("Copy selected text" if selected_text else "Copy text", COPY))
    on_backend = message.version > 0 and not message.deleted
    if on_backend and message.origin is Origin.LIVE:
        entries.append(Entry("Reply", REPLY))
    entries += _changes(row.message, setting)
    entries += [Entry(f"Save “{file.name}”…", SAVE, file=file) for file in words.files]
    for part in (*words.footer, *words.below):
        if part.act in _PART_NAMES:
            entries.append(Entry(_PART_NAMES[part.act], part.act))
    if message.direction is Direction.OUT and message.state is DeliveryState.UNKNOWN:
        entries.append(Entry("It was delivered", DELIVERED))
        entries.append(Entry("Give up", GIVE_UP))
    if on_backend and (message.direction is Direction.OUT or message.versions_archived > 1):
        entries.append(Entry("Details", RECEIPT))
    if on_backend:
        link = link_to_message(message.message_id)
        entries.append(Entry("Copy link to this message", COPY_LINK, url=link))
    return entries


def _changes(message: Message, setting: Setting) -> list[Entry]:
    """Return what the channel lets one change about a message that is out."""
    send = setting.send
    if send is None or message.version == 0 or message.deleted:
        return []
    entries = []
    if send.reactions and message.origin is Origin.LIVE:
        mine = [each.emoji for each in message.reactions if each.mine]
        entries += [Entry(f"React {one}", REACT, value=one) for one in REACTIONS if one not in mine]
        entries += [Entry("Take your reaction away", REACT)] if mine else []
    own = message.direction is Direction.OUT and message.author_id == setting.me_id
    if not own or message.state not in _OUT:
        return entries
    age_s = (setting.now_utc_ms - message.place_at_utc_ms) / 1000
    if send.edits and (send.edit_max_age_s is None or age_s < send.edit_max_age_s):
        entries.append(Entry("Change text…", CHANGE))
    if send.deletes and (send.delete_max_age_s is None or age_s < send.delete_max_age_s):
        entries.append(Entry("Delete for everyone…", TAKE_BACK))
    return entries


def question(words: BubbleWords) -> str:
    """Return the text to propose in the composer for `Ask …`."""
    if words.dashed:
        return "Could you send your last message again as text, please?"
    return f"Did you receive my message “{words.text[:60].strip()}”?"
