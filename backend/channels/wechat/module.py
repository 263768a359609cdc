"""What an official account needs, the check of its credentials, and its connector.

It never changes anything at WeChat.
"""

from __future__ import annotations

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from backend.channels.wechat.calls import Ask
from backend.channels.wechat.inbound import WeChatInbound
from backend.channels.wechat.outbound import DEFAULT_API_URL, WeChatOutbound, calls_of
from backend.channels.wechat.sealing import Seal
from contract.wire import Channel

_IN_THE_CLEAR = (
    "Callbacks come in the clear and their signature does not cover what they say. "
    "Choose the safe mode in the console and set encoding_aes_key."
)


class WeChatModule:
    """The module `wechat`; it keeps the protocol ChannelModule."""

    name = "wechat"
    channel = Channel.WECHAT
    needs_public_url = True
    switched_off = ""
    fields = (
        SettingField(
            name="app_id",
            words="AppID, in the console under Settings & Development > Basic",
            identity="app",
        ),
        SettingField(name="app_secret", words="AppSecret, beside it", secret=True),
        SettingField(
            name="callback_token",
            words="A word of your own of 3 to 32 letters and digits; enter the same as Token",
            secret=True,
        ),
        SettingField(
            name="encoding_aes_key",
            words="EncodingAESKey of 43 characters, for the safe mode",
            secret=True,
            required=False,
        ),
        SettingField(
            name="api_url", words="Address of the API", required=False, default=DEFAULT_API_URL
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all official accounts."""
        calls = calls_of(context)
        return Connector(
            outbound=WeChatOutbound(context, calls), inbound=WeChatInbound(context, calls)
        )

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask WeChat for a token and what it calls us from; look over the callback's key."""
        try:
            ask = Ask("GET", "/cgi-bin/getcallbackip")
            await calls_of(context).call(account.account_id, ask)
        except faults.ChannelFault as fault:
            words = f"{fault.reason} Look at AppID, AppSecret and the list of allowed addresses."
            return (CheckLine(step="credentials", ok=False, words=words),)
        settings = context.settings_of(account.account_id)
        known = CheckLine(step="credentials", ok=True, words="WeChat knows the account.")
        url = f"{context.public_url}/hooks/wechat/{account.account_id}"
        return (
            known,
            CheckLine(
                step="webhook",
                ok=bool(context.public_url),
                words=f"Enter {url} as server address, with the Token; then switch it on."
                if context.public_url
                else "No public address is set: WeChat can't deliver. Set it with --public-url.",
            ),
            seal_line(settings.get("encoding_aes_key", ""), settings["app_id"], _IN_THE_CLEAR),
        )


def seal_line(encoding_aes_key: str, receiver: str, without: str) -> CheckLine:
    """Return what is to say of an account's key for sealed callbacks."""
    if not encoding_aes_key:
        return CheckLine(step="encryption", ok=False, words=without)
    try:
        Seal(encoding_aes_key, receiver)
    except ValueError as error:
        return CheckLine(step="encryption", ok=False, words=str(error))
    return CheckLine(step="encryption", ok=True, words="Callbacks come sealed.")


MODULE = WeChatModule()
