"""A firm's backend as a real process: real connectors on a local vendor, tokens, webhooks, admin.

It never reaches beyond loopback.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.domain.inbox import InboxQuery
from app.session.access_token import forget_token, keep_token
from contract.ids import uuid7
from contract.policy.manifest import unpack_bundle
from contract.wire import Direction
from tests.app.core_world import new_core, online, row_when
from tests.backend.channels.telegram_peer import TOKEN as BOT_TOKEN
from tests.backend.channels.telegram_peer import TelegramPeer
from tests.backend.test_policy_commands import NO_WEATHER as RAIN
from tests.backend.test_policy_commands import key, policy, source
from tests.channels.peers import free_port
from tests.support.firm_backend import KEY_HEX, FirmBackend
from tests.support.served_backend import archive_is_sound
from tests.support.waiting import until

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not os.environ.get("PARLEY_PEERS"), reason="whole processes run in `make test-channels`"
    ),
]
ANNA = "emp-anna"
APP_SECRET = "an app's secret"
WHATSAPP = {
    "phone_number_id": "1",
    "access_token": "t",
    "app_secret": APP_SECRET,
    "verify_token": "a word",
}
COMPLIANCE = ("--role", "compliance")
VERSION = "2099.1.1"
HOOK = "/hooks/whatsapp/acc-wa"
BODY = json.dumps({"object": "whatsapp_business_account", "entry": []}).encode()


async def _until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not look():
            await asyncio.sleep(0.02)


@dataclass
class Firm:
    """A running firm with one employee and a bot at a local vendor."""

    backend: FirmBackend
    peer: TelegramPeer
    token: str


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[FirmBackend]:
    """Make a firm whose backend does not run."""
    with FirmBackend(tmp_path / "firm", port=free_port()) as backend:
        yield backend


@pytest.fixture
def firm(bare: FirmBackend) -> Iterator[Firm]:
    """Run a firm with a Telegram bot."""
    peer = TelegramPeer()
    with peer.server as server:
        token = bare.add_employee(ANNA, "Anna Keller")
        bot = {"bot_token": BOT_TOKEN, "api_url": server.url}
        bare.add_channel("telegram", "acc-tg", bot, "--member", ANNA)
        bare.start()
        yield Firm(bare, peer, token)
        bare.kill()


async def test_a_client_writes_and_is_answered_through_a_firms_backend(
    firm: Firm, tmp_path: Path
) -> None:
    """From the vendor into a client's inbox, and back, with receipts verified."""
    keys, peer = firm.backend.client_settings(), firm.peer
    core = new_core(tmp_path / "app", endpoint=firm.backend.endpoint(firm.token), **keys)
    try:
        await core.open()
        await core.connect()
        await online(core)
        assert core.me is not None
        assert (core.me.display_name, core.status.workspace) == ("Anna Keller", "firm")
        peer.writes("Good morning from Ada")
        async with asyncio.timeout(60):
            while not (rows := (await core.store.inbox.page(InboxQuery(), 10)).rows):
                await asyncio.sleep(0.02)
        chat = rows[0].conversation.conversation_id
        message_id = await core.messaging.send(chat, "Good morning, Ada")
        row = await row_when(core, message_id, lambda r: r.message.archive is not None)
        assert row.message.direction is Direction.OUT
        await _until(lambda: "Good morning, Ada" in [each["text"] for each in peer.sent.values()])
        await core.messaging.typing(chat, typing=True)
        await _until(lambda: "sendChatAction" in [name for name, _ in peer.calls])
    finally:
        await core.close()
    firm.backend.stop()
    assert archive_is_sound(firm.backend.data_dir)


@pytest.mark.usefixtures("private_keyring")
async def test_an_employee_signs_in_once_with_the_token_they_were_given(
    firm: Firm, tmp_path: Path
) -> None:
    """The token lies in the keyring; the app finds it by the address IT has set."""
    url = firm.backend.public_url
    keep_token(url, firm.token)
    keys = firm.backend.client_settings()
    core = new_core(tmp_path / "app", BackendUrl=url, **keys)
    try:
        await core.open()
        await core.connect()
        await online(core)
        assert core.me is not None
        assert core.me.display_name == "Anna Keller"
    finally:
        await core.close()
        forget_token(url)


