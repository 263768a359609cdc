"""What a customer service account of WeCom needs, its check, and its connector.

It never changes anything at WeCom.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from backend.channels.wechat.calls import Ask
from backend.channels.wechat.module import seal_line
from backend.channels.wecom.inbound import WeComInbound
from backend.channels.wecom.outbound import DEFAULT_API_URL, WeComOutbound, calls_of
from backend.channels.wecom.wire import Desk, Desks
from contract.wire import Channel


class WeComModule:
    """The module `wecom`; it keeps the protocol ChannelModule."""

    name = "wecom"
    channel = Channel.WECHAT
    needs_public_url = True
    switched_off = ""
    fields = (
        SettingField(name="corp_id", words="Company ID, under My Company at the page's end"),
        SettingField(
            name="kf_secret", words="Secret, under WeChat Customer Service > API", secret=True
        ),
        SettingField(
            name="open_kfid",
            words="The customer service account's id, beginning with wk",
            identity="desk",
        ),
        SettingField(name="callback_token", words="Token of the callback's settings", secret=True),
        SettingField(
            name="encoding_aes_key", words="EncodingAESKey of 43 characters, beside it", secret=True
        ),
        SettingField(
            name="api_url", words="Address of the API", required=False, default=DEFAULT_API_URL
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all customer service accounts."""
        calls = calls_of(context)
        return Connector(
            outbound=WeComOutbound(context, calls), inbound=WeComInbound(context, calls)
        )

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask WeCom for its customer service accounts and find ours among them."""
        settings = context.settings_of(account.account_id)
        ask = Ask("POST", "/cgi-bin/kf/account/list", document={"offset": 0, "limit": 100})
        try:
            reply = await calls_of(context).call(account.account_id, ask)
            desks = msgspec.json.decode(reply.body, type=Desks).account_list
        except (faults.ChannelFault, msgspec.DecodeError) as error:
            reason = error.reason if isinstance(error, faults.ChannelFault) else "No JSON came."
            return (CheckLine(step="credentials", ok=False, words=reason),)
        known = CheckLine(step="credentials", ok=True, words="WeCom knows the company.")
        url = f"{context.public_url}/hooks/wecom/{account.account_id}"
        return (
            known,
            _desk_line(desks, settings["open_kfid"]),
            CheckLine(
                step="webhook",
                ok=bool(context.public_url),
                words=f"Enter {url} as callback URL under WeChat Customer Service > API."
                if context.public_url
                else "No public address is set: WeCom can't call. Set it with --public-url.",
            ),
            seal_line(settings["encoding_aes_key"], settings["corp_id"], "Set encoding_aes_key."),
        )


def _desk_line(desks: list[Desk], open_kfid: str) -> CheckLine:
    names = {desk.open_kfid: desk.name for desk in desks}
    if open_kfid in names:
        words = f"The customer service account is {names[open_kfid]}."
        return CheckLine(step="account", ok=True, words=words)
    listed = ", ".join(sorted(names)) or "none"
    words = f"WeCom does not let the application use {open_kfid}. It may use: {listed}."
    return CheckLine(step="account", ok=False, words=words)


MODULE = WeComModule()
