"""Rules 8, 9 and 11: what the channels' own terms let through, and when only a template may go.

It does not reach a channel: windows and templates are the backend's own record of them.
"""

from __future__ import annotations

import httpx

from backend.directory.points import PointAddress
from backend.directory.templates import set_template
from contract.policy.model import Action
from contract.supervision import Template
from contract.wire import Channel
from tests.backend.workspace import FIRM, POLICY, Workspace
from tests.law.conftest import DAY_MS, HOUR_MS, rules_of, run, send

GREETING = Template(
    template_id="greeting",
    channel=Channel.WHATSAPP,
    language="en",
    name="Greeting",
    body="Good day {{1}}, we have news for you. Please answer to go on.",
    parameters=1,
)


async def test_rule_08_whatsapp_free_text_only_within_24_hours_else_a_template(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    """WhatsApp Business: each message of the client opens 24 hours; else templates."""
    workspace.clock.at_utc_ms += 24 * HOUR_MS - 60_000
    assert (await send(workspace, client, chat, "Still in time.")).status_code == 201
    workspace.clock.at_utc_ms += 120_000
    late = await send(workspace, client, chat, "Too late.")
    assert (late.status_code, "windows.closed" in rules_of(late)) == (403, True)
    await workspace.services.database.write(lambda c: set_template(c, FIRM, GREETING))
    filled = "Good day Hana, we have news for you. Please answer to go on."
    template = await send(workspace, client, chat, filled, template_id="greeting")
    assert template.status_code == 201
    # A template does not open the window; nor is a free text one because it says so.
    assert (await send(workspace, client, chat, "And now?")).status_code == 403
    false = await send(workspace, client, chat, "Own words.", template_id="greeting")
    assert false.status_code != 201
    await workspace.inbound("Good morning again")
    assert (await send(workspace, client, chat, "Good morning!")).status_code == 201


async def test_rule_09_wechat_five_messages_within_48_hours(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    """WeChat customer service messages: five answers, 48 hours from the client's last word."""
    await run(
        workspace,
        "UPDATE channel_accounts SET channel = 'wechat', window_s = 172800,"
        " window_max_messages = 5 WHERE account_id = 'acc-wa'",
    )
    point = PointAddress(Channel.WECHAT, "openid", "o-li-wei")
    chat = await workspace.conversation_of(await workspace.inbound("您好", point=point))
    for number in range(5):
        assert (await send(workspace, client, chat, f"第{number}条")).status_code == 201
    sixth = await send(workspace, client, chat, "第六条")
    assert (sixth.status_code, "windows.closed" in rules_of(sixth)) == (403, True)
    await workspace.inbound("好的", point=point)
    assert (await send(workspace, client, chat, "谢谢")).status_code == 201
    workspace.clock.at_utc_ms += 2 * DAY_MS + 60_000
    late = await send(workspace, client, chat, "过了两天")
    assert (late.status_code, "windows.closed" in rules_of(late)) == (403, True)


def test_windows_block_and_can_not_be_overridden() -> None:
    (rule,) = (rule for rule in POLICY.server.rules if rule.id == "windows.closed")
    assert rule.action is Action.BLOCK
    assert set(rule.channels) == {Channel.WHATSAPP, Channel.WECHAT}
