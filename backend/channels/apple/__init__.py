"""Apple Messages for Business: present, and switched off until Apple approves the firm.

It never sends or receives: iMessage conversations come in by import.
"""

from __future__ import annotations

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine
from contract.wire import Channel

WHY = (
    "Apple Messages for Business needs Apple's approval of the firm and of its messaging service. "
    "Until then iMessage conversations come in by import."
)


class AppleModule:
    """The module `apple`; it keeps the protocol ChannelModule."""

    name = "apple"
    channel = Channel.IMESSAGE
    needs_public_url = True
    switched_off = WHY
    fields = ()

    def connect(self, context: ChannelContext) -> Connector:
        """Refuse: the module is switched off."""
        raise faults.AccountFault(WHY)

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Say why it is off."""
        return (CheckLine(step="approval", ok=False, words=WHY),)


MODULE = AppleModule()
