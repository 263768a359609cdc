"""What an SMPP account needs, its check, and its connector.

It never sends a message to check an account.
"""

from __future__ import annotations

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine
from backend.channels.smpp import wire
from backend.channels.smpp.inbound import SmppInbound
from backend.channels.smpp.links import SmppLinks
from backend.channels.smpp.outbound import SmppOutbound
from backend.channels.smpp.session import SmppSession
from backend.channels.smpp.settings import FIELDS, SmppSettings, read_settings
from contract.wire import Channel


class SmppModule:
    """The module `smpp`; it keeps the protocol ChannelModule."""

    name = "smpp"
    channel = Channel.SMS
    needs_public_url = False
    switched_off = ""
    fields = FIELDS

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all SMPP accounts."""
        links = SmppLinks(context.settings_of, context.now)
        return Connector(outbound=SmppOutbound(links, context.now), inbound=SmppInbound(links))

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Bind once and unbind; a centre that allows one bind refuses while Parley is bound."""
        try:
            settings = read_settings(context.settings_of(account.account_id))
            await _bind_once(settings)
        except faults.ChannelFault as fault:
            return (CheckLine(step="bind", ok=False, words=fault.reason),)
        secured = (
            "TLS secures the connection."
            if settings.tls
            else ("The connection is not encrypted: let it run through a VPN to the SMS centre.")
        )
        return (
            CheckLine(step="bind", ok=True, words="The SMS centre knows the account."),
            CheckLine(step="tls", ok=True, words=secured),
        )


async def _bind_once(settings: SmppSettings) -> None:
    roles = (
        (wire.BIND_TRANSMITTER, wire.BIND_RECEIVER)
        if settings.separate
        else (wire.BIND_TRANSCEIVER,)
    )
    for role in roles:
        session = SmppSession(settings, role, _leave)
        await session.open()
        await session.close()


def _leave(session: SmppSession, pdu: wire.Pdu) -> None:
    """Leave a text unanswered: the centre hands it over again to the connection that listens."""


MODULE = SmppModule()
