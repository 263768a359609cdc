"""Says what an unknown sender shows in the queue: who, from where to where, the newest words.

It never paints by itself and never changes the model.
"""

from __future__ import annotations

from contract.triage import TriageItem
from ui.delegates.waiting_delegate import AnyIndex, WaitingDelegate, WaitingRow
from ui.models.triage_model import TriageRole
from ui.models.triage_words import TriageRow


class TriageDelegate(WaitingDelegate):
    """Rows of TriageModel."""

    def row_of(self, index: AnyIndex) -> WaitingRow | None:
        """Return what an unknown sender says."""
        item, words = index.data(TriageRole.ITEM), index.data(TriageRole.WORDS)
        if not isinstance(item, TriageItem) or not isinstance(words, TriageRow):
            return None
        return WaitingRow(
            item.channel,
            words.title,
            words.when,
            words.address,
            words.preview,
            words.count,
            "accent",
        )
