"""Owns what a channel answers to functions it does not have, so that no connector says it anew.

It never sends anything: a connector builds its own `send` and whatever else it can on top.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Attempt,
    Finding,
    OutboundMessage,
    Reconciliation,
)


class PlainOutbound:
    """Every function beyond sending is refused; `shown_name` is the channel's name for people."""

    shown_name = "This channel"

    async def edit(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Refuse."""
        raise self._refused("change a sent message")

    async def delete(self, outbound: OutboundMessage, external_id: str, attempt: Attempt) -> None:
        """Refuse."""
        raise self._refused("take a sent message back")

    async def react(self, account: Account, address: str, external_id: str, emoji: str) -> None:
        """Refuse."""
        raise self._refused("react to a message")

    async def mark_read(
        self, account: Account, address: str, external_id: str, refs: Mapping[str, str]
    ) -> None:
        """Refuse."""
        raise self._refused("mark messages as read")

    async def typing(self, account: Account, address: str, typing: bool) -> None:
        """Refuse."""
        raise self._refused("show that it types")

    async def reconcile(self, outbound: OutboundMessage, attempt: Attempt) -> Reconciliation:
        """Say that it can't be told: such a channel can't be asked what became of an attempt."""
        return Reconciliation(finding=Finding.CANNOT_TELL)

    def _refused(self, what: str) -> faults.Unsupported:
        return faults.Unsupported(f"{self.shown_name} does not let a firm {what}.")
