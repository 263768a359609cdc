"""Owns how Signal's messages are named: by author and timestamp, edits by what they replace.

It never holds a word of a message.
"""

from __future__ import annotations

import re

import msgspec

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOST_EDITS = 300


def message_id(author: str, timestamp: int) -> str:
    """Return a message's id; ours (an empty author) is the timestamp alone."""
    return f"{author}.{timestamp}" if author else str(timestamp)


def author_of(external_id: str) -> str:
    """Return who wrote a message; empty for us."""
    return external_id.rpartition(".")[0]


def timestamp_of(external_id: str) -> int:
    """Return a message's timestamp (UTC milliseconds); raises ValueError for another's id."""
    return int(external_id.rpartition(".")[2])


def is_person(address: str) -> bool:
    """Tell a person's address (a Signal id or a number) from a group's."""
    return address.startswith("+") or _UUID.fullmatch(address) is not None


class Edits:
    """Which message each of the last edits belongs to, so that edits of edits find it."""

    def __init__(self) -> None:
        self._original: dict[str, str] = {}

    def note(self, edit_id: str, target_id: str) -> None:
        """Remember that an edit replaces a message, or an earlier edit of it."""
        original = self.original(target_id)
        self._original.pop(edit_id, None)
        self._original[edit_id] = original
        while len(self._original) > _MOST_EDITS:
            self._original.pop(next(iter(self._original)))

    def original(self, external_id: str) -> str:
        """Return the message an id belongs to: itself, unless it is an edit's."""
        return self._original.get(external_id, external_id)

    def latest(self, external_id: str) -> str:
        """Return the newest edit of a message; itself without one."""
        edits = [edit for edit, original in self._original.items() if original == external_id]
        return edits[-1] if edits else external_id

    def kept(self) -> str:
        """Return what has to outlive a restart."""
        return msgspec.json.encode(self._original).decode() if self._original else ""

    def restore(self, kept: str) -> None:
        """Take back what was kept; what was learned since stands."""
        try:
            known = msgspec.json.decode(kept or "{}", type=dict[str, str])
        except msgspec.DecodeError:
            return
        self._original = known | self._original
