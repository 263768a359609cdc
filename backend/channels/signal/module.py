"""What a Signal account needs, its check, and its connector.

It never opens the event stream to check an account: that would take messages away.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from backend.channels.signal.calls import DEFAULT_API_URL, SignalCalls
from backend.channels.signal.inbound import SignalInbound
from backend.channels.signal.outbound import SignalOutbound
from backend.channels.signal.streams import SignalStreams
from backend.channels.signal.wire import Known, Version
from contract.wire import Channel


class SignalModule:
    """The module `signal`; it keeps the protocol ChannelModule."""

    name = "signal"
    channel = Channel.SIGNAL
    needs_public_url = False
    switched_off = ""
    fields = (
        SettingField(
            name="account", words="The firm's number at signal-cli, with +", identity="number"
        ),
        SettingField(
            name="api_url",
            words="Where signal-cli's daemon listens (--http)",
            required=False,
            default=DEFAULT_API_URL,
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all Signal accounts."""
        calls = SignalCalls(context)
        streams = SignalStreams(calls, context.http)
        return Connector(
            outbound=SignalOutbound(calls, streams), inbound=SignalInbound(calls, streams)
        )

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask the daemon for its version and its accounts."""
        calls = SignalCalls(context)
        lines: list[CheckLine] = []
        try:
            told = await calls.ask(account.account_id, "version", {}, repeatable=True)
            version = msgspec.json.decode(told, type=Version).version
            lines.append(CheckLine(step="daemon", ok=True, words=f"signal-cli {version} answers."))
            told = await calls.ask(account.account_id, "listAccounts", {}, repeatable=True)
            numbers = {each.number for each in msgspec.json.decode(told, type=list[Known])}
        except faults.ChannelFault as fault:
            step = "account" if lines else "daemon"
            return (*lines, CheckLine(step=step, ok=False, words=fault.reason))
        except msgspec.DecodeError:
            words = "What answers there is not signal-cli."
            return (*lines, CheckLine(step="daemon", ok=False, words=words))
        known = calls.number(account.account_id) in numbers
        words = (
            "The firm's number is linked or registered."
            if known
            else "signal-cli has no such number. Link or register it: docs/channels/signal.md."
        )
        lines.append(CheckLine(step="account", ok=known, words=words))
        lines.append(
            CheckLine(
                step="receiving",
                ok=True,
                words="Start the daemon with --receive-mode=manual, or messages that come while "
                "Parley is down are lost.",
            )
        )
        return tuple(lines)


MODULE = SignalModule()
