"""Telegram by its Bot API: the module that accounts name as `telegram`.

It never signs in as a person: a business connection lets the bot write in an employee's name.
"""

from __future__ import annotations

from backend.channels.telegram.module import MODULE

__all__ = ["MODULE"]
