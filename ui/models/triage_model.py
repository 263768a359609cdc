"""The queue of unknown senders as Qt sees it: one row a sender.

It never asks the backend; the presenter hands it rows.
"""

from __future__ import annotations

from datetime import tzinfo

from PySide6.QtCore import QObject

from contract.triage import TriageItem
from ui.models.triage_words import triage_row
from ui.models.waiting_model import WaitingModel


class TriageModel(WaitingModel[TriageItem]):
    """Unknown senders by their conversations."""

    def __init__(self, zone: tzinfo | None = None, parent: QObject | None = None) -> None:
        super().__init__(
            lambda item: item.conversation_id, lambda item: item.title, triage_row, zone, parent
        )
