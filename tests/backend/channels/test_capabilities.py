"""Every channel's module refuses in words what its capabilities say it can't do.

It never reaches a vendor: what is off is refused before a byte would leave.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

import msgspec
import pytest

from backend.channels import faults
from backend.channels.contract import Account, Capabilities, Connector
from backend.channels.modules import BUILT_IN, ChannelContext, ModuleMissing, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import IdempotencyClass
from tests.backend.channels.conformance import CONVERSATION, attempt, outbound
from tests.backend.channels.making import changed, outbound_file

PUBLIC_URL = "https://bank.test"
_NOW_UTC_MS = 1_749_416_383_000
_BEYOND: Mapping[str, Mapping[str, str]] = {
    "telegram+business": {"business_connection_id": "b"},
    "whatsapp+phone": {"coexistence": "yes"},
}


class Desk:
    """A module with an account whose vendor is nowhere; `+` names an account of another kind."""

    def __init__(self, name: str, http: VendorHttp, public_url: str = "") -> None:
        module = load_module(name.partition("+")[0])
        given = {field.name: field.default or "http://127.0.0.1:9" for field in module.fields}
        given |= {field: "" for each in _BEYOND.values() for field in each if field in given}
        given |= dict(_BEYOND.get(name, {}))
        self.account = Account(
            account_id=AccountId("a-1"),
            channel=module.channel,
            connector=module.name,
            idempotency=IdempotencyClass.NONE,
        )
        self.connector: Connector = module.connect(
            ChannelContext(lambda _: given, http, lambda: _NOW_UTC_MS, public_url)
        )
        self.address = "+10000000001"

    @property
    def able(self) -> Capabilities:
        """Return what the account can do."""
        return self.connector.outbound.capabilities(self.account, CONVERSATION)


@contextlib.asynccontextmanager
async def account_of(name: str, *, public_url: str = PUBLIC_URL) -> AsyncIterator[Desk]:
    """Yield an account of a module, in a firm that vendors can reach unless told otherwise."""
    async with VendorHttp(verify=False) as http:
        yield Desk(name, http, public_url)


def names() -> list[str]:
    """Return every built-in module that is not switched off, and accounts of another kind."""
    found = []
    for name in BUILT_IN:
        try:
            if not load_module(name).switched_off:
                found.append(name)
        except ModuleMissing:
            continue
    return [*found, *_BEYOND]


@pytest.mark.parametrize("name", names())
async def test_a_function_that_is_off_is_refused_with_the_reason(name: str) -> None:
    async with account_of(name) as desk:
        out, account, able = desk.connector.outbound, desk.account, desk.able
        message = outbound(desk)
        off: list[tuple[bool, Coroutine[Any, Any, None]]] = [
            (able.edit_out, out.edit(message, "42/1", attempt())),
            (able.delete_out, out.delete(message, "42/1", attempt())),
            (able.reactions, out.react(account, "42", "42/1", "👍")),
            (able.mark_read, out.mark_read(account, "42", "42/1", {})),
            (able.typing, out.typing(account, "42", True)),
        ]
        for is_able, call in off:
            if is_able:
                call.close()
                continue
            with pytest.raises(faults.Unsupported) as refused:
                await call
            assert refused.value.reason.endswith("."), "a sentence for a person"


@pytest.mark.parametrize("name", names())
async def test_what_can_not_go_along_is_said_before_the_message_goes(name: str) -> None:
    async with account_of(name) as desk:
        able, check = desk.able, desk.connector.outbound.preflight
        base = outbound(desk)
        paper = outbound_file("a.pdf", "application/pdf")
        huge = msgspec.structs.replace(paper, size_bytes=10**12)
        wanted = {
            "quote": (changed(base, quote_external_id="42/1"), able.reply),
            "group": (changed(base, id_type="chat"), able.groups),
            "paper": (changed(base, text="", attachments=(paper,)), "document" in able.media),
            "huge": (changed(base, text="", attachments=(huge,)), False),
            "opted out": (changed(base, consented=False), False),
            "closed": (changed(base, window_closes_at_utc_ms=1), able.window is None),
        }
        for what, (message, may_go) in wanted.items():
            blocked = check(message, _NOW_UTC_MS)
            assert (blocked is None) is may_go, what
            assert blocked is None or blocked.reason.endswith("."), what
