"""Says what an unknown sender shows in the queue: who, from where to where, the newest words.

It never paints by itself and never changes the model.
"""

from __future__ import annotations

from contract.triage import TriageItem
from ui.delegates.waiting_delegate import AnyIndex, WaitingRow
from ui.models.triage_words import TriageRow
from ui.models.waiting_model import WaitingRole


def triage_waiting_row(index: AnyIndex) -> WaitingRow | None:
    """Return what the row of an unknown sender says; None for any other index."""
    item, words = index.data(WaitingRole.ROW), index.data(WaitingRole.WORDS)
    if not isinstance(item, TriageItem) or not isinstance(words, TriageRow):
        return None
    return WaitingRow(
        item.channel, words.title, words.when, words.address, words.preview, words.count, "accent"
    )
