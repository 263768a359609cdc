"""The selected text of one message and how keys extend it.

It never spans messages and holds no text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from contract.ids import MessageId
from ui.delegates.bubble_text import MeasuredText


@dataclass(frozen=True, slots=True)
class TextSelection:
    """From `anchor` to `cursor` in UTF-16 units of one message's text."""

    message_id: MessageId
    anchor: int
    cursor: int

    def is_empty(self) -> bool:
        """Tell whether nothing is selected."""
        return self.anchor == self.cursor

    def span(self) -> tuple[int, int]:
        """Return start and end in ascending order."""
        return min(self.anchor, self.cursor), max(self.anchor, self.cursor)


def everything(message_id: MessageId, text: MeasuredText) -> TextSelection:
    """Return the selection of a whole text."""
    return TextSelection(message_id, 0, text.length())


def extended(
    event: QKeyEvent, selection: TextSelection | None, message_id: MessageId, text: MeasuredText
) -> TextSelection | None:
    """Return the selection after Shift with an arrow, Home or End; None for any other key.

    Without a selection in this message it starts at the text's beginning, leftwards at its end.
    """
    if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        return None
    key = event.key()
    if key not in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
        return None
    backwards = key in (Qt.Key.Key_Left, Qt.Key.Key_Home)
    if selection is None or selection.message_id != message_id:
        start = text.length() if backwards else 0
        selection = TextSelection(message_id, start, start)
    if key == Qt.Key.Key_Home:
        return replace(selection, cursor=0)
    if key == Qt.Key.Key_End:
        return replace(selection, cursor=text.length())
    by_word = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    cursor = text.step(selection.cursor, key == Qt.Key.Key_Right, by_word)
    return replace(selection, cursor=cursor)