def _signed(body: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def test_webhooks_are_believed_by_their_signature_alone(firm: Firm) -> None:
    """An account that came while the backend ran, called as Meta would."""
    firm.backend.add_channel("whatsapp", "acc-wa", WHATSAPP, "--no-check", "--member", ANNA)
    query = {"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "7"}
    with firm.backend.client() as vendor, firm.backend.client(firm.token) as anna:
        until(lambda: vendor.get(HOOK, params=query).text == "7", "the new account's address")
        assert vendor.post(HOOK, content=BODY, headers=_signed(BODY)).status_code == 200
        assert vendor.post(HOOK, content=BODY, headers=_signed(BODY, "guess")).status_code == 403
        assert vendor.post("/hooks/whatsapp/acc-other", content=BODY).status_code == 404
        told = vendor.get("/v1/health").json()
        assert any("acc-wa" in line and "signature" in line for line in told["problems"])
        written = json.dumps(_whatsapp_text("Hello from a phone")).encode()
        assert vendor.post(HOOK, content=written, headers=_signed(written)).status_code == 200
        until(
            lambda: _heard(anna, "Hello from a phone"),
            "the client's message",
        )
    assert APP_SECRET not in firm.backend.child.errors
    assert "Hello from a phone" not in firm.backend.child.errors


def test_tokens_are_refused_once_revoked_and_streams_end_with_them(firm: Firm) -> None:
    spare = firm.backend.token(ANNA)
    with firm.backend.client(firm.token) as anna, firm.backend.client("guessed") as nobody:
        assert anna.get("/v1/me").json()["employee_id"] == ANNA
        assert nobody.get("/v1/me").status_code == 401
        with anna.stream("GET", "/v1/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == ": open"
            firm.backend.admin("employee", "revoke", "--id", ANNA)
            for _ in lines:  # heartbeats, until the backend ends the stream
                pass
        assert anna.get("/v1/me").status_code == 401
    with firm.backend.client(spare) as anna:
        assert anna.get("/v1/me").status_code == 401


def test_an_accounts_new_settings_hold_without_a_restart(firm: Firm) -> None:
    """The bot's token is changed at the vendor, then here."""
    pid = firm.backend.child.pid
    firm.backend.set_channel("acc-tg", {"bot_token": "123:wrong"}, "--no-check")
    until(lambda: _refused_calls(firm.backend), "a refusal by the vendor")
    firm.backend.set_channel("acc-tg", {"bot_token": BOT_TOKEN})
    firm.peer.writes("Are you there?")
    with firm.backend.client(firm.token) as anna:
        until(lambda: _heard(anna, "Are you there?"), "the message")
    assert firm.backend.child.alive
    assert firm.backend.child.pid == pid


def test_a_policy_two_people_published_is_enforced_without_a_restart(
    firm: Firm, tmp_path: Path
) -> None:
    backend, keys = firm.backend, {}
    for name in ("author", "approver"):
        backend.admin("employee", "add", "--id", f"emp-{name}", "--name", name, *COMPLIANCE)
        keys[name] = key(tmp_path, name)
    for name, by in (("author", "approver"), ("approver", "author")):
        who = ("--employee", f"emp-{name}", "--by", f"emp-{by}")
        _policy(backend, "keys", "--add", keys[name][1], *who)
    bundle, folder = str(tmp_path / "mine.bundle"), source(tmp_path / "mine", VERSION, rules=RAIN)
    policy("sign", str(folder), "--key", str(keys["author"][0]), "-o", bundle)
    policy("sign", bundle, "--key", str(keys["approver"][0]), "-o", bundle)
    firm.peer.writes("What will it be like?")
    with backend.client(firm.token) as anna:
        until(lambda: _heard(anna, "What will it be like?"), "the message")
        _policy(backend, "publish", "--bundle", bundle)
        until(lambda: VERSION in _served_policy(anna), "the new policy")
        refused = _submit(anna, "It is going to rain tomorrow")
        assert (refused.status_code, refused.json()["code"]) == (403, "policy_denied")
    assert backend.admin("firm", "show")[0]["policy"] == VERSION


def _served_policy(client: httpx.Client) -> str:
    """Return the header of the bundle that clients are given."""
    return unpack_bundle(client.get("/v1/policy/bundle").content)["bundle.yaml"].decode()


def _policy(backend: FirmBackend, *command: str) -> None:
    done = backend.admin_process("policy", *command, stdin={})
    assert done.returncode == 0, done.stderr


def _submit(client: httpx.Client, text: str) -> httpx.Response:
    """Send a text to the one conversation there is."""
    (chat,) = client.get("/v1/conversations").json()["conversations"]
    now_utc_ms = time.time_ns() // 1_000_000
    message_id = uuid7(now_utc_ms, os.urandom(10))
    return client.post(
        f"/v1/conversations/{chat['conversation_id']}/messages",
        headers={"Idempotency-Key": f"{message_id}.0"},
        json={
            "message_id": message_id,
            "revision": 0,
            "text": text,
            "salt": os.urandom(32).hex(),
            "composed_at_utc_ms": now_utc_ms,
        },
    )


def test_what_was_killed_goes_on_where_it_was(firm: Firm) -> None:
    firm.peer.writes("before the crash")
    with firm.backend.client(firm.token) as anna:
        until(lambda: _heard(anna, "before the crash"), "the message")
    firm.backend.kill()
    firm.peer.writes("while it was down")
    firm.backend.start()
    with firm.backend.client(firm.token) as anna:
        until(lambda: _heard(anna, "while it was down"), "the message")
        assert _texts(anna).count("before the crash") == 1


def test_one_line_on_stdin_sets_up_an_account(bare: FirmBackend) -> None:
    """As a script does it: the key and the settings by the command's input alone."""
    settings = {"bot_token": BOT_TOKEN, "api_url": "http://127.0.0.1:9"}
    done = bare.admin_process(
        "admin", "channel", "add", "--module", "telegram", "--account", "acc-tg", "--label", "Bot",
        "--no-check", stdin={"settings": settings},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert BOT_TOKEN not in done.stdout + done.stderr
    (line,) = bare.admin("channel", "list")
    assert line["settings"] == {**settings, "bot_token": "(set)"}


def test_a_reverse_proxy_may_name_the_public_host_and_no_other(tmp_path: Path) -> None:
    public = "https://parley.bank.example"
    with FirmBackend(tmp_path / "firm", port=free_port(), public_url=public) as backend:
        backend.start()
        with backend.client() as proxy:
            for host, status in (("parley.bank.example", 200), ("evil.example", 400)):
                answer = proxy.get("/v1/capabilities", headers={"Host": host})
                assert answer.status_code == status


def test_the_embedded_start_refuses_a_firms_folder(bare: FirmBackend) -> None:
    line = {"database_key": KEY_HEX, "secret": "of this start"}
    done = bare.admin_process("serve", "--embedded", stdin=line)
    assert done.returncode == 2
    assert "sample workspace only" in done.stderr


def _texts(client: httpx.Client) -> list[str]:
    """Return the texts of all conversations that somebody sees."""
    found = []
    for each in client.get("/v1/conversations").json()["conversations"]:
        page = client.get(f"/v1/conversations/{each['conversation_id']}/messages").json()
        found += [message["text"] for message in page["messages"]]
    return found


def _heard(client: httpx.Client, text: str) -> bool:
    return text in _texts(client)


def _refused_calls(backend: FirmBackend) -> bool:
    return "polling an account failed" in backend.child.errors


def _whatsapp_text(text: str) -> dict[str, object]:
    """Return Meta's webhook of a text, as its reference shows it."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "41790000000", "phone_number_id": "1"},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "16505551234"}],
        "messages": [
            {
                "from": "16505551234",
                "id": "wamid.first",
                "timestamp": "1749416383",
                "type": "text",
                "text": {"body": text},
            }
        ],
    }
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
