"""Signal by a signal-cli daemon: the module that accounts name as `signal`.

It never registers a number and never trusts a changed identity by itself.
"""

from __future__ import annotations

from backend.channels.signal.module import MODULE

__all__ = ["MODULE"]
