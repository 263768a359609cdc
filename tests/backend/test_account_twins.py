"""No two channel accounts share what tells them at their vendor, and no secret is shown for that.

It never reaches a vendor.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest

from backend.channels.modules import BUILT_IN, load_module
from backend.workspace_errors import WorkspaceError
from tests.support.firm_backend import FirmBackend

_NUMBERS = count()
SMPP = {"host": "smsc.example", "system_id": "bank", "password": "p1", "source": "+41440000000"}
TWILIO = {"account_sid": "AC1", "auth_token": "t1", "from_number": "+41440000000"}
MATRIX = {"homeserver_url": "https://hs.example", "user_id": "@desk:hs.example"}
SERVICE = MATRIX | {"as_token": "a-token", "hs_token": "h-token"}
LINE = {"channel_access_token": "line-token", "channel_secret": "line-secret"}
WHATSAPP = {"access_token": "EAA1", "app_secret": "s", "verify_token": "v", "phone_number_id": "10"}
# Settings of an account, what a second one changes, and whether it stays the same at the vendor.
CASES: dict[str, tuple[str, Mapping[str, str], Mapping[str, str], bool]] = {
    "one bot": ("telegram", {"bot_token": "123:abc"}, {}, True),
    "one bot, a newer token": ("telegram", {"bot_token": "123:abc"}, {"bot_token": "123:x"}, True),
    "another bot": ("telegram", {"bot_token": "123:abc"}, {"bot_token": "124:abc"}, False),
    "one number id": ("whatsapp", WHATSAPP, {"access_token": "2"}, True),
    "two numbers": ("whatsapp", WHATSAPP, {"phone_number_id": "1"}, False),
    "one line channel": ("line", LINE, {"channel_access_token": "newer"}, True),
    "one as_token": ("matrix", SERVICE, {"hs_token": "i-token"}, True),
    "two services": (
        "matrix", SERVICE, {"as_token": "b-token", "hs_token": "i-token"},
        False,
    ),
    "one bind": ("smpp", SMPP, {"host": "SMSC.example", "source": "+41440000001"}, True),
    "another centre": ("smpp", SMPP, {"host": "smsc2.example"}, False),
    "one twilio number": ("sms_http", TWILIO, {"from_number": "+41 44 000 00 00"}, True),
    "two twilio numbers": ("sms_http", TWILIO, {"from_number": "+41440000001"}, False),
    "two senders by service": (
        "sms_http", {"account_sid": "AC1", "auth_token": "t1", "messaging_service_sid": "MG1"},
        {"messaging_service_sid": "MG2"}, False,
    ),
    "one signal number": ("signal", {"account": "+41440000000"}, {}, True),
}  # fmt: skip


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> FirmBackend:
    """Make one firm."""
    return FirmBackend(tmp_path_factory.mktemp("twins"), port=9, public_url="https://bank.example")


@pytest.mark.parametrize(
    ("module", "settings", "changes", "same"), CASES.values(), ids=CASES.keys()
)
def test_a_second_account_on_one_credential_is_refused_by_name(
    firm: FirmBackend,
    module: str,
    settings: Mapping[str, str],
    changes: Mapping[str, str],
    same: bool,
) -> None:
    second = {**settings, **changes}
    number = next(_NUMBERS)
    first_id, second_id, third_id = (f"acc-{number}-{which}" for which in ("one", "two", "three"))
    firm.add_channel(module, first_id, settings, "--no-check")
    try:
        if not same:
            firm.add_channel(module, second_id, second, "--no-check")
            firm.admin("channel", "remove", "--account", second_id)
            return
        with pytest.raises(WorkspaceError, match=f"'{first_id}' has the same") as told:
            firm.add_channel(module, second_id, second, "--no-check")
        assert not [
            value for value in second.values() if value in str(told.value) and len(value) > 2
        ]
        assert [line["account_id"] for line in firm.admin("channel", "list")] == [first_id]
    finally:
        firm.admin("channel", "remove", "--account", first_id)
    firm.add_channel(module, third_id, second, "--no-check")  # out of use, it is free
    firm.admin("channel", "remove", "--account", third_id)


def test_an_account_can_be_changed_but_not_into_another(tmp_path: Path) -> None:
    firm = FirmBackend(tmp_path, port=9)
    firm.add_channel("telegram", "acc-a", {"bot_token": "1:a"}, "--no-check")
    firm.add_channel("telegram", "acc-b", {"bot_token": "2:b"}, "--no-check")
    firm.set_channel("acc-a", {"bot_token": "1:newer"}, "--no-check")
    with pytest.raises(WorkspaceError, match="'acc-a' has the same bot_token"):
        firm.set_channel("acc-b", {"bot_token": "1:a"}, "--no-check")


def test_every_channel_that_can_be_used_says_what_tells_its_accounts_apart() -> None:
    for name in BUILT_IN:
        module = load_module(name)
        told = [field.name for field in module.fields if field.identity]
        assert told or module.switched_off, name
