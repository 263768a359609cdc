"""The supervisor's queue as Qt sees it: one row a held message.

It never asks the backend; the presenter hands it rows.
"""

from __future__ import annotations

from datetime import tzinfo

from PySide6.QtCore import QObject

from contract.supervision import Approval
from ui.models.approval_words import approval_row
from ui.models.waiting_model import WaitingModel


class ApprovalsModel(WaitingModel[Approval]):
    """Held messages by their approvals' ids."""

    def __init__(self, zone: tzinfo | None = None, parent: QObject | None = None) -> None:
        super().__init__(
            lambda held: held.approval_id, lambda held: held.title, approval_row, zone, parent
        )
