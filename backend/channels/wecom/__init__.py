"""WeCom's customer service for WeChat users: the module that accounts name as `wecom`.

It never reads an employee's own WeCom chats.
"""

from __future__ import annotations

from backend.channels.wecom.module import MODULE

__all__ = ["MODULE"]
