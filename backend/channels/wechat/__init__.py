"""WeChat by an official account: the module that accounts name as `wechat`.

It never signs in as a person, and it is not WeCom, which is a module of its own.
"""

from __future__ import annotations

from backend.channels.wechat.module import MODULE

__all__ = ["MODULE"]
