"""What an account of the spool needs, the check of its folder, and its connector.

It never creates the folder: the gateway's administrator does.
"""

from __future__ import annotations

from pathlib import Path

from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from contract.wire import Channel
from parley_channel_spool.inbound import SpoolInbound
from parley_channel_spool.outbound import SpoolOutbound


class SpoolModule:
    """The module `spool`; it keeps the protocol backend.channels.modules.ChannelModule."""

    name = "spool"
    channel = Channel.SMS
    needs_public_url = False
    switched_off = ""
    fields = (
        SettingField(name="folder", words="Folder the gateway shares with this backend"),
        SettingField(
            name="secret", words="The secret with which the gateway signs its files", secret=True
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all accounts of this module."""
        return Connector(outbound=SpoolOutbound(context), inbound=SpoolInbound(context))

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Look whether both folders are there."""
        folder = Path(context.settings_of(account.account_id)["folder"])
        found = []
        for name in ("outgoing", "incoming"):
            there = (folder / name).is_dir()
            words = "The folder is there." if there else f"Make the folder {folder / name}."
            found.append(CheckLine(step=name, ok=there, words=words))
        return tuple(found)


MODULE = SpoolModule()
