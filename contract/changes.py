"""What an employee asks for about a message that went out: its taking back, or a reaction.

It never holds an edit: that is a submission of the same message with a higher revision.
"""

from __future__ import annotations

from contract.base import Command


class TakeBack(Command):
    """Take a message of one's own back; `revision` is the newest one the employee saw."""

    revision: int
    asked_at_utc_ms: int


class SetReaction(Command):
    """Set one's reaction to a client's message; an empty emoji takes it away."""

    emoji: str
    asked_at_utc_ms: int
