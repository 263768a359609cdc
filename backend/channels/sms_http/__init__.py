"""SMS by a Twilio-style HTTP service: the module that accounts name as `sms_http`.

It never uses the service's own conversations or bots.
"""

from __future__ import annotations

from backend.channels.sms_http.module import MODULE

__all__ = ["MODULE"]
